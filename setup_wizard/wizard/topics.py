"""What the page of setups watches: open setups, and one's own drafts."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Count, Max

from setup_wizard.access.permissions import Permission
from setup_wizard.live import topics
from setup_wizard.live.topics import Cursor, TopicKind
from setup_wizard.wizard.models import Draft

NAME = "setups"


def register() -> None:
    """Let the page of setups watch its topic."""
    topics.register(TopicKind(NAME, _find, _read))


def draft_parts(people: Collection[str]) -> dict[str, object]:
    """Return what changes with the drafts of each of these users."""
    rows = (
        Draft.objects.filter(owner__in=[int(person) for person in people], attempt_id=None)
        .order_by()
        .values_list("owner")
    )
    found = rows.annotate(Count("pk"), Max("updated_at"))
    return {str(owner): (count, latest.timestamp()) for owner, count, latest in found}


def _find(user: User, wanted: str) -> str | None:
    return topics.person_for(user, wanted) if user.has_perm(Permission.OPERATE) else None


def _read(keys: Collection[str]) -> dict[str, Cursor]:
    return topics.read_for_people(keys, draft_parts)
