"""Notes and marks of reviewers, in rows beside the attempt; and who exported attempts."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from setup_wizard.access import audit
from setup_wizard.attempts import engine
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.text import clean
from setup_wizard.history.audit_actions import ReviewAudit
from setup_wizard.history.models import ReviewMark, ReviewNote

MAX_LENGTH = 2000


def write(attempts: QuerySet[Attempt], *, by: User, note: str = "", mark: bool = False) -> int:
    """Add a note to each of these attempts, mark each as reviewed, or both; the only writer of either.

    The first reviewer's mark stays. Returns how many attempts were not marked before.
    """
    text, now = _visible(note), timezone.now()
    with transaction.atomic():
        if text:
            found = list(attempts)
            ReviewNote.objects.bulk_create(ReviewNote(attempt=each, by=by, at=now, text=text) for each in found)
            audit.record_all(ReviewAudit.NOTE, [each.as_target for each in found], by=by)
        new = list(attempts.filter(review_mark=None)) if mark else []
        # two reviewers at once: the first row stays, and the second is no error
        ReviewMark.objects.bulk_create([ReviewMark(attempt=each, by=by, at=now) for each in new], ignore_conflicts=True)
        engine.mark_reviewed(new)
        audit.record_all(ReviewAudit.MARK, [each.as_target for each in new], by=by)
    return len(new)


def record_export(attempts: QuerySet[Attempt], file_format: str, *, by: User) -> None:
    """Record that these attempts are exported, before the first row is sent: if this fails there is no file."""
    count = attempts.count()
    target = audit.Target("attempts", "", f"{count:,} attempt{'' if count == 1 else 's'}")
    audit.record(ReviewAudit.EXPORT, by=by, target=target, note=f"as {file_format}")


def _visible(note: str) -> str:
    """Keep line breaks, and make other invisible characters visible."""
    lines = [clean(line, MAX_LENGTH) for line in note.strip().splitlines()]
    return "\n".join(lines)[:MAX_LENGTH]
