"""The database queries of streams: cursors of the watched attempts, sessions that have ended, the heartbeat."""

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
from setup_wizard.live.stream.open_streams import Cursor
from setup_wizard.monitoring.heartbeats import WEB
from setup_wizard.monitoring.models import Heartbeat


def cursors(attempt_ids: Collection[UUID]) -> dict[UUID, Cursor]:
    """Read the cursors of these attempts, in one query; attempts that do not exist are left out."""
    found = Attempt.objects.filter(pk__in=attempt_ids).values_list("pk", "last_seq", "state")
    return {pk: Cursor(seq, State(state).is_open) for pk, seq, state in found}


def save_heartbeat(streams: int) -> None:
    """Save that this process serves so many streams; without any, delete its heartbeat."""
    part = f"{WEB}:{socket.gethostname()[:60]}:{os.getpid()}"
    if streams:
        Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now(), "streams": streams})
    else:
        Heartbeat.objects.filter(part=part).delete()


def visible_cursor(request: HttpRequest, attempt_id: UUID) -> Cursor | None:
    """Read the cursor of one attempt; None when it does not exist or the user may not see it."""
    seen = visibility.visible_to(signed_in_user(request)).filter(pk=attempt_id).exists()
    return cursors([attempt_id]).get(attempt_id) if seen else None


def ended_sessions(sessions: Mapping[str, str]) -> set[str]:
    """Return the keys of sessions that have ended or whose user lost the read permission.

    `sessions` has the id of each session's user.
    """
    return {key for key, user_id in sessions.items() if not _is_signed_in(key, user_id)}


def _is_signed_in(session_key: str, user_id: str) -> bool:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)  # checks the password hash and is_active too
    return str(user.pk) == user_id and user.has_perm(Permission.READ) and not is_over(request.session)
