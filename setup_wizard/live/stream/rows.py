"""What streams ask the database: how far the watched attempts have come, who is still signed in; and what they tell."""

import os
import socket
from collections.abc import Collection, Mapping
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from setup_wizard.access.permissions import Permission, signed_in_user
from setup_wizard.access.sessions import is_over
from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.live.stream.viewers import Mark
from setup_wizard.monitoring.heartbeats import WEB
from setup_wizard.monitoring.models import Heartbeat


def marks(attempt_ids: Collection[UUID]) -> dict[UUID, Mark]:
    """Read how far these attempts have come, in one query; one that does not exist is left out."""
    found = Attempt.objects.filter(pk__in=attempt_ids).values_list("pk", "last_seq", "state")
    return {pk: Mark(seq, State(state).is_open) for pk, seq, state in found}


def beat(streams: int) -> None:
    """Show that this process's streams are told of news, and how many they are; one without any is forgotten."""
    part = f"{WEB}:{socket.gethostname()[:60]}:{os.getpid()}"
    if streams:
        Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now(), "streams": streams})
    else:
        Heartbeat.objects.filter(part=part).delete()


def mark_for(request: HttpRequest, attempt_id: UUID) -> Mark | None:
    """Read how far one attempt has come; None when there is none that whoever asks may see."""
    seen = visibility.seen_by(signed_in_user(request)).filter(pk=attempt_id).exists()
    return marks([attempt_id]).get(attempt_id) if seen else None


def ended_sessions(sessions: Mapping[str, str]) -> set[str]:
    """Of sessions, each with the id of its user, name those that have ended, or whose user may not read any more."""
    return {key for key, user_id in sessions.items() if not _is_signed_in(key, user_id)}


def _is_signed_in(session_key: str, user_id: str) -> bool:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)  # looks at the password's hash and at is_active too
    return str(user.pk) == user_id and user.has_perm(Permission.READ) and not is_over(request.session)
