"""How every page writes a moment: date, time with seconds, and the time zone, such as "29 Nov 2026, 12:36:13 UTC"."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.utils import formats
from django.utils.html import format_html

DATE_AND_TIME = "DATETIME_FORMAT"  # in project/formats
TIME_OF_DAY = "H:i:s"


def exact(at: datetime) -> str:
    """Write a moment in UTC."""
    return formats.date_format(at.astimezone(UTC), DATE_AND_TIME)


def element(at: datetime | None) -> str:
    """Write a moment as an HTML element that the script can read; "" without one."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), exact(at)) if at else ""


def column(field: str, description: str) -> "staticmethod[[Any], str]":
    """Make a column of an admin list that shows the time in `field`, and sorts by it."""

    @admin.display(description=description, ordering=field, empty_value="–")
    def show(row: Any) -> str:
        return element(getattr(row, field))

    return staticmethod(show)
