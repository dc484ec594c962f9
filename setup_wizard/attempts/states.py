"""The words an attempt is described with. Plain Python, so that the reducer stays pure."""

from enum import StrEnum


class State(StrEnum):
    """Where an attempt stands."""

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
        """Whether nothing can change any more."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}

    @property
    def is_open(self) -> bool:
        """Whether the node and its cluster are still taken by this attempt."""
        return not self.is_final

    @property
    def is_moving(self) -> bool:
        """Whether ticks take it on: neither ended nor waiting for a person."""
        return self.is_open and self is not State.NEEDS_OPERATOR

    @property
    def label(self) -> str:
        """What a person reads."""
        return _LABELS[self][0]

    @property
    def tone(self) -> str:
        """How it is coloured: live, good, warn or bad."""
        return _LABELS[self][1]


_LABELS = {
    State.QUEUED: ("Queued", "live"),
    State.CHECKING: ("Reaching the node", "live"),
    State.SUBMITTING: ("Sending", "live"),
    State.UNKNOWN: ("Finding out", "live"),
    State.IN_PROGRESS: ("In progress", "live"),
    State.VERIFYING: ("Checking with the cluster", "live"),
    State.SUCCEEDED: ("Succeeded", "good"),
    State.FAILED: ("Failed", "bad"),
    State.NEEDS_OPERATOR: ("Needs you", "warn"),
    State.CANCELLED: ("Cancelled", "warn"),
}


class Choice(StrEnum):
    """What an operator may do about an attempt; each is a button, and its value the last part of the URL."""

    CANCEL = "cancel"
    STOP_WATCHING = "stop-watching"
    KEEP_WATCHING = "keep-watching"
    OURS = "ours"
    NOT_OURS = "not-ours"
    SEND_AGAIN = "send-again"
    APPROVE_CERTIFICATE = "approve-certificate"
    CREDENTIALS = "credentials"

    @property
    def label(self) -> str:
        """What the button says."""
        return _BUTTONS[self][0]

    @property
    def consequence(self) -> str:
        """What comes of it, beside the button."""
        return _BUTTONS[self][1]

    @property
    def confirmation(self) -> str:
        """What a person states before it is done, because it cannot be taken back; empty where a press is enough."""
        return _CONFIRMATIONS.get(self, "")


_BUTTONS = {
    Choice.CANCEL: ("Cancel", "Nothing has been begun, and nothing will be."),
    Choice.STOP_WATCHING: ("Stop watching", "The node goes on by itself; this page only stops following it."),
    Choice.KEEP_WATCHING: ("Keep watching", "Looks on, and sends nothing."),
    Choice.OURS: (
        "It is ours",
        "Follows it as this setup's own. It counts as done only when the cluster itself confirms it.",
    ),
    Choice.NOT_OURS: ("It is not ours", "Ends this setup as failed. The node is left alone and goes on by itself."),
    Choice.SEND_AGAIN: ("Send again", "Looks at the node once more, then sends the same request."),
    Choice.APPROVE_CERTIFICATE: ("Approve this certificate and go on", "Only after you have compared it."),
    Choice.CREDENTIALS: ("Enter the sign-in again", "The node is asked on with it."),
}
_CONFIRMATIONS = {
    Choice.STOP_WATCHING: "This setup may end without a verdict.",
    Choice.OURS: "I know who started this bootstrap, and it is the one that this setup is about.",
    Choice.NOT_OURS: "Somebody else has started this bootstrap.",
    Choice.SEND_AGAIN: "I have looked at the node, and no bootstrap is at work there.",
    Choice.APPROVE_CERTIFICATE: "I have compared this fingerprint with the one that the node prints.",
}


class Reason(StrEnum):
    """Why an attempt failed, was cancelled, or rests: our verdict, beside the node's own error code."""

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
    FAULT = "fault"  # or resting, where the request may have left
    # resting
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
        """Whether resting for it keeps the sealed credentials, for at most a day. Reference: S4."""
        return self in {Reason.TRUST, Reason.LOST_CONTACT, Reason.NOT_ACCEPTED}

    @property
    def is_not_ours(self) -> bool:
        """Whether what is watched then is somebody else's bootstrap."""
        return self in {Reason.FOREIGN_IN_PROGRESS, Reason.SUPERSEDED}

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What an attempt that rests for it offers, the likeliest first."""
        return _CHOICES.get(self, ())


_CHOICES = {
    Reason.FOREIGN_IN_PROGRESS: (Choice.KEEP_WATCHING, Choice.OURS, Choice.NOT_OURS, Choice.STOP_WATCHING),
    Reason.NOT_ACCEPTED: (Choice.SEND_AGAIN, Choice.KEEP_WATCHING, Choice.STOP_WATCHING),
    Reason.LOST_CONTACT: (Choice.KEEP_WATCHING, Choice.STOP_WATCHING),
    Reason.FAULT: (Choice.KEEP_WATCHING, Choice.STOP_WATCHING),
    Reason.OVERDUE: (Choice.KEEP_WATCHING, Choice.STOP_WATCHING),
    Reason.CREDENTIALS_REFUSED: (Choice.CREDENTIALS, Choice.NOT_OURS, Choice.STOP_WATCHING),
    Reason.TRUST: (Choice.APPROVE_CERTIFICATE, Choice.KEEP_WATCHING, Choice.STOP_WATCHING),
    Reason.SUPERSEDED: (Choice.KEEP_WATCHING, Choice.OURS, Choice.NOT_OURS, Choice.STOP_WATCHING),
    Reason.FOREIGN_CLUSTER: (Choice.CREDENTIALS, Choice.NOT_OURS, Choice.STOP_WATCHING),
}


def offered(state: State, reason: Reason, *, has_sent: bool) -> tuple[Choice, ...]:
    """Say what an operator may do about an attempt now, the likeliest first."""
    if state.is_final:
        return ()
    way_out = Choice.STOP_WATCHING if has_sent else Choice.CANCEL
    if state is not State.NEEDS_OPERATOR:
        return (way_out,)
    sends = reason is Reason.TRUST and not has_sent  # watching on would then send the request
    possible = [choice for choice in reason.choices if not (sends and choice is Choice.KEEP_WATCHING)]
    if reason is Reason.CREDENTIALS_REFUSED and not has_sent:
        possible.remove(Choice.NOT_OURS)  # nothing has begun
    return tuple(way_out if choice is Choice.STOP_WATCHING else choice for choice in possible)
