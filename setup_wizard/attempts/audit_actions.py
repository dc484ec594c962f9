"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class AttemptAudit(TextChoices):
    """Starting attempts and deciding about them; a choice is recorded under its own name."""

    START = "start", "Started a setup"
    CANCEL = "cancel", "Chose: cancel"
    STOP_WATCHING = "stop-watching", "Chose: stop watching"
    KEEP_WATCHING = "keep-watching", "Chose: keep watching"
    OURS = "ours", "Chose: it is ours"
    NOT_OURS = "not-ours", "Chose: it is not ours"
    SEND_AGAIN = "send-again", "Chose: send again"
    APPROVE_CERTIFICATE = "approve-certificate", "Chose: approve the certificate and continue"
    CREDENTIALS = "credentials", "Chose: enter credentials again"
    ROTATE = "rotate", "Encrypted credentials with a newer key"
