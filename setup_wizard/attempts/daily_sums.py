"""Count the attempts of each day by outcome, for charts that would otherwise read every attempt."""

from datetime import UTC

from django.db.models import F

from setup_wizard.attempts.models import Attempt, DailySum


def add(attempt: Attempt) -> None:
    """Count an attempt that ends in this transaction."""
    key = {
        "day": attempt.created_at.astimezone(UTC).date(),
        "action": attempt.action,
        "state": attempt.state,
        "reason": attempt.reason,
        "error_code": attempt.error_code,
        "software_version": attempt.software_version,
    }
    row = DailySum.objects.filter(**key)
    if not row.update(count=F("count") + 1):
        # two attempts may be the first of their kind at the same moment: both find the row, and each counts itself
        DailySum.objects.bulk_create([DailySum(**key)], ignore_conflicts=True)
        row.update(count=F("count") + 1)
