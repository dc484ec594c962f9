"""How long a session lasts: 30 minutes without activity, 8 hours in total.

A page that requests updates by itself is not activity: the views that answer such requests are marked `in_background`.
The middleware `SessionLimits` ends the sessions.
"""

from collections.abc import Callable
from datetime import timedelta
from time import time
from typing import Any, TypeVar

from django.contrib.sessions.backends.base import SessionBase

MAX_IDLE = timedelta(minutes=30)
MAX_AGE = timedelta(hours=8)
SAVE_EVERY = timedelta(minutes=1)
STARTED_AT, ACTIVE_AT = "started_at", "active_at"

View = TypeVar("View", bound=Callable[..., Any])


def in_background(view: View) -> View:
    """Mark a view that pages request by themselves, so that an open page does not keep its session alive."""
    view.in_background = True  # type: ignore[attr-defined]
    return view


def is_over(session: SessionBase) -> bool:
    """Tell whether a session is too old, or has been idle for too long."""
    now = time()
    started_at, active_at = session.get(STARTED_AT), session.get(ACTIVE_AT)
    return (started_at is not None and now - started_at > MAX_AGE.total_seconds()) or (
        active_at is not None and now - active_at > MAX_IDLE.total_seconds()
    )


def save_activity(session: SessionBase) -> None:
    """Save that the user is active; once a minute, so that most pages need no write."""
    now = time()
    session.setdefault(STARTED_AT, now)
    if now - session.get(ACTIVE_AT, 0) > SAVE_EVERY.total_seconds():
        session[ACTIVE_AT] = now
