"""The audit log: who did what, when, from where, to what, and with what result.

Each app registers the actions that it records. `record` is called inside the transaction of the action: without its
entry, the action does not happen. Entries are never changed or deleted; the model refuses it, and so do triggers in the
database. An entry holds no secrets: notes are made of our own words, names and numbers, never of free text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from setup_wizard.access import client_address
from setup_wizard.access.append_only import AppendOnlyModel
from setup_wizard.bootstrap.text import clean

NAME_LENGTH = 150
ID_LENGTH = 64
TEXT_LENGTH = 300

Actions = TypeVar("Actions", bound=type[models.TextChoices])
_labels: dict[str, str] = {}


def register(actions: Actions, *, prefix: str = "") -> Actions:
    """Register the actions of an app; their labels are shown in the admin site, after the prefix."""
    _labels.update((action.value, f"{prefix}{action.label}") for action in actions)
    return actions


def labels() -> dict[str, str]:
    """Return the label of every registered action."""
    return dict(_labels)


class AuditOutcome(models.TextChoices):
    """The result of an action."""

    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


@dataclass(frozen=True, slots=True)
class Target:
    """What an action was applied to: its kind such as "attempt" or "node", its ID, and a name for people."""

    kind: str = ""
    id: str = ""
    name: str = ""


class AuditEvent(AppendOnlyModel):
    """One entry of the audit log; only `record` and `record_all` add it.

    The user is stored as ID and name, without a foreign key, so that the entry outlives the account.
    """

    at = models.DateTimeField("time", default=timezone.now)
    user_id = models.BigIntegerField("user ID", null=True)
    user_name = models.CharField("user", max_length=NAME_LENGTH, blank=True)
    address = models.GenericIPAddressField("client address", null=True)
    action = models.CharField(max_length=32)
    target_kind = models.CharField(max_length=16, blank=True)
    target_id = models.CharField("target ID", max_length=ID_LENGTH, blank=True)
    target_name = models.CharField("target", max_length=TEXT_LENGTH, blank=True)
    fingerprint = models.CharField("certificate, SHA-256", max_length=95, blank=True)
    outcome = models.CharField(max_length=8, choices=AuditOutcome.choices, default=AuditOutcome.DONE)
    note = models.CharField(max_length=TEXT_LENGTH, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
            models.Index(fields=["user_id", "-at"], name="audit_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name or '-'}: {self.label} {self.target_name}".strip()

    @property
    def label(self) -> str:
        """The action as people read it."""
        return _labels.get(self.action, self.action)


def of_user(user: User) -> Target:
    """Return an account as a target."""
    return Target("user", str(user.pk), user.get_username())


def record(  # noqa: PLR0913 - each is one column
    action: models.TextChoices,
    *,
    by: User | None,
    target: Target = Target(),
    fingerprint: str = "",
    outcome: AuditOutcome = AuditOutcome.DONE,
    note: str = "",
) -> None:
    """Add one entry; `by` is None for an unknown user and on the command line."""
    record_all(action, [target], by=by, fingerprint=fingerprint, outcome=outcome, note=note)


def record_all(  # noqa: PLR0913 - as above
    action: models.TextChoices,
    targets: Iterable[Target],
    *,
    by: User | None,
    fingerprint: str = "",
    outcome: AuditOutcome = AuditOutcome.DONE,
    note: str = "",
) -> None:
    """Add an entry of the same action for each target, in one statement."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            user_id=by.pk if by else None,
            user_name=clean(by.get_username(), NAME_LENGTH) if by else "",
            address=client_address.current(),
            action=action.value,
            target_kind=target.kind,
            target_id=clean(target.id, ID_LENGTH),
            target_name=clean(target.name, TEXT_LENGTH),
            fingerprint=fingerprint,
            outcome=outcome.value,
            note=clean(note, TEXT_LENGTH),
        )
        for target in targets
    )
