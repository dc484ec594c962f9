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
    UNREACHABLE = "unreachable"
    CLUSTER_MISMATCH = "cluster_mismatch"
    FORBIDDEN_ADDRESS = "forbidden_address"
    NOT_A_NODE = "not_a_node"
    ALREADY_IN_CLUSTER = "already_in_cluster"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a word, not a password
    VALIDATION = "validation"
    REJECTED = "rejected"
    UNSUPPORTED_ACTION = "unsupported_action"
    REDIRECTED = "redirected"
    NODE_ERROR = "node_error"
    NODE_RESET = "node_reset"
    FOREIGN_FAILED = "foreign_failed"
    NOT_OURS = "not_ours"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    FAULT = "fault"  # or waiting, when the request may have been sent
    # waiting for the operator
    FOREIGN_IN_PROGRESS = "foreign_in_progress"
    NOT_ACCEPTED = "not_accepted"
    LOST_CONTACT = "lost_contact"
    OVERDUE = "overdue"
    CREDENTIALS_REFUSED = "credentials_refused"
    TRUST = "trust"
    SUPERSEDED = "superseded"
    FOREIGN_CLUSTER = "foreign_cluster"

    @property
    def keeps_secret(self) -> bool:
        """Whether the stored credentials are kept while waiting, for at most a day."""
        return self in {Reason.TRUST, Reason.LOST_CONTACT, Reason.NOT_ACCEPTED}

    @property
    def may_be_foreign(self) -> bool:
        """Whether the running bootstrap may be someone else's."""
        return self in {Reason.FOREIGN_IN_PROGRESS, Reason.SUPERSEDED}
