"""What the list of attempts shows, for the page, its refresh and the administration: rows, filters, presets, pages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.history.pages import MAX_COUNT, Page, find_place, read_page
from setup_wizard.history.search import MOVING, NONE, Column, Period, Search, people
from setup_wizard.live import topics
from setup_wizard.live.stages import WORK
from setup_wizard.live.topics import Watch

PER_PAGE = 15
ALL = "all"
PRESETS = (
    ("Action needed", Search(state=State.NEEDS_OPERATOR)),
    ("Running", Search(state=MOVING)),
    ("Failed, last 7 days", Search(state=State.FAILED, period=Period.WEEK)),
)
_WORKING = "Creating, joining or recovering the cluster"
_HEADINGS = (
    ("Node", Column.NODE),
    ("Setup", Column.CLUSTER),
    ("State", None),
    ("Problem", None),
    ("Started by", None),
    ("When", Column.WHEN),
    ("Duration", Column.DURATION),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt in the list."""

    attempt: Attempt

    @property
    def key(self) -> str:
        """Part of the ID that tells the rows of a page apart, for the IDs of their elements."""
        return self.attempt.pk.hex[:8]

    @property
    def setup(self) -> str:
        """Action and cluster, such as "Join redis-prod.example.com"; a recovery learns the name from its file."""
        attempt = self.attempt
        if attempt.action == Action.RECOVER and not attempt.cluster_name:
            return f"Recover a cluster on {attempt.address}"
        return f"{Action(attempt.action).verb} {attempt.target}".strip()

    @property
    def state(self) -> str:
        """The name of its state, while the node works that of the stage."""
        attempt = self.attempt
        return WORK[Action(attempt.action)] if attempt.status is State.IN_PROGRESS else attempt.status.label

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
    def reviewed_by(self) -> str:
        """The reviewer; empty before a review."""
        mark = getattr(self.attempt, "review_mark", None)
        return mark.by.get_username() if mark else ""

    @property
    def duration(self) -> str:
        """The time from Start to the outcome, in words."""
        return took(self.attempt.created_at, self.attempt.ended_at)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column heading: where a click leads ("" if nowhere), and the current order ("" when not sorted by it)."""

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
class Preset:
    """A search that people often need."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    search: Search
    page: Page
    rows: list[Row]
    reader: User
    watch: Watch | None = None
    place: dict[str, str] = field(default_factory=dict)
    asks_for_filters: bool = False

    @property
    def url(self) -> str:
        """The URL of this page of the list, to share and to return to."""
        return self._url(self.search, **self.place)

    @property
    def version(self) -> str:
        """Changes whenever something that a row can show changes; empty without rows."""
        return version_of(self.page.rows, self.page.count or 0, sum(bool(row.reviewed_by) for row in self.rows))

    @property
    def live_url(self) -> str:
        """The URL from which an open page refreshes its rows."""
        return f"{reverse('history:rows')}?{self.search.query(**self.place, seen=self.version)}"

    @property
    def exports(self) -> Iterator[tuple[str, str]]:
        """The formats in which all that matches can be downloaded, each with its URL."""
        for label, name in (("CSV", "history:export-csv"), ("JSON", "history:export-json")):
            yield label, "?".join(filter(None, [reverse(name), self.search.query()]))

    @property
    def count(self) -> str:
        """How many attempts match, in words."""
        if self.page.count is None:
            return f"{MAX_COUNT:,}+ attempts"
        return "1 attempt" if self.page.count == 1 else f"{self.page.count:,} attempts"

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.search.filters)

    @property
    def leaves_out_open(self) -> bool:
        """Whether the order has no place for attempts that have not ended."""
        return self.search.column is Column.DURATION

    @property
    def headings(self) -> Iterator[Heading]:
        """The columns from left to right."""
        for label, column in _HEADINGS:
            if column is None:
                yield Heading(label, "", "", "")
                continue
            current = "descending" if self.search.descending else "ascending"
            order = current if column is self.search.column else ""
            yield Heading(label, self._url(self.search.sorted_by(column)), order, column.value)

    @property
    def presets(self) -> Iterator[Preset]:
        """Searches that people often need, in the current order."""
        for label, search in PRESETS:
            yield Preset(label, self._url(search), self.search.filters == search.filters)

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
        labels = {state.value: state.label for state in State} | {State.IN_PROGRESS.value: _WORKING}
        return _options({MOVING: "Running, any stage", **labels}, self.search.state)

    @property
    def periods(self) -> Iterator[Option]:
        """The filter by a time that ends now."""
        return _options({period.value: period.label for period in Period}, self.search.period)

    @property
    def actions(self) -> Iterator[Option]:
        """The filter by action."""
        return _options({action.value: action.label for action in Action}, self.search.action)

    @property
    def codes(self) -> Iterator[Option]:
        """The filter by error code; a newer node may have others, which a link can ask for."""
        return _options({NONE: "No code"} | {code.value: code.value for code in ErrorCode}, self.search.code)

    @property
    def reasons(self) -> Iterator[Option]:
        """The filter by reason, which the pages call problem, by their names."""
        named = {reason.value: reason.label for reason in Reason if reason}
        return _options({NONE: "None"} | dict(sorted(named.items(), key=lambda each: each[1])), self.search.reason)

    @property
    def users(self) -> Iterator[Option]:
        """The filter by who started it."""
        return _options({name: name for name in people(self.reader)}, self.search.user)

    @property
    def reviews(self) -> Iterator[Option]:
        """The filter by whether somebody has reviewed it."""
        return _options({"no": "Not reviewed", "yes": "Reviewed"}, self.search.reviewed)

    @property
    def shows_all_filters(self) -> bool:
        """Whether the page has the filters that few searches need: when one of them is set, and on request."""
        return self.asks_for_filters or bool(set(self.search.filters) - {"q", "state", "period"})

    @property
    def more_url(self) -> str:
        """The URL of this page of the list with all filters."""
        return self._url(self.search, **self.place, filters=ALL)

    @property
    def previous_url(self) -> str:
        """The URL of the previous page; empty on the first."""
        return self._url(self.search, before=str(self.page.rows[0].pk)) if self._has(self.page.has_previous) else ""

    @property
    def next_url(self) -> str:
        """The URL of the next page; empty on the last."""
        return self._url(self.search, after=str(self.page.rows[-1].pk)) if self._has(self.page.has_next) else ""

    def _has(self, another: bool) -> bool:  # noqa: FBT001 - one of the two above
        return another and bool(self.page.rows)

    def _url(self, search: Search, **place: str) -> str:
        return "?".join(filter(None, [reverse("history:list"), search.query(**place)]))


def version_of(attempts: Iterable[Attempt], *more: int) -> str:
    """Return a short hash that changes whenever the set of these attempts or one of them does; empty without any."""
    parts = [f"{attempt.pk}:{attempt.last_seq}" for attempt in attempts]
    return sha256(" ".join([*parts, *map(str, more)]).encode()).hexdigest()[:16] if parts else ""


def listing(query: Mapping[str, str], *, reader: User) -> Listing:
    """Build the page of the list that a URL's query asks for; the first one if there is no such place."""
    watch = topics.watch(reader, topics.ATTEMPTS.name)  # before the rows
    search = Search.parse(query)
    place = find_place(query.get("after", ""), query.get("before", ""), reader=reader)
    page = read_page(search, PER_PAGE, reader=reader, place=place)
    if place and not page.rows:
        place, page = None, read_page(search, PER_PAGE, reader=reader)
    named = {"before" if place.is_backwards else "after": str(place.row.pk)} if place else {}
    rows = [Row(attempt) for attempt in page.rows]
    return Listing(search, page, rows, reader, watch, named, query.get("filters") == ALL)


def _options(labels: Mapping[str, str], chosen: str) -> Iterator[Option]:
    """One option for each label, and one for a chosen value that has none."""
    for value, label in labels.items() if chosen in {"", *labels} else {**labels, chosen: chosen}.items():
        yield Option(value, label, value == chosen)
