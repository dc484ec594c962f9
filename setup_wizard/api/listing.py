"""`GET /attempts`: the search of the list page, in pages that follow each other by `after`."""

from typing import Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from setup_wizard.api.errors import invalid
from setup_wizard.api.schemas import ROOT, AttemptOut, ListOut, ListParameters
from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt
from setup_wizard.history.search import Search

PER_PAGE: Final = 50
MAX_COUNT: Final = 10_000


def list_attempts(parameters: ListParameters, *, reader: User, site: str) -> ListOut:
    """Return one page of the attempts that match and that `reader` may see, the newest first.

    `site` is where this server is reached, such as "https://setup.example.com".
    """
    found = Search(**parameters.model_dump(exclude={"after"})).attempts(reader)
    rows = list(_after(parameters, found, reader)[: PER_PAGE + 1])
    count = found.order_by()[: MAX_COUNT + 1].count()
    return ListOut(
        results=[AttemptOut.of(attempt) for attempt in rows[:PER_PAGE]],
        next=f"{site}{_next(parameters, rows[PER_PAGE - 1])}" if len(rows) > PER_PAGE else None,
        count=count if count <= MAX_COUNT else None,
    )


def _after(parameters: ListParameters, found: QuerySet[Attempt], reader: User) -> QuerySet[Attempt]:
    """Skip the pages that end with the attempt `after`.

    Raises:
        Problem: 422 when there is no such attempt.
    """
    if parameters.after is None:
        return found
    last = visibility.visible_to(reader).filter(pk=parameters.after).first()
    if last is None:
        raise invalid({"after": ["No such attempt."]})
    return found.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))


def _next(parameters: ListParameters, last: Attempt) -> str:
    query = parameters.model_copy(update={"after": last.pk}).model_dump(mode="json", by_alias=True)
    return f"{ROOT}/attempts?{urlencode({name: value for name, value in query.items() if value})}"
