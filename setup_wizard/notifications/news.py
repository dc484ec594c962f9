"""The topic that tells a page of new notices, for the browser's own notifications."""

from collections.abc import Collection

from django.contrib.auth.models import User

from setup_wizard.live import topics
from setup_wizard.live.topics import Cursor, TopicKind
from setup_wizard.notifications import people

NAME = "notices"


def register() -> None:
    """Let pages watch for notices."""
    topics.register(TopicKind(NAME, _find, _read, follows_all=True))


def _find(user: User, wanted: str) -> str | None:
    return None if wanted else str(user.pk)


def _read(keys: Collection[str]) -> dict[str, Cursor]:
    found = {}
    for user in User.objects.filter(pk__in=map(int, keys)):
        latest = people.notices_for(user).order_by("-created_at").values_list("pk", flat=True)[:1]
        found[str(user.pk)] = Cursor(topics.number_of(latest))
    return found
