"""How often a stream is polled, pinged and checked, and how long anything on it may take."""

from dataclasses import dataclass
from typing import Final

from setup_wizard.attempts import timing


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals and timeouts, in seconds."""

    poll: float = 1.0  # between two reads of all watched topics
    min_gap: float = 0.02  # between two reads, however many notifications arrive
    session_check: float = 20.0  # with many sessions to check, each is still checked within 30
    ping: float = 15.0  # the heartbeat of a stream on which nothing else was sent
    max_age: float = 600.0  # then the browser reconnects, which spreads streams over the processes again
    send_timeout: float = 20.0  # a reader that accepts nothing for so long is disconnected
    first_read_timeout: float = 30.0  # a stream that the server has not begun to read by then is dropped
    broadcaster_heartbeat: float = timing.HEARTBEAT_EVERY.total_seconds()
    query_timeout: float = timing.BROADCASTER_QUERY_TIMEOUT  # after a longer query the thread is abandoned
    stale: float = timing.BROADCASTER_STALE.total_seconds()  # without a completed poll for so long it is stuck


DEFAULT_INTERVALS: Final = Intervals()
