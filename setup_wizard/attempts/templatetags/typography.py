"""How texts and times of attempts are set on a page."""

import re
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join

register = template.Library()


@register.filter
def with_code(text: str) -> str:
    """Escape a text, and set what stands between two backticks as code; a single backtick is left as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    pieces = ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in enumerate(parts))
    return format_html_join("", "{}", pieces)


@register.filter
def fingerprint(text: str) -> str:
    """Escape a fingerprint, and let a line break after each colon only: never in the middle of a byte."""
    *pairs, last = text.split(":")
    return format_html("{}{}", format_html_join("", "{}:<wbr>", ((pair,) for pair in pairs)), last)


@register.filter
def whole_words(text: str) -> str:
    """Escape a command or JSON, and let a line break only at white space: browsers also break after "-" and "/"."""
    pieces = enumerate(re.split(r"(\s+)", text))
    words = ((piece if place % 2 else format_html('<span class="word">{}</span>', piece),) for place, piece in pieces)
    return format_html_join("", "{}", words)


@register.filter
def elapsed(since: datetime | None) -> str:
    """Say how long ago it was, as the script goes on counting: "12 s", "3 min 4 s", "1 h 2 min"."""
    if since is None:
        return ""
    seconds = max(0, int((timezone.now() - since).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def moment(text: str) -> datetime | str:
    """Read a time that was stored as text, for the filter `date`; what is no time is given as it is."""
    try:
        return parse_datetime(text) or text
    except ValueError:
        return text
