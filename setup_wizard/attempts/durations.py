"""Durations in words."""

from datetime import datetime


def took(since: datetime | None, until: datetime | None) -> str:
    """Say how long it was between two moments: "0.4 s", "22 s", "4 min 10 s"."""
    if since is None or until is None:
        return ""
    seconds = max(0.0, (until - since).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60} h {minutes % 60} min"
