"""Pages of a search that follow each other by the key of their last row, so that each costs the same.

A row that is added meanwhile moves no other row to another page.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F, Prefetch, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Coalesce

from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt
from setup_wizard.history.models import ReviewMark
from setup_wizard.history.search import Column, Search

MAX_COUNT: Final = 10_000
VERY_FEW: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a search, in its order; `count` is None when more than `MAX_COUNT` attempts match."""

    rows: list[Attempt]
    count: int | None
    has_previous: bool
    has_next: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after a row, or, backwards, before it."""

    row: Attempt
    is_backwards: bool = False


def find_place(after: str, before: str, *, reader: User) -> Place | None:
    """Find the row that a page follows or precedes; None if there is none that `reader` may see."""
    try:
        key = UUID(after or before)
    except ValueError:
        return None
    row = visibility.visible_to(reader).filter(pk=key).first()
    return Place(row, is_backwards=not after) if row else None


def read_page(search: Search, size: int, *, reader: User, place: Place | None = None) -> Page:
    """Read `size` rows of a search from a place on; by default the first ones."""
    found = search.attempts(reader)
    count = found[: MAX_COUNT + 1].count()
    backwards = bool(place and place.is_backwards)
    rows = list(with_marks(_from(place, found, search, count=count))[: size + 1])
    is_more, rows = len(rows) > size, rows[:size]
    if backwards and not is_more:  # the first page, as it is now
        return read_page(search, size, reader=reader)
    return Page(
        rows=rows[::-1] if backwards else rows,
        count=count if count <= MAX_COUNT else None,
        has_previous=backwards or place is not None,
        has_next=backwards or is_more,
    )


def with_marks(found: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Join the user, and read the review marks in a second query: a join would lead the planner off the index."""
    marks = Prefetch("review_mark", ReviewMark.objects.select_related("by"))
    # the rows selected in the admin list, for an export, have this prefetch already; Django refuses it twice
    return found.select_related("requested_by").prefetch_related(None).prefetch_related(marks)


def read_rows(search: Search, *, reader: User, place: Place | None = None) -> QuerySet[Attempt]:
    """Find the rows of a search from a place on, in its order."""
    found = search.attempts(reader)
    return _from(place, found, search, count=found[: MAX_COUNT + 1].count())


def _from(place: Place | None, found: QuerySet[Attempt], search: Search, *, count: int) -> QuerySet[Attempt]:
    descending = search.descending is not bool(place and place.is_backwards)
    if place:
        fields = search.column.fields
        values = tuple(getattr(place.row, name) for name in fields)
        beyond = (TupleLessThan if descending else TupleGreaterThan)(Tuple(*map(F, fields)), values)
        # the second condition follows from the first, but not every database sees that it can use the index
        found = found.filter(beyond, **{f"{fields[0]}__{'lte' if descending else 'gte'}": values[0]})
    # in a period the index is read no further than its beginning, so sorting pays for fewer matches
    most = VERY_FEW if search.is_bounded else MAX_COUNT
    few = count if count <= most and search.needs_sorting else None
    return in_order(found, search.column, descending=descending, few=few)


def in_order(
    found: QuerySet[Attempt], column: Column, *, descending: bool, few: int | None = None
) -> QuerySet[Attempt]:
    """Order attempts by a column and its index.

    `few`: the number of matches when they are to be sorted in memory. No index has COALESCE(x, x), so the planner
    cannot read one in this order, where it would pass many rows to find a few.
    """
    first, *rest = column.fields
    order = [F(first) if few is None else Coalesce(F(first), F(first)), *map(F, rest)]
    if few is not None and few < VERY_FEW:  # PostgreSQL may expect so many that it would read the whole table
        found = Attempt.objects.filter(pk__in=found.order_by().values("pk")[:few])
    return found.order_by(*(each.desc() if descending else each.asc() for each in order))
