"""What a page can watch: each kind of topic is registered here by the app that knows it.

A topic is named `attempt:<id>`, `run:<id>`, `cluster:<id>`, `home`, `attempts` or `action-needed`. Its cursor is a
number that changes whenever something that its page shows may have changed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.models import User

from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.states import State

EVERYBODY = ""


class Topic(NamedTuple):
    """One topic: `key` is the id of what is watched, or of the user whose own attempts count (`EVERYBODY`: of all)."""

    kind: str
    key: str = EVERYBODY


@dataclass(frozen=True, slots=True)
class Cursor:
    """A number that changes with the topic (of an attempt: its last event), and whether more can follow."""

    seq: int
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Watch:
    """What a page watches: the topic's name and its cursor, read before what the page shows."""

    name: str
    cursor: int


@dataclass(frozen=True, slots=True)
class TopicKind:
    """One kind of topic.

    `find` returns the topic's key for a user; None when it does not exist or the user may not see it.
    `read` reads the cursors of these keys together; keys that do not exist are left out.
    `follows_all`: it is read again at every notification, not only at those with its own key.
    """

    name: str
    find: Callable[[User, str], str | None]
    read: Callable[[Collection[str]], Mapping[str, Cursor]]
    follows_all: bool = False


_kinds: dict[str, TopicKind] = {}


def register(kind: TopicKind) -> None:
    """Let pages watch topics of this kind."""
    _kinds[kind.name] = kind


def find(user: User, name: str) -> Topic | None:
    """Return the topic with this name; None when there is none, or none for this user."""
    kind_name, _, wanted = name.partition(":")
    kind = _kinds.get(kind_name)
    key = kind.find(user, wanted) if kind else None
    return None if key is None else Topic(kind_name, key)


def read(topics: Collection[Topic]) -> dict[Topic, Cursor]:
    """Read the cursors of these topics, with one call for each kind; those that do not exist are left out."""
    keys: dict[str, list[str]] = {}
    for topic in topics:
        keys.setdefault(topic.kind, []).append(topic.key)
    return {
        Topic(kind, key): cursor for kind, wanted in keys.items() for key, cursor in _kinds[kind].read(wanted).items()
    }


def follows_all(topic: Topic) -> bool:
    """Whether every notification may concern this topic."""
    return _kinds[topic.kind].follows_all


def watch(user: User, name: str) -> Watch | None:
    """Read the cursor with which a page begins to watch; call this before reading what the page shows."""
    topic = find(user, name)
    cursor = read([topic]).get(topic) if topic else None
    return Watch(name, cursor.seq) if cursor else None


def owner_for(user: User, wanted: str) -> str | None:
    """Find the key of a topic about attempts in general: the user's id if they see only their own."""
    if wanted:
        return None
    return EVERYBODY if visibility.sees_all(user) else str(user.pk)


def person_for(user: User, wanted: str) -> str | None:
    """Find the key of a topic with things of the user's own: `12`, or `12 own` if they see only their own attempts."""
    if wanted:
        return None
    return f"{user.pk}" if visibility.sees_all(user) else f"{user.pk} own"


def read_for_people(
    keys: Collection[str], read_own: Callable[[Collection[str]], Mapping[str, object]]
) -> dict[str, Cursor]:
    """Read cursors for keys of `person_for`.

    `read_own` gives for each of these users a value that changes whenever something of their own does, such as a draft.
    """
    people = {key: key.split()[0] for key in keys}
    parts = {owner: moving_parts(owner) for owner in {_owner(key) for key in keys}}
    own = read_own(set(people.values()))
    return {key: Cursor(number_of([*parts[_owner(key)], own.get(person)])) for key, person in people.items()}


def _owner(key: str) -> str:
    person, _, only_own = key.partition(" ")
    return person if only_own else EVERYBODY


def id_of(text: str) -> UUID | None:
    """Read a UUID; None when the text is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def number_of(parts: Iterable[object]) -> int:
    """Hash these parts to a number that JavaScript can hold."""
    return int(sha256(repr([*parts]).encode()).hexdigest()[:12], 16)


def moving_parts(owner: str) -> list[object]:
    """Return what changes whenever an attempt begins, moves or ends; of one owner, or of `EVERYBODY`."""
    rows = Attempt.objects.filter(requested_by=int(owner)) if owner else Attempt.objects.all()
    is_open = rows.filter(state__in=OPEN_STATES).order_by("pk").values_list("pk", "last_seq")
    return [*is_open, *rows.order_by("-created_at").values_list("pk")[:1]]


def _find_attempt(user: User, wanted: str) -> str | None:
    pk = id_of(wanted)
    return str(pk) if pk and visibility.visible_to(user).filter(pk=pk).exists() else None


def _read_attempts(keys: Collection[str]) -> dict[str, Cursor]:
    found = Attempt.objects.filter(pk__in=keys).values_list("pk", "last_seq", "state")
    return {str(pk): Cursor(seq, State(state).is_open) for pk, seq, state in found}


def _read_lists(owners: Collection[str]) -> dict[str, Cursor]:
    return {owner: Cursor(number_of(moving_parts(owner))) for owner in owners}


ATTEMPT = TopicKind("attempt", _find_attempt, _read_attempts)
ATTEMPTS = TopicKind("attempts", owner_for, _read_lists)


def register_own() -> None:
    """Register the topics of attempts."""
    register(ATTEMPT)
    register(ATTEMPTS)
