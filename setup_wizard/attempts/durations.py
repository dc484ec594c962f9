"""Durations in words, and how long an attempt usually takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor
from statistics import median
from typing import Final

from django.db.models import F

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action

FEWEST: Final = 5
"""With fewer successes, nothing is usual yet."""
SAMPLE: Final = 50
"""The latest successes that count: older ones were on other machines."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How long similar attempts took, in seconds: half of them up to `median`, 9 of 10 up to `nine_of_ten`."""

    median: float
    nine_of_ten: float

    @property
    def label(self) -> str:
        """Both in words, such as "usually 16 s, 9 of 10 under 41 s"."""
        return f"usually {in_words(self.median)}, 9 of 10 under {self.most}"

    @property
    def most(self) -> str:
        """What 9 of 10 stay below, in words: full seconds."""
        seconds = floor(self.nine_of_ten) + 1
        return f"{seconds} s" if seconds < 60 else in_words(seconds)


def usual_among(seconds: Sequence[float]) -> Usual | None:
    """Summarize durations in seconds; None when there are too few."""
    if len(seconds) < FEWEST:
        return None
    in_order = sorted(seconds)
    return Usual(median(in_order), in_order[ceil(0.9 * len(in_order)) - 1])


def usual(action: Action, version: str) -> Usual | None:
    """Summarize the latest successes of an action with a version of the software, those that needed no decision.

    The time counts from the first contact with the node. None when there are too few.
    """
    latest = (
        Attempt.objects.filter(action=action, software_version=version, state=State.SUCCEEDED)
        .exclude(started_at=None)
        .exclude(events__kind="needs_operator")
        .order_by("-created_at")
        .annotate(took=F("ended_at") - F("started_at"))
        .values_list("took", flat=True)[:SAMPLE]
    )
    return usual_among([span.total_seconds() for span in latest if isinstance(span, timedelta)])


def took(since: datetime | None, until: datetime | None) -> str:
    """Say how long it was between two moments: "0.4 s", "22 s", "4 min 10 s"."""
    if since is None or until is None:
        return ""
    return in_words((until - since).total_seconds())


def in_words(seconds: float) -> str:
    """Say a number of seconds as `took` does; a negative one counts as 0."""
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60} h {minutes % 60} min"
