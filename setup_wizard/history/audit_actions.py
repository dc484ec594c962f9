"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class ReviewAudit(TextChoices):
    """Reviewing and exporting past attempts."""

    NOTE = "note", "Wrote a note"
    MARK = "mark", "Marked as reviewed"
    EXPORT = "export", "Exported attempts"
