"""Tokens, preferences, counters and accounts; the audit log has its model in `audit.py`, beside its only writer.

Of tokens only digests are stored.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User, UserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.permissions import Permission


class Capability(models.Model):
    """Holds our permissions; has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(permission.codename, permission.label) for permission in Permission]

    def __str__(self) -> str:
        return "permissions"


class ApiToken(models.Model):
    """A token with which a program acts for a user; only its SHA-256 and its first characters are stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField("purpose", max_length=100, blank=True)
    prefix = models.CharField("first characters", max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="empty: on the command line",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField("empty: never", null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user}"

    @property
    def state(self) -> str:
        """Whether it works: "valid", "expired" or "revoked"."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "valid"


class Preferences(models.Model):
    """What a user has chosen for all pages; a user without a row has the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    time_zone = models.CharField("empty: that of the browser", max_length=64, blank=True)

    def __str__(self) -> str:
        return f"preferences of {self.user}"


class SetupToken(models.Model):
    """The token that creates the first administrator, stored as its SHA-256, with the number of wrong entries."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    wrong_count = models.PositiveSmallIntegerField("wrong tokens entered", default=0)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"created {self.created_at:%Y-%m-%d %H:%M}, {'used' if self.used_at else 'not used'}"


class RequestCount(models.Model):
    """How many requests of a kind a user has made in a minute; one row per user and kind, reused each minute.

    `subjects` has what was counted, where a second request for the same one does not count.
    """

    kind = models.CharField(max_length=32)
    user_id = models.BigIntegerField("user ID")
    minute = models.BigIntegerField("minutes since 1970")
    count = models.PositiveIntegerField(default=0)
    subjects = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "user_id"], name="one_count_per_user")]

    def __str__(self) -> str:
        return f"{self.count} {self.kind}"


class PasswordFailures(models.Model):
    """When passwords were wrong, for a network or a name from a network; only `password_limits.py` writes it."""

    key = models.CharField("HMAC of network and name", max_length=64, unique=True)
    times = models.JSONField("Unix times", default=list)
    latest = models.FloatField("latest Unix time", default=0, db_index=True)

    def __str__(self) -> str:
        return f"{len(self.times)} wrong passwords"


class AccountManager(UserManager["Account"]):
    """Accounts created on the command line, where Django would let a weak password pass."""

    use_in_migrations = False

    @sensitive_variables("password")
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> "Account":
        """Create a superuser.

        Raises:
            ValidationError: the password is weak.
        """
        if password is not None:
            validate_password(password, self.model(username=username, email=email or "", **extra_fields))
        return super().create_superuser(username, email, password, **extra_fields)


class Account(User):
    """An account as the command line writes it: together with its audit entry, or not at all.

    A signal would come too late: outside a transaction the account is committed before any receiver runs. Pages write
    their audit entries themselves.
    """

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        proxy = True
        default_permissions = ()

    def save(self, *args: Any, **kwargs: Any) -> None:
        action = AccessAudit.ACCOUNT_ADDED if self._state.adding else AccessAudit.ACCOUNT_CHANGED
        details = [
            *(kwargs.get("update_fields") or []),
            "superuser" if self.is_superuser else "",
            "on the command line",
        ]
        with transaction.atomic():
            super().save(*args, **kwargs)
            audit.record(action, by=None, target=audit.of_user(self), note=", ".join(filter(None, details)))
