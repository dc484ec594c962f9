"""What is stored of a sign-in link, never the link itself, and what there is to be allowed."""

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
