"""The audit trail: who did what, when, from where, to what, and what came of it.

`record` is called inside the transaction of the deed: without its row there is no deed. Rows are added and read; the
models refuse anything else, and triggers in the database refuse it again. No secret gets here: a note is made of our
own words, names and numbers, never of what somebody typed into a field that might hold one.

Reference: docs/failure-modes.md, W12.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User

from setup_wizard.access import clients
from setup_wizard.access.deeds import Deed, Outcome
from setup_wizard.access.models import AuditEvent
from setup_wizard.bootstrap.text import clean

NAME_LENGTH = 150
KEY_LENGTH = 64
WORDS_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Target:
    """What a deed was done to: "attempt" or "node" or the like, what identifies it there, and how people call it."""

    kind: str = ""
    key: str = ""
    words: str = ""


def of_user(user: User) -> Target:
    """Give an account as a target."""
    return Target("user", str(user.pk), user.get_username())


def record(  # noqa: PLR0913 - each says one thing of the deed
    deed: Deed,
    *,
    by: User | None,
    target: Target = Target(),
    fingerprint: str = "",
    outcome: Outcome = Outcome.DONE,
    note: str = "",
) -> None:
    """Put one deed down; `by` is None when it was done at the command line, or by nobody who is known."""
    record_all(deed, [target], by=by, fingerprint=fingerprint, outcome=outcome, note=note)


def record_all(  # noqa: PLR0913 - as above
    deed: Deed,
    targets: Iterable[Target],
    *,
    by: User | None,
    fingerprint: str = "",
    outcome: Outcome = Outcome.DONE,
    note: str = "",
) -> None:
    """Put the same deed down for each target, in one go."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            user_id=by.pk if by else None,
            user_name=clean(by.get_username(), NAME_LENGTH) if by else "",
            address=clients.current_address(),
            deed=deed.value,
            kind=target.kind,
            key=clean(target.key, KEY_LENGTH),
            target=clean(target.words, WORDS_LENGTH),
            fingerprint=fingerprint,
            outcome=outcome.value,
            note=clean(note, WORDS_LENGTH),
        )
        for target in targets
    )
