"""What an operator can choose about an attempt: one list for pages, API, audit log and documentation.

To add a choice without input: an entry in `_DEFINITIONS`, the reasons that offer it in `_OFFERED`, and its transition
in `reducer/transitions.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices

from setup_wizard.access import audit
from setup_wizard.access.permissions import Permission
from setup_wizard.attempts.reducer import Decision, Snapshot, transitions
from setup_wizard.attempts.states import Reason, State

Transition = Callable[[Snapshot, datetime, str, timedelta], Decision]


class Choice(TextChoices):
    """One choice: its value is the last part of its URL and its name in the audit log, its label the button."""

    CANCEL = "cancel", "Cancel"
    STOP_WATCHING = "stop-watching", "Stop watching"
    KEEP_WATCHING = "keep-watching", "Keep watching"
    OURS = "ours", "Follow as this setup"
    NOT_OURS = "not-ours", "End: someone else's bootstrap"
    SEND_AGAIN = "send-again", "Send again"
    APPROVE_CERTIFICATE = "approve-certificate", "Approve certificate"
    CREDENTIALS = "credentials", "Enter the credentials again"

    @property
    def effect(self) -> str:
        """What happens when it is chosen, shown beside the button and in the description of the API."""
        return _DEFINITIONS[self].effect

    @property
    def confirmation(self) -> str:
        """What the operator confirms with a checkbox, because it cannot be undone; empty when nothing is asked."""
        return _DEFINITIONS[self].confirmation

    @property
    def permission(self) -> Permission:
        """Who may choose it, on pages and in the API."""
        return _DEFINITIONS[self].permission

    @property
    def transition(self) -> Transition | None:
        """What it changes in the attempt; None for a choice with input, which has its own function in the engine."""
        return _DEFINITIONS[self].transition


audit.register(Choice, prefix="Chose: ")


@dataclass(frozen=True, slots=True)
class _Definition:
    effect: str
    transition: Transition | None = None
    confirmation: str = ""
    permission: Permission = Permission.OPERATE


_DEFINITIONS = {
    Choice.CANCEL: _Definition("Ends this setup. Nothing has been sent to the node.", transitions.cancel),
    Choice.STOP_WATCHING: _Definition(
        "The node continues by itself; this page stops following it.",
        transitions.stop_watching,
        confirmation="I accept that the result will be unknown.",
    ),
    Choice.KEEP_WATCHING: _Definition("Asks the node again; nothing is sent twice.", transitions.keep_watching),
    Choice.OURS: _Definition(
        "Follows this bootstrap as this setup's own. It succeeds only when the cluster confirms it.",
        transitions.ours,
        confirmation="I know who started this bootstrap, and it is the one for this setup.",
    ),
    Choice.NOT_OURS: _Definition(
        "Ends this setup as failed. The node continues by itself.",
        transitions.not_ours,
        confirmation="Someone else started this bootstrap.",
    ),
    Choice.SEND_AGAIN: _Definition(
        "Checks the node once more, then sends the same request.",
        transitions.send_again,
        confirmation="I checked the node: no bootstrap is running there.",
    ),
    Choice.APPROVE_CERTIFICATE: _Definition(
        "Trusts the certificate that the node shows now. Compare it with the node first.",
        confirmation="The new fingerprint is the same that the node prints.",
    ),
    Choice.CREDENTIALS: _Definition("Polling resumes with these credentials."),
}

# the likeliest first
_OFFERED = {
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


def choices_of(reason: Reason) -> tuple[Choice, ...]:
    """Every choice of an attempt that waits for this reason; `offered` says which fit now."""
    return _OFFERED.get(reason, ())


def offered(state: State, reason: Reason, *, may_have_sent: bool) -> tuple[Choice, ...]:
    """What an operator can choose in this state, given what was sent, the likeliest first."""
    if state.is_final:
        return ()
    way_out = Choice.STOP_WATCHING if may_have_sent else Choice.CANCEL
    if state is not State.NEEDS_OPERATOR:
        return (way_out,)
    sends = reason is Reason.TRUST and not may_have_sent  # to keep watching would then send the request
    possible = [choice for choice in choices_of(reason) if not (sends and choice is Choice.KEEP_WATCHING)]
    if reason is Reason.CREDENTIALS_REFUSED and not may_have_sent:
        possible.remove(Choice.NOT_OURS)  # nothing was sent
    return tuple(way_out if choice is Choice.STOP_WATCHING else choice for choice in possible)
