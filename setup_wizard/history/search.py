"""Search attempts, for the list, its exports and the API: filters and order, read from a URL and written back to it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from setup_wizard.attempts import search_index, search_text, visibility
from setup_wizard.attempts.models import LONGEST_VERSION, MOVING_STATES, Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.nodes.address import DEFAULT_PORT

MAX_QUERY_LENGTH: Final = 200
MAX_WORDS: Final = 10
MAX_PEOPLE: Final = 200
MOVING: Final = "moving"
BY_TIME: Final = frozenset({"state", "action", "code", "error_code", "reason", "user", "cluster", "version"})
"""The filters of the list and of the administration that have an index in the order of time, and match one value."""
NONE: Final = "-"
"""As the value of the filters code, reason and version: attempts that have none."""


class Column(StrEnum):
    """What the list can be sorted by, each with an index; the value is what the URL says."""

    WHEN = "when"
    NODE = "node"
    CLUSTER = "cluster"
    DURATION = "duration"

    @property
    def label(self) -> str:
        """Its name in the menu of the list."""
        return _COLUMNS[self][0]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields to sort by, all in one direction; together they are different in every row."""
        return _COLUMNS[self][1]

    @property
    def is_descending_first(self) -> bool:
        """Whether the first click shows the latest, or the longest, first."""
        return self in {Column.WHEN, Column.DURATION}


_COLUMNS: Final = {
    Column.WHEN: ("Time", ("created_at", "id")),
    Column.NODE: ("Node", ("address", "created_at", "id")),
    Column.CLUSTER: ("Cluster", ("cluster_name", "created_at", "id")),
    Column.DURATION: ("Duration", ("duration", "id")),  # of those that have ended
}


class Period(StrEnum):
    """A time that ends now; the value is what the URL says."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def label(self) -> str:
        """Its name in the menu of the list."""
        return _PERIODS[self][0]

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return _PERIODS[self][1]


_PERIODS: Final = {
    Period.DAY: ("Last 24 hours", timedelta(days=1)),
    Period.WEEK: ("Last 7 days", timedelta(days=7)),
    Period.MONTH: ("Last 30 days", timedelta(days=30)),
    Period.QUARTER: ("Last 90 days", timedelta(days=90)),
}


@dataclass(frozen=True, slots=True)
class Search:
    """Filters and order. An empty filter matches every attempt.

    `first` and `last` are days in UTC, both included; `since` and `until` are moments, `until` not included.
    """

    state: str = ""
    action: str = ""
    code: str = ""
    reason: str = ""
    user: str = ""
    node: str = ""
    cluster: str = ""
    version: str = ""
    reviewed: str = ""
    q: str = ""
    period: str = ""
    first: date | None = None
    last: date | None = None
    since: datetime | None = None
    until: datetime | None = None
    column: Column = Column.WHEN
    descending: bool = True

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Self:
        """Read the query of the list's URL; ignores what it does not understand."""
        sort = query.get("sort", "")
        is_known = sort.removeprefix("-") in set(Column)
        return cls(
            state=_known(query.get("state", ""), {*State, MOVING}),
            action=_known(query.get("action", ""), set(Action)),
            code=query.get("code", "").strip()[:64],
            reason=_known(query.get("reason", ""), {*Reason, NONE}),
            user=query.get("user", "")[:150],
            node=query.get("node", "").strip()[:64],
            cluster=query.get("cluster", "").strip()[:255],
            version=query.get("version", "").strip()[:LONGEST_VERSION],
            reviewed=_known(query.get("reviewed", ""), {"yes", "no"}),
            q=" ".join(query.get("q", "")[:MAX_QUERY_LENGTH].split()[:MAX_WORDS]),
            period=_known(query.get("period", ""), set(Period)),
            first=_day(query.get("from", "")),
            last=_day(query.get("to", "")),
            column=Column(sort.removeprefix("-")) if is_known else Column.WHEN,
            descending=sort.startswith("-") if is_known else True,
        )

    @property
    def filters(self) -> dict[str, str]:
        """The filters of the page that are set, as its URL says them."""
        filters = {
            "q": self.q,
            "state": self.state,
            "period": self.period,
            "action": self.action,
            "code": self.code,
            "reason": self.reason,
            "user": self.user,
            "node": self.node,
            "cluster": self.cluster,
            "version": self.version,
            "reviewed": self.reviewed,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        }
        return {name: value for name, value in filters.items() if value}

    @property
    def sort(self) -> str:
        """The order as the URL says it, such as "-when"."""
        return f"{'-' if self.descending else ''}{self.column.value}"

    def sorted_by(self, column: Column) -> "Search":
        """Return this search in the order of a column heading; a second click reverses it."""
        descending = not self.descending if column is self.column else column.is_descending_first
        return replace(self, column=column, descending=descending)

    def query(self, **more: str) -> str:
        """Write it as the query of a URL, without defaults; "" for the unfiltered list."""
        order = {"sort": self.sort} if self.sort != Search().sort else {}
        return urlencode(self.filters | order | more)

    @property
    def needs_sorting(self) -> bool:
        """Whether it may be cheaper to sort few matches than to read an index in order."""
        if has_index_by_time(self.filters, self.column):
            return False
        own = (self.state, self.action, self.code, self.reason, self.user, self.node, self.cluster, self.version)
        filters = sum(map(bool, own))
        if self.column is Column.WHEN:
            return bool(self.q or self.reviewed or filters > 1)
        return bool(self.filters or self.since or self.until)

    @property
    def is_bounded(self) -> bool:
        """Whether reading in the order of time has an end: attempts before some moment do not match."""
        return self.column is Column.WHEN and self._since() is not None

    def attempts(self, reader: User) -> QuerySet[Attempt]:
        """Find the attempts that match and that `reader` may see, in no order.

        Some filters run a query at once: `user` looks up the person, and on SQLite `q` counts the matches of its words.
        """
        found = visibility.visible_to(reader).order_by()
        if self.state == MOVING:
            found = found.filter(state__in=MOVING_STATES, ended_at__isnull=True)
        elif self.state:
            found = found.filter(state=self.state)
        equal = {
            "action": self.action,
            "error_code": self.code,
            "reason": self.reason,
            "cluster_name": self.cluster,
            "software_version": self.version,
        }
        found = found.filter(**{name: "" if value == NONE else value for name, value in equal.items() if value})
        if self.node:
            found = found.filter(address__in=_with_port(self.node))
        found = by_person(found, self.user)
        if self.reviewed:
            found = found.filter(is_reviewed=self.reviewed == "yes")
        since, until = self._since(), self._until()
        if since:
            found = found.filter(created_at__gte=since)
        if until:
            found = found.filter(created_at__lt=until)
        if parts := search_text.parts_of(self.q):
            found = found.filter(search_index.mentions(parts))
        return found.filter(ended_at__isnull=False) if self.column is Column.DURATION else found

    def _since(self) -> datetime | None:
        period = timezone.now() - Period(self.period).span if self.period else None
        day = datetime.combine(self.first, time.min, UTC) if self.first else None
        return max(filter(None, (period, day, self.since)), default=None)

    def _until(self) -> datetime | None:
        day = datetime.combine(self.last, time.min, UTC) + timedelta(days=1) if self.last else None
        return min(filter(None, (day, self.until)), default=None)


def has_index_by_time(filters: Collection[str], column: Column) -> bool:
    """Whether SQLite can read what one of these filters matches along an index, in the order of time.

    To find the first page that way reads no more rows than counting did. PostgreSQL may read along another index.
    """
    return connection.vendor == "sqlite" and column is Column.WHEN and not BY_TIME.isdisjoint(filters)


def by_person(found: QuerySet[Attempt], name: str) -> QuerySet[Attempt]:
    """Filter by the name of who started it; "" is everybody."""
    if not name:
        return found
    # the planner knows how many attempts a person has by the key, not by the name
    person = User.objects.filter(username=name).values_list("pk", flat=True).first()
    return found.filter(requested_by_id=person or 0)


def people(reader: User) -> list[str]:
    """Name the users who started an attempt that `reader` may see."""
    started = visibility.visible_to(reader).filter(requested_by=OuterRef("pk")).order_by()
    # one look-up for each user; an EXISTS would be made a join with every attempt
    users = User.objects.annotate(started=Subquery(started.values("pk")[:1])).filter(started__isnull=False)
    return list(users.order_by("username").values_list("username", flat=True)[:MAX_PEOPLE])


def _with_port(node: str) -> list[str]:
    """Give the addresses that a node may be meant by: with the default port if it was left out."""
    return [node] if "]:" in node or node.count(":") == 1 else [f"{node}:{DEFAULT_PORT}", f"[{node}]:{DEFAULT_PORT}"]


def _day(text: str) -> date | None:
    try:
        return min(date.fromisoformat(text), date(9998, 12, 31))  # the day after it must exist
    except ValueError:
        return None


def _known(value: str, allowed: set[str]) -> str:
    return value if value in allowed else ""
