"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class AttemptAudit(TextChoices):
    """Starting attempts; the choices of the operator are registered in `choices.py`."""

    START = "start", "Started a setup"
    ROTATE = "rotate", "Encrypted credentials with a newer key"
