"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class NotificationAudit(TextChoices):
    """An action with a webhook."""

    ADD = "webhook-add", "Added a webhook"
    CHANGE = "webhook-change", "Changed a webhook"
    KEY = "webhook-key", "Made a new signing key for a webhook"
    DELETE = "webhook-delete", "Deleted a webhook"
    TEST = "webhook-test", "Sent a test message to a webhook"
    SEND_AGAIN = "webhook-send-again", "Sent a message of a webhook again"
