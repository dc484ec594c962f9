"""What the list of attempts shows: rows, headings, filters and pages, gathered once for a page and for its refresh."""

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

PER_PAGE = 25
POLL_MOVING, POLL_AT_REST = 3, 10  # seconds between two looks of an open page


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt in the list."""

    attempt: Attempt

    @property
    def what(self) -> str:
        """What was asked for, in a few words."""
        return f"{Action(self.attempt.action).verb} {self.attempt.target}".strip()

    @property
    def why(self) -> str:
        """What went wrong, or waits, as the title of its explanation."""
        explanation = explain(self.attempt)
        return explanation.title if explanation else ""

    @property
    def code(self) -> str:
        """The node's own code, when it gave one."""
        return self.attempt.error_code

    @property
    def took(self) -> str:
        """The time from Start to the verdict."""
        return took(self.attempt.created_at, self.attempt.ended_at)


@dataclass(frozen=True, slots=True)
class Heading:
    """One column: where a press on its heading leads, and how it is sorted now ("" when by another one)."""

    label: str
    url: str
    sorted: str
    name: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a filter."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    search: Search
    page: Page[Attempt]
    rows: list[Row]
    people: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of what is shown, to share and to come back to."""
        return _url(self.search, self.page.number)

    @property
    def version(self) -> str:
        """What tells this list from a newer one: changed by whatever a row can show, and empty without rows."""
        return version_of(self.page.object_list, self.page.number, self.page.paginator.count)

    @property
    def live_url(self) -> str:
        """Where an open page asks for news."""
        asked = self.search.address(self.page.number)
        return f"{reverse('history:rows')}?{'&'.join(filter(None, [asked, urlencode({'seen': self.version})]))}"

    @property
    def poll(self) -> int:
        """Seconds until it asks again: others may start something at any time, and what moves is followed closely."""
        return POLL_MOVING if any(row.attempt.status.is_moving for row in self.rows) else POLL_AT_REST

    @property
    def count(self) -> str:
        """How many there are, in words."""
        total = self.page.paginator.count
        found = "1 attempt" if total == 1 else f"{total:,} attempts"
        if self.page.paginator.num_pages == 1:
            return found
        return f"{self.page.start_index():,} to {self.page.end_index():,} of {found}"

    @property
    def headings(self) -> Iterator[Heading]:
        """The columns from left to right."""
        for column in Column:
            now = "descending" if self.search.descending else "ascending"
            order = now if column is self.search.column else ""
            yield Heading(column.label, _url(self.search.sorted_by(column)), order, column.value)

    @property
    def orders(self) -> Iterator[Option]:
        """What to sort by, for a screen that is too narrow for headings."""
        for column in Column:
            first = self.search if column is self.search.column else Search().sorted_by(column)
            word = f"{'-' if first.descending else ''}{column.value}"
            yield Option(word, column.label, column is self.search.column)

    @property
    def states(self) -> Iterator[Option]:
        """The filter by state."""
        yield Option(MOVING, "Under way", self.search.state == MOVING)
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
    def earlier(self) -> str:
        """The address of the page before this one; empty when it is the first."""
        return _url(self.search, self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def later(self) -> str:
        """The address of the page after this one; empty when it is the last."""
        return _url(self.search, self.page.next_page_number()) if self.page.has_next() else ""


def version_of(attempts: Iterable[Attempt], *more: int) -> str:
    """Give a short text that changes whenever one of these attempts does, or which they are; empty without any."""
    known = [f"{attempt.pk}:{attempt.last_seq}" for attempt in attempts]
    return sha256(" ".join([*known, *map(str, more)]).encode()).hexdigest()[:16] if known else ""


def listing(search: Search, page: str | None, *, reader: User) -> Listing:
    """Gather a page of what is looked for; a page that does not exist is the last one."""
    shown = Paginator(search.attempts(reader), PER_PAGE).get_page(page)
    return Listing(search, shown, [Row(attempt) for attempt in shown], people(reader))


def _url(search: Search, page: int = 1) -> str:
    return "?".join(filter(None, [reverse("history:list"), search.address(page)]))
