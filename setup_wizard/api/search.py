"""The list of attempts, narrowed and paged."""

from typing import Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from setup_wizard.api.schemas import ROOT, AttemptShown, ListShown, Search
from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt

PER_PAGE: Final = 50
MOST_COUNTED: Final = 10_000


def search(wanted: Search, *, reader: User) -> ListShown:
    """Give one page of the attempts that fit and that `reader` may see, the newest first."""
    found = _matching(wanted, reader)
    first = (wanted.page - 1) * PER_PAGE
    rows = list(found.select_related("requested_by")[first : first + PER_PAGE + 1])
    counted = found.order_by()[: MOST_COUNTED + 1].count()
    return ListShown(
        results=[AttemptShown.of(attempt) for attempt in rows[:PER_PAGE]],
        next=_next(wanted) if len(rows) > PER_PAGE else None,
        count=counted if counted <= MOST_COUNTED else None,
    )


def _matching(wanted: Search, reader: User) -> QuerySet[Attempt]:
    found = visibility.seen_by(reader).order_by("-created_at", "-pk")
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.action:
        found = found.filter(action=wanted.action)
    if text := wanted.q.strip():
        found = found.filter(
            Q(address__icontains=text)
            | Q(host__icontains=text)
            | Q(cluster_name__icontains=text)
            | Q(error_code__icontains=text)
        )
    return found


def _next(wanted: Search) -> str:
    asked = {"state": wanted.state, "action": wanted.action, "q": wanted.q, "page": wanted.page + 1}
    return f"{ROOT}/attempts?{urlencode({name: value for name, value in asked.items() if value})}"
