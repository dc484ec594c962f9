"""Bytes and seconds in words."""

import math
from typing import Final

_KIB: Final = 1024
_MIB: Final = _KIB**2
_GIB: Final = _KIB**3
_TIB: Final = _KIB**4
_MIN: Final = 64 * _MIB  # no node has less memory or storage; a smaller number is in another unit
_MAX: Final = 2**60  # an exbibyte
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400

TRIAL_MEMORY: Final = 4 * _GIB
TRIAL_DISK: Final = 10 * _GIB
PRODUCTION_MEMORY: Final = 8 * _GIB
PRODUCTION_CORES: Final = 2
REPORTED_SHARE: Final = 0.93
"""Firmware and kernel keep some memory, so a machine of 8 GiB reports a little less."""


def format_size(count: float | None) -> str:
    """Write a number of bytes in words ("15.6 GiB", "1,007 GiB"); "" when it cannot be a machine's size in bytes."""
    if count is None or not math.isfinite(count) or not _MIN <= count <= _MAX:
        return ""
    if count < _GIB:
        return f"{count / _MIB:,.0f} MiB"
    if count >= 10 * _TIB:
        return f"{_short(count / _TIB)} TiB"
    return f"{_short(count / _GIB)} GiB"


def format_uptime(seconds: float | None) -> str:
    """Write how long a machine has been up ("40 s", "6 min", "2 h 5 min", "3 days"); "" when it is not known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = whole // _DAY
    return "1 day" if days == 1 else f"{days:,} days"


def _short(amount: float) -> str:
    """Round to one decimal below a hundred, and leave out a decimal of zero."""
    return f"{amount:,.1f}".removesuffix(".0") if amount < 99.95 else f"{amount:,.0f}"  # 99.95 would show as 100.0
