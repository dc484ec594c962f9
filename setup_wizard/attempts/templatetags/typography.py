"""Filters for texts and times."""

import re
from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join

from setup_wizard.access import times
from setup_wizard.bootstrap.error_catalogue import Figure

register = template.Library()


@register.filter
def with_code(text: str) -> str:
    """Escape a text, and show text between two backticks as code; a single backtick stays."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    pieces = ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in enumerate(parts))
    return format_html_join("", "{}", pieces)


@register.filter
def has_column(figures: Sequence[Figure], name: str) -> bool:
    """Whether any figure has a value in this column: "here", "cluster" or "needed"."""
    return any(getattr(figure, name) for figure in figures)


@register.filter
def fingerprint(text: str) -> str:
    """Escape a fingerprint, and allow line breaks only after colons."""
    *pairs, last = text.split(":")
    return format_html("{}{}", format_html_join("", "{}:<wbr>", ((pair,) for pair in pairs)), last)


@register.filter
def whole_words(text: str) -> str:
    """Escape a command or JSON, and allow line breaks only at white space: browsers also break after "-" and "/"."""
    pieces = enumerate(re.split(r"(\s+)", text))
    words = ((piece if place % 2 else format_html('<span class="word">{}</span>', piece),) for place, piece in pieces)
    return format_html_join("", "{}", words)


@register.filter
def elapsed(since: datetime | None) -> str:
    """Say how long ago it was, in the format of the script: "12 s", "3 min 4 s", "1 h 2 min"."""
    return "" if since is None else _counted((timezone.now() - since).total_seconds())


@register.filter
def left(until: datetime | None) -> str:
    """Say how long it is until then, in the same format; the seconds count only when it is near."""
    if until is None:
        return ""
    seconds = (until - timezone.now()).total_seconds()
    return _counted(seconds) if seconds < 120 else re.sub(r" \d+ s$", "", _counted(seconds))


def _counted(exact: float) -> str:
    seconds = max(0, int(exact))
    if seconds < 60:
        return f"{seconds} s"
    minutes, left = divmod(seconds, 60)
    return f"{minutes} min {left} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def when(at: datetime | None) -> str:
    """Show a moment; the script says how long ago it was, and shows the exact time on a click or a key."""
    return times.relative(at)


@register.filter
def exact(at: datetime | str | None) -> str:
    """Show a moment, and text that is not one as it is."""
    return at if isinstance(at, str) else times.element(at)


@register.filter
def event_time(at: datetime) -> str:
    """Show the time of an event, with its date unless that is today; `time_zone` says in which zone it is."""
    return format_html('<time datetime="{}" data-clock>{}</time>', at.isoformat(), times.event_time(at))


@register.simple_tag
def time_zone() -> str:
    """Name the zone of the times on the page; the script writes that of the browser."""
    return format_html("<span data-time-zone>{}</span>", times.zone_name())


@register.filter
def moment(text: str) -> datetime | str:
    """Parse a time that was stored as text, for the filter `date`; other text stays."""
    try:
        return parse_datetime(text) or text
    except ValueError:
        return text
