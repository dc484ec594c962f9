"""How every page writes a moment: date, time with seconds, and the time zone, such as "29 Nov 2026, 12:36:13 UTC".

Users who have chosen a time zone read it in that zone, with UTC beside it; for all others the script writes it in the
zone of the browser.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import formats, timezone
from django.utils.html import format_html

DATE_AND_TIME = "DATETIME_FORMAT"  # in project/formats
TIME_OF_DAY = "H:i:s"

_zone: ContextVar[ZoneInfo | None] = ContextVar("time_zone", default=None)


@contextmanager
def in_utc() -> Iterator[None]:
    """Begin without the time zone of a viewer, and forget it afterwards."""
    _zone.set(None)
    try:
        yield
    finally:
        _zone.set(None)


def use_zone_of(user: AbstractBaseUser | AnonymousUser) -> None:
    """Write moments in the time zone that the user has chosen, if any."""
    name = getattr(getattr(user, "preferences", None), "time_zone", "")
    _zone.set(ZoneInfo(name) if name in available_zones() else None)


@cache
def available_zones() -> frozenset[str]:
    """Name the time zones that a user can choose: those of a place, and UTC."""
    places = {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
    return frozenset(name for name in available_timezones() if name == "UTC" or name.partition("/")[0] in places)


@cache
def zones_by_area() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List the time zones for a form, grouped by continent or ocean."""
    by_place = groupby(sorted(available_zones() - {"UTC"}), key=lambda name: name.partition("/")[0])
    return tuple((area, tuple(names)) for area, names in by_place)


def exact(at: datetime) -> str:
    """Write a moment in UTC, or in the zone of the viewer with UTC beside it."""
    zone, utc = _zone.get(), at.astimezone(UTC)
    if zone is None or zone.key == "UTC":
        return formats.date_format(utc, DATE_AND_TIME)
    here = at.astimezone(zone)
    beside = formats.date_format(utc, DATE_AND_TIME if here.date() != utc.date() else f"{TIME_OF_DAY} T")
    return f"{formats.date_format(here, DATE_AND_TIME)} ({beside})"


def event_time(at: datetime) -> str:
    """Write the time of an event, with its date unless that is today, in the zone that `zone_name` names.

    A line breaks only between date and time.
    """
    zone = _zone.get() or UTC
    here = at.astimezone(zone)
    time = formats.date_format(here, TIME_OF_DAY)
    if here.date() == timezone.now().astimezone(zone).date():
        return time
    date = formats.date_format(here, "DATE_FORMAT").replace(" ", "\N{NO-BREAK SPACE}")
    return f"{date}, {time}"


def zone_name() -> str:
    """Name the zone in which moments are written."""
    return str(_zone.get() or "UTC")


def element(at: datetime | None) -> str:
    """Write a moment as an HTML element that the script can read; "" without one."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), exact(at)) if at else ""


def relative(at: datetime | None) -> str:
    """Write a moment as an element: the script says how long ago it was, and the exact time on a click or a key."""
    return format_html('<time datetime="{}" data-when>{}</time>', at.isoformat(), exact(at)) if at else ""


def column(
    field: str, description: str, *, write: Callable[[datetime | None], str] = relative
) -> "staticmethod[[Any], str]":
    """Make a column of an admin list that shows the time in `field`, and sorts by it."""

    @admin.display(description=description, ordering=field, empty_value="–")
    def show(row: Any) -> str:
        return write(getattr(row, field))

    return staticmethod(show)
