"""How far a node's clock is from this server's, by the `Date` of an answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

_RESOLUTION = 1.0  # seconds: a Date has no fractions, they are cut off


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The node's clock minus this server's, in seconds; the true offset is within `uncertainty` of `seconds`."""

    seconds: float
    uncertainty: float

    @classmethod
    def read(cls, date: str, *, sent: float, received: float) -> Self | None:
        """Read the `Date` of an answer; `sent` and `received` are times of this server. None when it is no date.

        Reference: RFC 9110, section 6.6.1.
        """
        try:
            shown = parsedate_to_datetime(date)
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
        moment = (shown if shown.tzinfo else shown.replace(tzinfo=UTC)).astimezone(UTC)
        offset = (moment - datetime.fromtimestamp((sent + received) / 2, UTC)).total_seconds() + _RESOLUTION / 2
        return cls(offset, (received - sent + _RESOLUTION) / 2)
