"""The pictures of past attempts: how many ended how on each day, why some failed, and how long successes took.

Only attempts that have ended count. All three are computed from one index, without reading a row. Each bar leads to the
attempts behind it in the list.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Floor, TruncDate
from django.urls import reverse
from django.utils import timezone

from setup_wizard.attempts import visibility
from setup_wizard.attempts.durations import FEWEST, Usual, in_words
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.history.search import NONE, Search

SPANS: Final = (7, 30)
"""Days that the pictures can have: more of them would take too long to count."""
OUTCOMES: Final = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
HEIGHT: Final = 100
"""Of the picture of days, and the width of all bars, in units of their drawings."""
_STEP: Final = 10
_GAP: Final = 2
_PRECISION: Final = 10
"""Durations are counted in tenths of a second, as the list shows the shortest."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Some attempts with one outcome: how many, where they are in the list, and the rectangle that stands for them."""

    count: int
    url: str
    label: str
    tone: str
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What was started on one day (UTC) and has ended, by outcome; outcomes without attempts have no rectangle."""

    day: date
    bars: tuple[Bar, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(bar.count for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long successes of an action with a version of the software took; `usual` is None when there are too few."""

    action: str
    version: str
    bar: Bar
    usual: Usual | None
    longest: float

    @property
    def median(self) -> str:
        """What half of them took at most, in words."""
        return in_words(self.usual.median) if self.usual else ""

    @property
    def nine_of_ten(self) -> str:
        """What 9 of 10 took at most, in words."""
        return in_words(self.usual.nine_of_ten) if self.usual else ""

    @property
    def median_width(self) -> float:
        """The length of the bar of the median."""
        return _share(self.usual.median, self.longest) if self.usual else 0

    @property
    def nine_of_ten_width(self) -> float:
        """The length of the bar of 9 of 10."""
        return _share(self.usual.nine_of_ten, self.longest) if self.usual else 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The pictures of some days, the last of which is `last`."""

    first: date
    last: date
    today: date
    days: list[Day] = field(default_factory=list)
    failures: list[Bar] = field(default_factory=list)
    durations: list[Duration] = field(default_factory=list)

    @property
    def span(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    @property
    def total(self) -> int:
        """How many attempts are in the pictures."""
        return sum(day.total for day in self.days)

    @property
    def url(self) -> str:
        """Where the list has them all."""
        return _url(Search(first=self.first, last=self.last))

    @property
    def outcomes(self) -> tuple[State, ...]:
        """The outcomes, in the order of the bars from below."""
        return OUTCOMES

    @property
    def most(self) -> int:
        """How many attempts the highest bar stands for."""
        return max(day.total for day in self.days)

    @property
    def has_usual(self) -> bool:
        """Whether any action has enough successes for a bar."""
        return any(each.usual for each in self.durations)

    @property
    def fewest(self) -> int:
        """How many successes a usual duration needs."""
        return FEWEST

    @property
    def width(self) -> int:
        """Of the picture of days."""
        return _STEP * self.span

    @property
    def spans(self) -> Iterator[tuple[str, str, bool]]:
        """The numbers of days to choose from: label, URL and whether it is the current one."""
        for days in SPANS:
            yield f"{days} days", self._at(self.last, days), days == self.span

    @property
    def earlier_url(self) -> str:
        """The same number of days before these."""
        return self._at(self.first - timedelta(days=1), self.span)

    @property
    def later_url(self) -> str:
        """The same number of days after these; empty when they are the latest."""
        return self._at(min(self.last + timedelta(days=self.span), self.today), self.span) if self.is_past else ""

    @property
    def is_past(self) -> bool:
        """Whether there are later days."""
        return self.last < self.today

    def _at(self, last: date, days: int) -> str:
        place = f"&to={last.isoformat()}" if last < self.today else ""
        return f"{reverse('history:figures')}?days={days}{place}"


def figures(query: Mapping[str, str], *, reader: User) -> Figures:
    """Count what the query of the page's URL asks for (`days` and `to`), of the attempts that `reader` may see."""
    today = timezone.now().astimezone(UTC).date()
    span = next((days for days in SPANS if str(days) == query.get("days")), SPANS[-1])
    last = min(Search.parse(query).last or today, today)
    last = max(last, date.min + timedelta(days=2 * max(SPANS)))
    first = last - timedelta(days=span - 1)
    found = _ended(reader, first, last)
    counts: Counter[tuple[date, str]] = Counter()
    failures: Counter[tuple[str, str]] = Counter()
    rows = found.annotate(day=TruncDate("created_at", tzinfo=UTC)).values_list("day", "state", "error_code", "reason")
    for day, state, code, reason, count in rows.annotate(count=Count("*")):
        counts[day, state] += count
        if state == State.FAILED:
            failures[code, "" if code else reason] += count
    return Figures(
        first=first,
        last=last,
        today=today,
        days=[*_days(counts, first, span)],
        failures=[*_failures(failures, Search(state=State.FAILED, first=first, last=last))],
        durations=[*_durations(found, Search(state=State.SUCCEEDED, first=first, last=last))],
    )


def _ended(reader: User, first: date, last: date) -> QuerySet[Attempt]:
    since, until = (datetime.combine(day, datetime.min.time(), UTC) for day in (first, last + timedelta(days=1)))
    seen = visibility.visible_to(reader).order_by()
    return seen.filter(ended_at__isnull=False, created_at__gte=since, created_at__lt=until)


def _days(counts: Mapping[tuple[date, str], int], first: date, span: int) -> Iterator[Day]:
    days = [first + timedelta(days=number) for number in range(span)]
    most = max((sum(counts[day, state] for state in OUTCOMES) for day in days), default=0)
    for number, day in enumerate(days):
        bars, below = [], 0.0
        for state in OUTCOMES:
            count = counts[day, state]
            height = _share(count, most)
            below += height
            bars.append(
                Bar(
                    count=count,
                    url=_url(Search(state=state, first=day, last=day)),
                    label=f"{day:%-d %b}: {count:,} {state.label.lower()}",
                    tone=state.tone,
                    x=_STEP * number + _GAP / 2,
                    y=round(HEIGHT - below, 2),
                    width=_STEP - _GAP,
                    height=height,
                )
            )
        yield Day(day, tuple(bars))


def _failures(counts: Counter[tuple[str, str]], search: Search) -> Iterator[Bar]:
    """The most frequent first: by code, and those without one by reason."""
    most = max(counts.values(), default=0)
    for (code, reason), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        url = _url(replace(search, code=code or NONE, reason="" if code else reason or NONE))
        yield Bar(count, url, code or Reason(reason).label, State.FAILED.tone, width=_share(count, most))


def _durations(found: QuerySet[Attempt], search: Search) -> Iterator[Duration]:
    """By action, the newest version first."""
    tenths = Floor(F("duration") * _PRECISION + 0.5)  # rounded
    rows = found.filter(state=State.SUCCEEDED, duration__isnull=False).annotate(tenths=tenths)
    counted: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for action, version, tenth, count in rows.values_list("action", "software_version", "tenths").annotate(
        count=Count("*")
    ):
        counted.setdefault((action, version), []).append((tenth / _PRECISION, count))
    usual = {key: _usual(sorted(seconds)) for key, seconds in counted.items()}
    longest = max((each.nine_of_ten for each in usual.values() if each), default=0)
    order = sorted(counted, key=lambda key: ([*Action].index(Action(key[0])), [-part for part in _numbers(key[1])]))
    for action, version in order:
        count = sum(number for _, number in counted[action, version])
        url = _url(replace(search, action=action, version=version or NONE))
        bar = Bar(count, url, f"{Action(action).label}, {version or 'version unknown'}", State.SUCCEEDED.tone)
        yield Duration(Action(action).label, version, bar, usual[action, version], longest)


def _usual(counted: list[tuple[float, int]]) -> Usual | None:
    """Find the median and the duration of 9 of 10 among durations in order, each with its number."""
    total = sum(count for _, count in counted)
    return None if total < FEWEST else Usual(_ranked(counted, ceil(total / 2)), _ranked(counted, ceil(0.9 * total)))


def _ranked(counted: list[tuple[float, int]], rank: int) -> float:
    for seconds, count in counted:
        rank -= count
        if rank <= 0:
            return seconds
    raise ValueError(rank)


def _numbers(version: str) -> list[int]:
    parts = version.replace("-", ".").split(".")
    return [int(part) for part in parts if part.isascii() and part.isdigit()]


def _share(part: float, whole: float) -> float:
    return round(HEIGHT * part / whole, 2) if whole else 0


def _url(search: Search) -> str:
    return f"{reverse('history:list')}?{search.query()}"
