"""The demo's one-time sign-in link."""

from django.db import models


class SignInLink(models.Model):
    """A link that signs in once, stored as the SHA-256 of its token."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"created {self.created_at:%Y-%m-%d %H:%M}, {'used' if self.used_at else 'not used'}"
