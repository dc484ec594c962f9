"""Search attempts, for the list and for the API: filters and order, read from a URL's query and written back to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import OrderBy

from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import MOVING_STATES, Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action

MAX_QUERY_LENGTH = 200
MAX_PEOPLE = 200
MOVING = "moving"


class Column(StrEnum):
    """What the list can be sorted by; the value is what the URL says."""

    NODE = "node"
    SETUP = "setup"
    STATE = "state"
    PROBLEM = "problem"
    BY = "by"
    WHEN = "when"
    DURATION = "duration"

    @property
    def label(self) -> str:
        """The heading of the column."""
        return _COLUMNS[self][0]

    @property
    def fields(self) -> tuple[str, ...]:
        """The database fields to sort by."""
        return _COLUMNS[self][1]

    @property
    def is_descending_first(self) -> bool:
        """Whether the first click shows the latest, or the longest, first."""
        return self in {Column.WHEN, Column.DURATION}


_COLUMNS = {
    Column.NODE: ("Node", ("address",)),
    Column.SETUP: ("Setup", ("action", "cluster_name")),
    Column.STATE: ("State", ("state",)),
    Column.PROBLEM: ("Problem", ("reason", "error_code")),
    Column.BY: ("Started by", ("requested_by__username",)),
    Column.WHEN: ("When, UTC", ("created_at",)),
    Column.DURATION: ("Duration", ("duration",)),
}


@dataclass(frozen=True, slots=True)
class Search:
    """Filters and order. An empty filter matches every attempt."""

    state: str = ""
    action: str = ""
    code: str = ""
    user: str = ""
    q: str = ""
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
            user=query.get("user", "")[:150],
            q=query.get("q", "").strip()[:MAX_QUERY_LENGTH],
            column=Column(sort.removeprefix("-")) if is_known else Column.WHEN,
            descending=sort.startswith("-") if is_known else True,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.state or self.action or self.user or self.q)

    @property
    def sort(self) -> str:
        """The order as the URL says it, such as "-when"."""
        return f"{'-' if self.descending else ''}{self.column.value}"

    def sorted_by(self, column: Column) -> "Search":
        """Return this search in the order of a column heading; a second click reverses it."""
        descending = not self.descending if column is self.column else column.is_descending_first
        return replace(self, column=column, descending=descending)

    def query(self, page: int = 1) -> str:
        """Write it as the query of a URL, without defaults; "" for the unfiltered list."""
        default = Search()
        parameters = {
            "q": self.q,
            "state": self.state,
            "action": self.action,
            "user": self.user,
            "sort": self.sort if self.sort != default.sort else "",
            "page": str(page) if page > 1 else "",
        }
        return urlencode({name: value for name, value in parameters.items() if value})

    def attempts(self, reader: User) -> QuerySet[Attempt]:
        """Find the attempts that match and that `reader` may see, in order."""
        found = visibility.visible_to(reader).select_related("requested_by")
        if self.state == MOVING:
            found = found.filter(state__in=MOVING_STATES)
        elif self.state:
            found = found.filter(state=self.state)
        if self.action:
            found = found.filter(action=self.action)
        if self.code:
            found = found.filter(error_code=self.code)
        if self.since:
            found = found.filter(created_at__gte=self.since)
        if self.until:
            found = found.filter(created_at__lt=self.until)
        if self.user:
            found = found.filter(requested_by__username=self.user)
        if self.q:
            found = found.filter(_mentions(self.q))
        return found.order_by(*(_order(field, descending=self.descending) for field in self._fields()))

    def _fields(self) -> tuple[str, ...]:
        # a complete order: otherwise one row could be on two pages and another on none
        return (*dict.fromkeys([*self.column.fields, "created_at", "pk"]),)


def people(reader: User) -> list[str]:
    """Name the users who started an attempt that `reader` may see."""
    started = visibility.visible_to(reader).filter(requested_by=OuterRef("pk"))
    return list(
        User.objects.filter(Exists(started)).order_by("username").values_list("username", flat=True)[:MAX_PEOPLE]
    )


def _mentions(text: str) -> Q:
    """Match the node's address or host, the cluster, the error code or our reason (with spaces for underscores)."""
    code = text.replace(" ", "_")
    return (
        Q(address__icontains=text)
        | Q(host__icontains=text)
        | Q(cluster_name__icontains=text)
        | Q(member_address__icontains=text)
        | Q(error_code__icontains=code)
        | Q(reason__icontains=code)
    )


def _known(value: str, allowed: set[str]) -> str:
    return value if value in allowed else ""


def _order(field: str, *, descending: bool) -> OrderBy:
    if field != "duration":  # without nulls_last, so that the indexes serve it
        return F(field).desc() if descending else F(field).asc()
    # an open attempt has no duration yet: it comes last either way
    return F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
