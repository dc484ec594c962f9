"""The database queries of streams: sessions that have ended, rights to topics, the heartbeat."""

import os
import socket
from collections.abc import Iterable
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from setup_wizard.access.permissions import Permission
from setup_wizard.access.sessions import is_over
from setup_wizard.live import topics
from setup_wizard.live.stream.open_streams import CloseReason, Subscription
from setup_wizard.live.topics import Cursor, Topic
from setup_wizard.monitoring.heartbeats import WEB
from setup_wizard.monitoring.models import Heartbeat


def save_heartbeat(streams: int) -> None:
    """Save that this process serves so many streams; without any, delete its heartbeat."""
    part = f"{WEB}:{socket.gethostname()[:60]}:{os.getpid()}"
    if streams:
        Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now(), "streams": streams})
    else:
        Heartbeat.objects.filter(part=part).delete()


def visible_topics(user: User, names: Iterable[str]) -> tuple[dict[Topic, str], dict[Topic, Cursor]]:
    """Find the topics with these names that `user` may see, and their cursors; the others are left out."""
    found = {topic: name for name in names if (topic := topics.find(user, name))}
    cursors = topics.read(found)
    return {topic: name for topic, name in found.items() if topic in cursors}, cursors


def why_close(subscription: Subscription) -> CloseReason | None:
    """Say why this stream must end: its session is over, or its user may see more or less of a topic than before."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(subscription.session_key)
    user = get_user(request)  # checks the password hash and is_active too
    if not isinstance(user, User) or str(user.pk) != subscription.user_id:
        return CloseReason.SIGNED_OUT
    if not user.has_perm(Permission.READ) or is_over(request.session):
        return CloseReason.SIGNED_OUT
    changed = any(topics.find(user, name) != topic for topic, name in subscription.names.items())
    return CloseReason.RECONNECT if changed else None
