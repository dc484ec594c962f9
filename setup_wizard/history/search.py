"""Which attempts a reader wants to see, and in what order, read from an address and written back into it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

LONGEST = 200
PEOPLE = 200
MOVING = "moving"


class Column(StrEnum):
    """What the list can be sorted by; the value stands in the address."""

    NODE = "node"
    WHAT = "what"
    STATE = "state"
    WHY = "why"
    BY = "by"
    WHEN = "when"
    TOOK = "took"

    @property
    def label(self) -> str:
        """The heading of the column."""
        return _COLUMNS[self][0]

    @property
    def fields(self) -> tuple[str, ...]:
        """What the database sorts by."""
        return _COLUMNS[self][1]

    @property
    def begins_descending(self) -> bool:
        """Whether the first press shows the latest, or the longest, first."""
        return self in {Column.WHEN, Column.TOOK}


_COLUMNS = {
    Column.NODE: ("Node", ("address",)),
    Column.WHAT: ("What", ("action", "cluster_name")),
    Column.STATE: ("State", ("state",)),
    Column.WHY: ("Why", ("reason", "error_code")),
    Column.BY: ("Started by", ("requested_by__username",)),
    Column.WHEN: ("When, UTC", ("created_at",)),
    Column.TOOK: ("Took", ("took",)),
}


@dataclass(frozen=True, slots=True)
class Search:
    """One view of the list; what an address says that means nothing is left out."""

    state: str = ""
    action: str = ""
    user: str = ""
    q: str = ""
    column: Column = Column.WHEN
    descending: bool = True

    @classmethod
    def parse(cls, said: Mapping[str, str]) -> Self:
        """Read the parameters of an address; never raises."""
        word = said.get("sort", "")
        known = word.removeprefix("-") in set(Column)
        return cls(
            state=_known(said.get("state", ""), {*State, MOVING}),
            action=_known(said.get("action", ""), set(Action)),
            user=said.get("user", "")[:150],
            q=said.get("q", "").strip()[:LONGEST],
            column=Column(word.removeprefix("-")) if known else Column.WHEN,
            descending=word.startswith("-") if known else True,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.state or self.action or self.user or self.q)

    @property
    def sort(self) -> str:
        """The order as one word, such as "-when"."""
        return f"{'-' if self.descending else ''}{self.column.value}"

    def sorted_by(self, column: Column) -> "Search":
        """Give the search that the heading of a column leads to: pressed again, it turns the order round."""
        descending = not self.descending if column is self.column else column.begins_descending
        return replace(self, column=column, descending=descending)

    def address(self, page: int = 1) -> str:
        """Write it as the query of an address, with nothing in it that goes without saying; "" for the plain list."""
        default = Search()
        said = {
            "q": self.q,
            "state": self.state,
            "action": self.action,
            "user": self.user,
            "sort": self.sort if self.sort != default.sort else "",
            "page": str(page) if page > 1 else "",
        }
        return urlencode({name: value for name, value in said.items() if value})

    def attempts(self, reader: User) -> QuerySet[Attempt]:
        """Give what is looked for of what `reader` may see, in order."""
        found = visibility.seen_by(reader).select_related("requested_by")
        if self.state == MOVING:
            found = found.filter(state__in=MOVING_STATES)
        elif self.state:
            found = found.filter(state=self.state)
        if self.action:
            found = found.filter(action=self.action)
        if self.user:
            found = found.filter(requested_by__username=self.user)
        if self.q:
            found = found.filter(_mentions(self.q))
        if self.column is Column.TOOK:
            found = found.annotate(took=F("ended_at") - F("created_at"))
        return found.order_by(*(_order(field, descending=self.descending) for field in self._fields()))

    def _fields(self) -> tuple[str, ...]:
        # The same order each time, or a row would be on two pages and another on none.
        return (*dict.fromkeys([*self.column.fields, "created_at", "pk"]),)


def people(reader: User) -> list[str]:
    """Name everybody who has started something that `reader` may see."""
    started = visibility.seen_by(reader).filter(requested_by=OuterRef("pk"))
    return list(User.objects.filter(Exists(started)).order_by("username").values_list("username", flat=True)[:PEOPLE])


def _mentions(words: str) -> Q:
    """Match the node by address or name, the cluster, the error's code or our own reason, spelled with _ or blanks."""
    spelled = words.replace(" ", "_")
    return (
        Q(address__icontains=words)
        | Q(host__icontains=words)
        | Q(cluster_name__icontains=words)
        | Q(member_address__icontains=words)
        | Q(error_code__icontains=spelled)
        | Q(reason__icontains=spelled)
    )


def _known(word: str, words: set[str]) -> str:
    return word if word in words else ""


def _order(field: str, *, descending: bool) -> OrderBy:
    if field != "took":  # the plain order is the one that the indexes have
        return F(field).desc() if descending else F(field).asc()
    # An open attempt has taken no time yet, and comes last either way.
    return F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
