"""What is stored of links and tokens, never the secret itself, what there is to be allowed, and what was done."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User, UserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access.deeds import Deed, Outcome
from setup_wizard.access.lasting import AppendOnlyModel
from setup_wizard.access.permissions import Permission


class SignInLink(models.Model):
    """A link that signs in once; whoever reads the database cannot use it, for only its SHA-256 is here."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Say when the link was made and whether it still works."""
        return f"made {self.created_at:%Y-%m-%d %H:%M}, {'used' if self.used_at else 'not used'}"


class Capability(models.Model):
    """No table: the place in Django's own scheme where our permissions belong."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(permission.codename, permission.label) for permission in Permission]

    def __str__(self) -> str:
        """Say what it stands for."""
        return "what one may do here"


class ApiToken(models.Model):
    """A token with which a program speaks for a user; only its SHA-256 and its first characters are here."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField("what it is for", max_length=100, blank=True)
    prefix = models.CharField("what it is recognised by", max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField("never when empty", null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        """Name it by what may be shown."""
        return f"{self.prefix}… of {self.user}"


class SetupToken(models.Model):
    """The token with which the first administrator is made; only its SHA-256 is here, and how often it was guessed."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    wrong = models.PositiveSmallIntegerField("tries with another token", default=0)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Say when the token was made and whether it still works."""
        return f"made {self.created_at:%Y-%m-%d %H:%M}, {'used' if self.used_at else 'not used'}"


class Tally(models.Model):
    """How often somebody has done something within a span of time: one row for each person and thing, overwritten."""

    what = models.CharField(max_length=32)
    who = models.BigIntegerField()
    span = models.BigIntegerField("the number of the minute")
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "who"], name="one_tally_a_person")]

    def __str__(self) -> str:
        """Say what was counted."""
        return f"{self.times} {self.what}"


class PasswordTries(models.Model):
    """When passwords were tried for a name from a network, or from a network; `tries.py` alone writes it."""

    key = models.CharField("HMAC of what is counted", max_length=64, unique=True)
    at = models.JSONField("when, in seconds", default=list)
    latest = models.FloatField("when last, in seconds", default=0, db_index=True)

    def __str__(self) -> str:
        """Say how many there were."""
        return f"{len(self.at)} tries"


class AccountManager(UserManager["Account"]):
    """Accounts made at the command line, where Django lets the check of a password be skipped."""

    use_in_migrations = False

    @sensitive_variables("password")
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> "Account":
        """Make a superuser.

        Raises:
            ValidationError: the password is weak.
        """
        if password is not None:
            validate_password(password, self.model(username=username, email=email or "", **extra_fields))
        return super().create_superuser(username, email, password, **extra_fields)


class Account(User):
    """An account as the command line writes it: together with its row in the audit trail, or not at all.

    Signals would not do: outside a transaction the account is there to stay before anybody hears of it. What is changed
    on a page is put down by that page.
    """

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        proxy = True
        default_permissions = ()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the account, and put down that it was."""
        from setup_wizard.access import audit  # noqa: PLC0415 - it writes rows of this module

        deed = Deed.ACCOUNT_ADDED if self._state.adding else Deed.ACCOUNT_CHANGED
        words = [*(kwargs.get("update_fields") or []), "superuser" if self.is_superuser else "", "at the command line"]
        with transaction.atomic():
            super().save(*args, **kwargs)
            audit.record(deed, by=None, target=audit.of_user(self), note=", ".join(filter(None, words)))


class AuditEvent(AppendOnlyModel):
    """One deed in the audit trail; `audit.py` alone adds it.

    Who is kept as number and name, without a reference, so that the row outlives the account. Triggers in the database
    refuse every change: a migration that alters this table has to put them back, for SQLite makes the table anew.
    """

    at = models.DateTimeField("when, UTC", default=timezone.now)
    user_id = models.BigIntegerField("the user's number", null=True)
    user_name = models.CharField("who", max_length=150, blank=True)
    address = models.GenericIPAddressField("from where", null=True)
    deed = models.CharField("what", max_length=32, choices=[(deed.value, deed.label) for deed in Deed])
    kind = models.CharField("kind of target", max_length=16, blank=True)
    key = models.CharField("the target's number", max_length=64, blank=True)
    target = models.CharField("to what", max_length=300, blank=True)
    fingerprint = models.CharField("certificate, SHA-256", max_length=95, blank=True)
    outcome = models.CharField(
        max_length=8, choices=[(outcome.value, outcome.label) for outcome in Outcome], default=Outcome.DONE
    )
    note = models.CharField("more", max_length=300, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["deed", "-at"], name="audit_by_deed"),
            models.Index(fields=["user_id", "-at"], name="audit_by_person"),
        ]

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name or 'nobody'}: {Deed(self.deed).label} {self.target}".strip()
        )
