"""States of an attempt and the reasons behind them. Plain Python, so that the reducer stays pure."""

from enum import StrEnum


class State(StrEnum):
    """The state of an attempt."""

    QUEUED = "queued"
    CHECKING = "checking"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_OPERATOR = "needs_operator"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}

    @property
    def is_open(self) -> bool:
        """Whether the attempt still holds the node and its cluster."""
        return not self.is_final

    @property
    def is_moving(self) -> bool:
        """Whether ticks move it on: neither ended nor waiting for the operator."""
        return self.is_open and self is not State.NEEDS_OPERATOR

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS[self][0]

    @property
    def tone(self) -> str:
        """Its colour: live, good, warn or bad."""
        return _LABELS[self][1]


_LABELS = {
    State.QUEUED: ("Queued", "live"),
    State.CHECKING: ("Connecting", "live"),
    State.SUBMITTING: ("Sending", "live"),
    State.UNKNOWN: ("Checking the outcome", "live"),
    State.IN_PROGRESS: ("In progress", "live"),
    State.VERIFYING: ("Checking with the cluster", "live"),
    State.SUCCEEDED: ("Succeeded", "good"),
    State.FAILED: ("Failed", "bad"),
    State.NEEDS_OPERATOR: ("Action needed", "warn"),
    State.CANCELLED: ("Cancelled", "warn"),
}


class Reason(StrEnum):
    """Why an attempt failed, was cancelled or waits for the operator, beside the node's own error code."""

    NONE = ""
    # ended
    UNREACHABLE = "unreachable"  # no answer for five minutes; nothing was sent
    CLUSTER_MISMATCH = "cluster_mismatch"  # the approved member is in another cluster than stated; nothing was sent
    FORBIDDEN_ADDRESS = "forbidden_address"  # the name now leads to an address that is not allowed; nothing was sent
    NOT_A_NODE = "not_a_node"  # the answers are not those of the bootstrap API; nothing was sent
    ALREADY_IN_CLUSTER = "already_in_cluster"  # the node was or became a member by another bootstrap
    # no stored credentials, or no key decrypts them; nothing was sent
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a word, not a password
    VALIDATION = "validation"  # the node's validation rejected the request; it was not sent
    REJECTED = "rejected"  # the node rejected the POST
    UNSUPPORTED_ACTION = "unsupported_action"  # 404 or 405 to the POST: the software does not have this endpoint
    REDIRECTED = "redirected"  # the node answered with a redirect, which is not followed
    NODE_ERROR = "node_error"  # the bootstrap began and ended with an error
    NODE_RESET = "node_reset"  # the bootstrap began, and the node no longer shows it
    FOREIGN_FAILED = "foreign_failed"  # someone else's bootstrap failed; the node is free again
    NOT_OURS = "not_ours"  # the operator said that it is someone else's bootstrap
    ABANDONED = "abandoned"  # no choice within seven days
    CANCELLED = "cancelled"  # by the operator, before anything was sent
    STOPPED = "stopped"  # by the operator, after it may have been sent; the node continues
    FAULT = "fault"  # our ticks failed again and again; waits when the request may have been sent
    # waiting for the operator
    FOREIGN_IN_PROGRESS = "foreign_in_progress"  # a bootstrap is running that may be someone else's
    NOT_ACCEPTED = "not_accepted"  # no trace of the request on the node
    LOST_CONTACT = "lost_contact"  # unreachable, or no longer allowed, after the request may have been sent
    OVERDUE = "overdue"  # the deadline passed while the node still works on it
    CREDENTIALS_REFUSED = "credentials_refused"  # by the node or the member, or they are no longer stored
    TRUST = "trust"  # the node shows a certificate that is not approved
    SUPERSEDED = "superseded"  # our bootstrap began, then another one on the same node
    FOREIGN_CLUSTER = "foreign_cluster"  # the node is, or may be, in another cluster than meant

    @property
    def label(self) -> str:
        """Its name for people."""
        return _REASONS.get(self, "None")

    @property
    def keeps_credentials(self) -> bool:
        """Whether the stored credentials are kept while waiting, for at most a day."""
        return self in {Reason.TRUST, Reason.LOST_CONTACT, Reason.NOT_ACCEPTED}

    @property
    def may_be_foreign(self) -> bool:
        """Whether the running bootstrap may be someone else's."""
        return self in {Reason.FOREIGN_IN_PROGRESS, Reason.SUPERSEDED}


_REASONS = {
    Reason.UNREACHABLE: "Node unreachable",
    Reason.CLUSTER_MISMATCH: "Members in another cluster",
    Reason.FORBIDDEN_ADDRESS: "Address not allowed",
    Reason.NOT_A_NODE: "Not a node",
    Reason.ALREADY_IN_CLUSTER: "Already in a cluster",
    Reason.SECRET_UNAVAILABLE: "Stored credentials missing",
    Reason.VALIDATION: "Rejected by the node's check",
    Reason.REJECTED: "Request rejected",
    Reason.UNSUPPORTED_ACTION: "Action not supported",
    Reason.REDIRECTED: "Redirected",
    Reason.NODE_ERROR: "Error on the node",
    Reason.NODE_RESET: "Node was reset",
    Reason.FOREIGN_FAILED: "Bootstrap of someone else failed",
    Reason.NOT_OURS: "Started by someone else",
    Reason.ABANDONED: "No choice within seven days",
    Reason.CANCELLED: "Cancelled before it was sent",
    Reason.STOPPED: "No longer watched",
    Reason.FAULT: "Internal error",
    Reason.FOREIGN_IN_PROGRESS: "Another bootstrap is running",
    Reason.NOT_ACCEPTED: "No trace of the request",
    Reason.LOST_CONTACT: "Lost contact",
    Reason.OVERDUE: "Deadline passed",
    Reason.CREDENTIALS_REFUSED: "Credentials refused",
    Reason.TRUST: "Certificate not approved",
    Reason.SUPERSEDED: "Another bootstrap began later",
    Reason.FOREIGN_CLUSTER: "Node in another cluster",
}
