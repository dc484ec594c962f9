"""What is stored of links and tokens, never the secret itself, and what there is to be allowed."""

from django.conf import settings
from django.db import models

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
