"""What reviewers leave behind: notes and marks, rows of their own beside an attempt that stays as it is."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from setup_wizard.access import audit
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.text import clean
from setup_wizard.history.audit_actions import ReviewAudit
from setup_wizard.history.models import ReviewMark, ReviewNote

LONGEST = 2000


def write(attempts: QuerySet[Attempt], *, by: User, note: str = "", mark: bool = False) -> int:
    """Add a note to each of these attempts, mark each as reviewed, or both; the only writer of either.

    Who marked an attempt first stays. Gives how many attempts were not marked before.
    """
    text, now = _text(note), timezone.now()
    with transaction.atomic():
        if text:
            noted = list(attempts)
            ReviewNote.objects.bulk_create(ReviewNote(attempt=each, by=by, at=now, text=text) for each in noted)
            audit.record_all(ReviewAudit.NOTE, [each.as_target for each in noted], by=by)
        new = list(attempts.filter(review_mark=None)) if mark else []
        # Two reviewers at once: the row that came first stays, and nobody is told of an error.
        ReviewMark.objects.bulk_create([ReviewMark(attempt=each, by=by, at=now) for each in new], ignore_conflicts=True)
        audit.record_all(ReviewAudit.MARK, [each.as_target for each in new], by=by)
    return len(new)


def _text(note: str) -> str:
    """Keep the lines, and make visible whatever else is not."""
    lines = [clean(line, LONGEST) for line in note.strip().splitlines()]
    return "\n".join(lines)[:LONGEST]
