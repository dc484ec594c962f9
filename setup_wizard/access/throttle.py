"""Limits per user and minute, counted in the database, which all web processes share."""

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

from setup_wizard.access.models import RequestCount

SECONDS = 60

View = TypeVar("View", bound=Callable[..., Any])


class TooManyRequests(Exception):
    """The `limit` of this minute is reached; `kind` says of what, `retry_after` is in seconds, at least 1."""

    def __init__(self, limit: int, retry_after: int, kind: str = "requests") -> None:
        super().__init__(f"more than {limit} {kind} within a minute")
        self.limit = limit
        self.retry_after = retry_after
        self.kind = kind

    @property
    def title(self) -> str:
        """The heading of the page."""
        return "Too many requests"

    @property
    def message(self) -> str:
        """The reason, and when to try again."""
        return f"The limit is {self.limit} {self.kind} per minute for each user. Try again in {self.retry_after} s."


def count(kind: str, by: User, *, limit: int) -> None:
    """Count one more of `kind`, a plural that people read too, for `by`.

    Raises:
        TooManyRequests: it was more than `limit` within the minute.
    """
    now = time.time()
    minute = int(now // SECONDS)
    rows = RequestCount.objects.filter(kind=kind, user_id=by.pk)
    # each minute reuses the row, so there is only ever one to count in
    one_more = Case(When(minute=minute, then=F("count") + 1), default=Value(1))
    with transaction.atomic():
        if not rows.update(count=one_more, minute=minute):
            RequestCount.objects.get_or_create(kind=kind, user_id=by.pk, defaults={"minute": minute})
            rows.update(count=one_more, minute=minute)
        total = rows.values_list("count", flat=True).get()
    if total > limit:
        raise TooManyRequests(limit, SECONDS - int(now % SECONDS), kind)


def count_different(kind: str, subject: str, by: User, *, limit: int) -> None:
    """Count one more of `kind` for `by`, unless this subject was counted within the minute already.

    Raises:
        TooManyRequests: there were `limit` other subjects within the minute; this one was not counted.
    """
    now = time.time()
    minute = int(now // SECONDS)
    rows = RequestCount.objects.filter(kind=kind, user_id=by.pk)
    with transaction.atomic():
        if not rows.update(kind=kind):  # locks the row until the end
            RequestCount.objects.get_or_create(kind=kind, user_id=by.pk, defaults={"minute": minute})
        row = rows.select_for_update().get()
        known = row.subjects if row.minute == minute else []
        if subject in known:
            return
        if len(known) >= limit:
            raise TooManyRequests(limit, SECONDS - int(now % SECONDS), kind)
        rows.update(minute=minute, subjects=[*known, subject], count=len(known) + 1)


def limited(view: View) -> View:
    """Limit how many times per minute one user can post to views with this decorator; reading is not limited."""

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and isinstance(request.user, User):
            try:
                count("forms", request.user, limit=settings.SETUP_WIZARD_POSTS_PER_MINUTE)
            except TooManyRequests as refusal:
                return refuse(request, refusal)
        return view(request, *args, **kwargs)

    return guard  # type: ignore[return-value]  # same signature as the view


def refuse(request: HttpRequest, refusal: TooManyRequests) -> HttpResponse:
    """Return 429, and when to try again."""
    response = render(request, "access/too_many_requests.html", {"refusal": refusal}, status=429)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response
