"""Where the events come from. An app registers its own, so that nothing that makes events knows of notices."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from setup_wizard.notifications.models import NoticeKind


@dataclass(frozen=True, slots=True)
class NewNotice:
    """What an event is worth telling: `document` has title, message, path of the page, and facts without secrets.

    `starter_id` is the user who started the setup.
    """

    event_id: int
    kind: NoticeKind
    at: datetime
    starter_id: int
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EventSource:
    """A table of events, numbered in about the order in which they commit.

    `newest` gives the highest number, 0 without events; `newest_before(position, moment)` the highest number after
    `position` that was written before `moment`, or None. `find(position, limit)` gives the numbers after `position` of
    the events that matter, ascending; `read` makes notices of them.
    """

    name: str
    newest: Callable[[], int]
    newest_before: Callable[[int, datetime], int | None]
    find: Callable[[int, int], list[int]]
    read: Callable[[Collection[int]], list[NewNotice]]


_sources: dict[str, EventSource] = {}


def register(source: EventSource) -> None:
    """Read this source from now on."""
    _sources[source.name] = source


def sources() -> dict[str, EventSource]:
    """Return every registered source by its name."""
    return dict(_sources)
