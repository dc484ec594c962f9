"""So often within a while and no more: counted in the database, which all web processes share.

Reference: docs/failure-modes.md, W3, N11 and W11.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from setup_wizard.access.models import Tally

SECONDS = 60

View = TypeVar("View", bound=Callable[..., Any])


class TooOften(Exception):
    """`most` times within this minute are used up; `retry_after` is in seconds, at least 1."""

    def __init__(self, most: int, retry_after: int) -> None:
        super().__init__(f"more than {most} within a minute")
        self.most = most
        self.retry_after = retry_after

    @property
    def title(self) -> str:
        """The heading of the page."""
        return "Too often"

    @property
    def message(self) -> str:
        """What a person reads."""
        times = "once" if self.most == 1 else f"{self.most} times"
        return f"That was more than {times} within a minute. Try again in {self.retry_after} s."


def count(what: str, by: User, *, most: int) -> None:
    """Count one more of `what` for `by`.

    Raises:
        TooOften: it was more than `most` within the minute.
    """
    now = time.time()
    minute = int(now // SECONDS)
    rows = Tally.objects.filter(what=what, who=by.pk)
    # the row of an earlier minute begins anew, so that there is never more than one to count in
    once_more = Case(When(span=minute, then=F("times") + 1), default=Value(1))
    with transaction.atomic():
        if not rows.update(times=once_more, span=minute):
            Tally.objects.get_or_create(what=what, who=by.pk, defaults={"span": minute})
            rows.update(times=once_more, span=minute)
        times = rows.values_list("times", flat=True).get()
    if times > most:
        raise TooOften(most, SECONDS - int(now % SECONDS))


def limited(view: View) -> View:
    """Let one person post to views like this one so often a minute and no more; reading is free."""

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and isinstance(request.user, User):
            try:
                count("posts", request.user, most=settings.SETUP_WIZARD_POSTS_PER_MINUTE)
            except TooOften as refusal:
                return refuse(request, refusal)
        return view(request, *args, **kwargs)

    return guard  # type: ignore[return-value]  # it takes and gives what the view does


def refuse(request: HttpRequest, refusal: TooOften) -> HttpResponse:
    """Answer with 429, and say when to try again."""
    answer = render(request, "access/too_often.html", {"refusal": refusal}, status=429)
    answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer
