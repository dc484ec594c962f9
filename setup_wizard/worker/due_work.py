"""Work of other apps that is due at a certain time. They register it; the supervisor enqueues it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DueWork:
    """One kind of work, each piece named by the id of its row.

    `find` gives what is due, each marked as enqueued by compare-and-set; `unmark` takes the mark back when the message
    could not be sent; `next_at` says when the next piece is due, None when there is none.
    """

    find: Callable[[datetime], Iterable[UUID]]
    enqueue: Callable[[UUID], None]
    unmark: Callable[[UUID], None]
    next_at: Callable[[datetime], datetime | None]


class DueWorkRegistry:
    """The registered kinds of work, in the order in which they are enqueued."""

    def __init__(self) -> None:
        self._kinds: list[DueWork] = []

    def add(self, kind: DueWork) -> None:
        """Register a kind of work."""
        self._kinds.append(kind)

    def __iter__(self) -> Iterator[DueWork]:
        """Give every kind."""
        return iter(self._kinds)

    def next_at(self, now: datetime) -> datetime | None:
        """Say when the next piece of any kind is due; None when there is none."""
        found = [moment for kind in self._kinds if (moment := kind.next_at(now))]
        return min(found, default=None)


due_work = DueWorkRegistry()
