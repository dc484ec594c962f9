"""How long a session lasts: 30 minutes without its person doing anything, 8 hours in all.

A page that asks for news by itself is not its person doing something: the views that answer such a page are marked
`in_background`, and they keep no session alive.

Reference: docs/failure-modes.md, W5.
"""

from collections.abc import Callable
from datetime import timedelta
from time import time
from typing import Any, TypeVar

from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

IDLE = timedelta(minutes=30)
WHOLE = timedelta(hours=8)
NOTED_EVERY = timedelta(minutes=1)
BEGAN, SEEN = "began_at", "seen_at"

View = TypeVar("View", bound=Callable[..., Any])


def in_background(view: View) -> View:
    """Mark a view that a page asks by itself, so that an open page does not keep its session alive."""
    view.in_background = True  # type: ignore[attr-defined]
    return view


def is_over(session: SessionBase) -> bool:
    """Tell whether a session has lasted too long, or nobody has used it for too long."""
    now = time()
    began, seen = session.get(BEGAN), session.get(SEEN)
    return (began is not None and now - began > WHOLE.total_seconds()) or (
        seen is not None and now - seen > IDLE.total_seconds()
    )


class SessionLimits(MiddlewareMixin):
    """End what is over, and note that its person is there; stands before the middleware that asks for a sign-in."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> HttpResponse | None:
        """Look at the session of whoever is signed in; what ends here is asked to sign in by the next in line."""
        if not request.user.is_authenticated:
            return None
        if is_over(request.session):
            logout(request)
        elif not getattr(view, "in_background", False):
            _note(request.session)
        return None


def _note(session: SessionBase) -> None:
    # Once a minute is enough to know, and saves a write with each page.
    now = time()
    session.setdefault(BEGAN, now)
    if now - session.get(SEEN, 0) > NOTED_EVERY.total_seconds():
        session[SEEN] = now
