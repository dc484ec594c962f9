"""Close connections whose request stays incomplete, or whose response the client does not read.

uvicorn limits only the time between two requests. A response, such as a stream, can take any time.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LIMIT_SECONDS: Final = 30.0


class TimedProtocol(H11Protocol):
    """uvicorn's protocol with `seconds` for each whole request, and for the client to read more of a response."""

    seconds = LIMIT_SECONDS
    _request_timer: asyncio.TimerHandle | None = None
    _answer_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._time_request()

    def handle_events(self) -> None:
        """Parse what arrived; stop the timer when the request is complete, and start it for the next one."""
        super().handle_events()
        self._time_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._answer_timer is None:
            self._answer_timer = self._later(self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also when the client has not read the end of its answer."""
        super().timeout_keep_alive_handler()
        self._later(self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_request_timer()
        super().connection_lost(exc)  # calls resume_writing

    def _time_request(self) -> None:
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop_request_timer()
        elif self._request_timer is None:
            self._request_timer = self._later(self._refuse)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _later(self, close: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self.seconds, close)

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            self.logger.info("a request was not complete within %g s", self.seconds)
            self.transport.close()
        self._later(self.transport.abort)
