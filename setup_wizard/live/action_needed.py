"""How many setups wait for an operator: the count in the bar of every page, and the topic that keeps it live.

Apps whose work can wait for an operator register it here; attempts that belong to it are then not counted again.
"""

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.live import topics
from setup_wizard.live.topics import Cursor, TopicKind, Watch

NAME = "action-needed"
Source = Callable[[], Mapping[UUID, Collection[UUID]]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Count what `source` returns: the id of each thing that waits, with the attempts that belong to it."""
    _sources.append(source)


def waiting(owner: str) -> set[UUID]:
    """Return the ids of all that waits for an operator; of one owner's attempts, or of `EVERYBODY`'s."""
    rows = Attempt.objects.filter(state=State.NEEDS_OPERATOR)
    attempts = set((rows.filter(requested_by=int(owner)) if owner else rows).values_list("pk", flat=True))
    for source in _sources:
        for waits, own in source().items():
            attempts -= set(own)
            attempts.add(waits)
    return attempts


class ActionNeeded:
    """The count for one user, read when a template needs it."""

    def __init__(self, user: User) -> None:
        owner = topics.owner_for(user, "")
        ids = waiting(owner or topics.EVERYBODY)
        self.count = len(ids)
        self.watch = Watch(NAME, _number_of(ids))


def in_bar(request: HttpRequest) -> dict[str, object]:
    """Give templates `action_needed`, read when one needs it, and `stream_session`, which tells sessions apart.

    An error page must render without the database.
    """

    def read() -> ActionNeeded | None:
        user = getattr(request, "user", None)
        return ActionNeeded(user) if isinstance(user, User) and user.has_perm(Permission.READ) else None

    def session() -> str:
        key = getattr(getattr(request, "session", None), "session_key", None)
        return salted_hmac("live.stream", key).hexdigest()[:16] if key else ""

    return {"action_needed": read, "stream_session": session}


def _number_of(ids: Collection[UUID]) -> int:
    return topics.number_of(sorted(ids))


def _read(owners: Collection[str]) -> dict[str, Cursor]:
    return {owner: Cursor(_number_of(waiting(owner))) for owner in owners}


def register_topic() -> None:
    """Let every page watch the count."""
    topics.register(TopicKind(NAME, topics.owner_for, _read))
