"""`GET /attempts`: the search of the list page, in pages that follow each other by `after`."""

from typing import Final
from urllib.parse import urlencode

from django.contrib.auth.models import User

from setup_wizard.api.attempt_schemas import AttemptOut, ListOut, ListParameters
from setup_wizard.api.errors import invalid
from setup_wizard.api.schemas import ROOT
from setup_wizard.attempts.models import Attempt
from setup_wizard.history.pages import find_place, read_page
from setup_wizard.history.search import Search

PER_PAGE: Final = 50


def list_attempts(parameters: ListParameters, *, reader: User, site: str) -> ListOut:
    """Return one page of the attempts that match and that `reader` may see, the newest first.

    `site` is where this server is reached, such as "https://setup.example.com".

    Raises:
        Problem: 422 when there is no attempt `after`.
    """
    search = Search(**parameters.model_dump(exclude={"after"}))
    place = find_place(str(parameters.after or ""), "", reader=reader)
    if parameters.after and place is None:
        raise invalid({"after": ["No such attempt."]})
    page = read_page(search, PER_PAGE, reader=reader, place=place)
    return ListOut(
        results=[AttemptOut.of(attempt) for attempt in page.rows],
        next=f"{site}{_next(parameters, page.rows[-1])}" if page.has_next else None,
        count=page.count,
    )


def _next(parameters: ListParameters, last: Attempt) -> str:
    query = parameters.model_copy(update={"after": last.pk}).model_dump(mode="json", by_alias=True)
    return f"{ROOT}/attempts?{urlencode({name: value for name, value in query.items() if value})}"
