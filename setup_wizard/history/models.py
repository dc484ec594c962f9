"""Notes and marks of reviewers."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from setup_wizard.access.append_only import AppendOnlyModel
from setup_wizard.attempts.models import Attempt


class ReviewNote(AppendOnlyModel):
    """A reviewer's note about an attempt. Only `reviews.write` adds them."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="review_notes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(max_length=2000)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.by}, {self.at:%Y-%m-%d %H:%M}: {self.text}"


class ReviewMark(AppendOnlyModel):
    """Who was the first to review an attempt, and when. Only `reviews.write` adds them."""

    on_existing = "IGNORE"  # two reviewers at once

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="review_mark", primary_key=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"reviewed by {self.by}, {self.at:%Y-%m-%d %H:%M}"
