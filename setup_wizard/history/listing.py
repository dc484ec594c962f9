"""What the list of attempts shows: rows, headings, filters and pages, for the page and for its refresh."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.urls import reverse

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.history.search import MOVING, Column, Search, people
from setup_wizard.live import topics
from setup_wizard.live.topics import Watch

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt in the list."""

    attempt: Attempt

    @property
    def setup(self) -> str:
        """Action and cluster, such as "Join redis-prod.example.com"."""
        return f"{Action(self.attempt.action).verb} {self.attempt.target}".strip()

    @property
    def problem(self) -> str:
        """What is wrong: the title of its explanation."""
        explanation = explain(self.attempt)
        return explanation.title if explanation else ""

    @property
    def code(self) -> str:
        """The error code of the node, if any."""
        return self.attempt.error_code

    @property
    def duration(self) -> str:
        """The time from Start to the outcome, in words."""
        return took(self.attempt.created_at, self.attempt.ended_at)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column heading: where a click leads, and the current order ("" when sorted by another column)."""

    label: str
    url: str
    sorted: str
    name: str


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a filter."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    search: Search
    page: Page[Attempt]
    rows: list[Row]
    watch: Watch | None = None
    people: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The URL of this page of the list, to share and to return to."""
        return _url(self.search, self.page.number)

    @property
    def version(self) -> str:
        """Changes whenever something that a row can show changes; empty without rows."""
        return version_of(self.page.object_list, self.page.number, self.page.paginator.count)

    @property
    def live_url(self) -> str:
        """The URL from which an open page refreshes its rows."""
        query = self.search.query(self.page.number)
        return f"{reverse('history:rows')}?{'&'.join(filter(None, [query, urlencode({'seen': self.version})]))}"

    @property
    def count(self) -> str:
        """How many attempts there are, in words."""
        total = self.page.paginator.count
        found = "1 attempt" if total == 1 else f"{total:,} attempts"
        if self.page.paginator.num_pages == 1:
            return found
        return f"{self.page.start_index():,} to {self.page.end_index():,} of {found}"

    @property
    def headings(self) -> Iterator[Heading]:
        """The columns from left to right."""
        for column in Column:
            current = "descending" if self.search.descending else "ascending"
            order = current if column is self.search.column else ""
            yield Heading(column.label, _url(self.search.sorted_by(column)), order, column.value)

    @property
    def sort_options(self) -> Iterator[Option]:
        """The sort menu, for screens that are too narrow for headings."""
        for column in Column:
            first = self.search if column is self.search.column else Search().sorted_by(column)
            value = f"{'-' if first.descending else ''}{column.value}"
            yield Option(value, column.label, column is self.search.column)

    @property
    def states(self) -> Iterator[Option]:
        """The filter by state."""
        yield Option(MOVING, "Running", self.search.state == MOVING)
        for state in State:
            yield Option(state.value, state.label, self.search.state == state)

    @property
    def actions(self) -> Iterator[Option]:
        """The filter by action."""
        for action in Action:
            yield Option(action.value, action.label, self.search.action == action)

    @property
    def users(self) -> Iterator[Option]:
        """The filter by who started it."""
        for name in dict.fromkeys([*self.people, *([self.search.user] if self.search.user else [])]):
            yield Option(name, name, self.search.user == name)

    @property
    def previous_url(self) -> str:
        """The URL of the previous page; empty on the first."""
        return _url(self.search, self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next_url(self) -> str:
        """The URL of the next page; empty on the last."""
        return _url(self.search, self.page.next_page_number()) if self.page.has_next() else ""


def version_of(attempts: Iterable[Attempt], *more: int) -> str:
    """Return a short hash that changes whenever the set of these attempts or one of them does; empty without any."""
    parts = [f"{attempt.pk}:{attempt.last_seq}" for attempt in attempts]
    return sha256(" ".join([*parts, *map(str, more)]).encode()).hexdigest()[:16] if parts else ""


def listing(search: Search, page: str | None, *, reader: User) -> Listing:
    """Build a page of the list; a page number that does not exist gives the last page."""
    watch = topics.watch(reader, topics.ATTEMPTS.name)  # before the rows
    found = Paginator(search.attempts(reader), PER_PAGE).get_page(page)
    return Listing(search, found, [Row(attempt) for attempt in found], watch, people(reader))


def _url(search: Search, page: int = 1) -> str:
    return "?".join(filter(None, [reverse("history:list"), search.query(page)]))
