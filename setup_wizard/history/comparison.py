"""Two attempts side by side: outcome, request, details of the nodes, times and events, with the differences marked."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Final

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.preflight import title_of
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.live.stages import Stage, stages

MAX_EVENTS: Final = 200
"""Of each attempt, from its start: aligning them takes the square of their number."""
FINGERPRINT: Final = "Certificate at Start"
MIN_SECONDS: Final = 1.0
MIN_SHARE: Final = 0.2
"""A time differs when it does by more than both, since no two setups take equally long."""


@dataclass(frozen=True, slots=True)
class Row:
    """What both attempts have under one name; "" where one has nothing."""

    label: str
    first: str
    second: str
    differs: bool
    is_code: bool = False

    @property
    def is_fingerprint(self) -> bool:
        """Whether lines may break only between its pairs."""
        return self.label == FINGERPRINT


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading, and what to know about them."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two attempts and everything that is compared."""

    first: Attempt
    second: Attempt
    groups: tuple[Group, ...]

    @property
    def attempts(self) -> tuple[Attempt, Attempt]:
        """Both, in the order of the columns."""
        return self.first, self.second

    @property
    def count(self) -> int:
        """How many rows differ."""
        return sum(row.differs for group in self.groups for row in group.rows)


def compare(first: Attempt, second: Attempt) -> Comparison:
    """Compare two attempts, in the order of the columns."""
    both = first, second
    events = [list(attempt.events.select_related("by")) for attempt in both]
    is_cut = any(len(each) > MAX_EVENTS for each in events)
    groups = (
        Group("Outcome", _rows([_outcome(attempt) for attempt in both])),
        Group(
            "Request",
            _rows([dict(_flat(attempt.request)) for attempt in both], is_code=True),
            "Passwords and other secrets are not stored, so they are not compared.",
        ),
        Group("Node details before Start", _rows([_facts(attempt) for attempt in both])),
        Group(
            "Times",
            _times(both, events),
            "A time is marked when it differs by more than 1 second and by more than a fifth.",
        ),
        Group(
            "Events",
            tuple(_events(both, events)),
            f"The first {MAX_EVENTS} events of each are compared." if is_cut else "",
        ),
    )
    return Comparison(first, second, groups)


def _rows(columns: Sequence[dict[str, str]], *, is_code: bool = False) -> tuple[Row, ...]:
    """One row for each name that either has, in the order of the first, then of the second."""
    first, second = columns
    pairs = ((name, first.get(name, ""), second.get(name, "")) for name in {**first, **second})
    return tuple(Row(name, one, other, one != other, is_code) for name, one, other in pairs if one or other)


def _outcome(attempt: Attempt) -> dict[str, str]:
    explanation = explain(attempt)
    return {
        "Action": Action(attempt.action).label,
        "Cluster": attempt.target,
        "Started by": attempt.requested_by.get_username(),
        "State": attempt.status.label,
        "Problem": explanation.title if explanation else "",
        "Error code": attempt.error_code,
        "Accepted checks": ", ".join(title_of(each["name"]) for each in attempt.overrides),
    }


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _facts(attempt: Attempt) -> dict[str, str]:
    node = NodeFacts.from_json(attempt.facts)
    return {
        "Address": attempt.address,
        "Host name": node.short_hostname or "",
        "Software": node.software_version or "",
        "System": node.os_version or "",
        "Architecture": node.architecture or "",
        "Memory": format_size(node.total_memory),
        "Cores": f"{node.cores:g}" if node.cores else "",
        "Persistent storage": _storage(node.persistent_storage_path, node.persistent_storage_size),
        "Ephemeral storage": _storage(node.ephemeral_storage_path, node.ephemeral_storage_size),
        "Flash storage": _storage(node.bigredis_storage_path, node.bigredis_storage_size),
        "Addresses of the node": ", ".join(each.address for each in node.addresses),
        FINGERPRINT: attempt.fingerprint,
    }


def _storage(path: str | None, size: float | None) -> str:
    return ", ".join(filter(None, (path, format_size(size))))


def _times(both: Sequence[Attempt], events: Sequence[list[Event]]) -> tuple[Row, ...]:
    first, second = ({stage.title: stage for stage in stages(*each)} for each in zip(both, events, strict=True))
    rows = [_stage_row(title, first.get(title), second.get(title)) for title in {**first, **second}]
    spans = [(attempt.created_at, attempt.ended_at) for attempt in both]
    has_one_ended = len([attempt for attempt in both if attempt.ended_at]) == 1
    differs = has_one_ended or _differ(*map(_seconds, spans))
    return (*rows, Row("From Start to the end", took(*spans[0]), took(*spans[1]), differs))


def _stage_row(title: str, first: Stage | None, second: Stage | None) -> Row:
    seconds = [_seconds((stage.since, stage.until)) if stage else None for stage in (first, second)]
    marks = [stage.mark if stage else "" for stage in (first, second)]
    words = [", ".join(filter(None, (stage.mark_label, stage.took))) if stage else "" for stage in (first, second)]
    return Row(title, words[0], words[1], marks[0] != marks[1] or _differ(*seconds))


def _seconds(span: tuple[datetime | None, datetime | None]) -> float | None:
    since, until = span
    return (until - since).total_seconds() if since and until else None


def _differ(first: float | None, second: float | None) -> bool:
    if first is None or second is None:  # not known: the mark of the stage says more
        return False
    return abs(first - second) > max(MIN_SECONDS, MIN_SHARE * max(first, second))


def _events(both: Sequence[Attempt], events: Sequence[list[Event]]) -> Iterator[Row]:
    """The events in their order, those with the same words beside each other."""
    first, second = (each[:MAX_EVENTS] for each in events)
    matcher = SequenceMatcher(None, _messages(first), _messages(second), autojunk=False)
    number = 0
    for tag, first_from, first_to, second_from, second_to in matcher.get_opcodes():
        for place in range(max(first_to - first_from, second_to - second_from)):
            one = first[first_from + place] if first_from + place < first_to else None
            other = second[second_from + place] if second_from + place < second_to else None
            number += 1
            yield Row(str(number), _event(both[0], one), _event(both[1], other), tag != "equal")


def _messages(events: Sequence[Event]) -> list[str]:
    return [event.message for event in events]


def _event(attempt: Attempt, event: Event | None) -> str:
    return f"{event.message} (after {took(attempt.created_at, event.at)})" if event else ""
