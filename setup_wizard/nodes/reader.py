"""The one way in from a node: buffered, counted, and never waiting longer than the exchange may last."""

from collections.abc import Callable

from setup_wizard.nodes.errors import NodeMisbehaved, NodeUnreachable

_CHUNK = 16 * 1024


class Reader:
    """Give `http.client` lines and blocks, and stop at a number of bytes set for what is being read.

    It outlives the answers on its connection, so what the node sends too much stays visible in `has_more`.
    `receive(n)` gives up to n bytes, none at the end, and raises when time is up.
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = bytearray()
        self._left = 0
        self._what = ""

    def expect(self, what: str, limit: int) -> None:
        """Allow `limit` bytes from here on for `what` ("headers", "body")."""
        self._what = what
        self._limit = self._left = limit

    @property
    def has_more(self) -> bool:
        """Tell whether bytes have arrived that nobody has read."""
        return bool(self._held)

    def hold(self, data: bytes) -> None:
        """Keep bytes that came outside an exchange."""
        self._held += data

    def readline(self, limit: int = -1) -> bytes:
        """Read up to and with the next line feed, or `limit` bytes; nothing when the end comes before all else.

        Raises:
            NodeUnreachable: the end comes in the middle of a line, or of lines that belong together.
            NodeMisbehaved: the line does not fit into what is allowed.
        """
        most = self._left + 1 if limit < 0 else min(limit, self._left + 1)
        seen = 0
        while (end := self._held.find(b"\n", seen, most) + 1) == 0 and len(self._held) < most:
            seen = len(self._held)
            if not self._fill():
                self._stop_short()
                break
        return self._take(end or min(len(self._held), most))

    def read(self, amount: int = -1) -> bytes:
        """Read `amount` bytes or, at the end of the connection, fewer; without an amount everything up to the end.

        Raises:
            NodeMisbehaved: it is more than what is allowed; a length that is announced is refused before it is read.
        """
        if amount < 0:
            amount = self._left + 1
        elif amount > self._left:
            self._refuse()
        while len(self._held) < amount and self._fill():
            pass
        return self._take(min(len(self._held), amount))

    def flush(self) -> None:
        """Do nothing: there is nothing to flush on the way in."""

    def close(self) -> None:
        """Do nothing: the answer that closes its file is done, the connection is not."""

    def _fill(self) -> bool:
        data = self._receive(_CHUNK)
        self._held += data
        return bool(data)

    def _stop_short(self) -> None:
        # http.client would take half a line for a whole one, and so a node that restarts for something else
        if self._held or self._left < self._limit:
            raise NodeUnreachable("answer", "the answer was cut short")

    def _take(self, amount: int) -> bytes:
        if amount > self._left:
            self._refuse()
        self._left -= amount
        data = bytes(self._held[:amount])
        del self._held[:amount]
        return data

    def _refuse(self) -> None:
        raise NodeMisbehaved(f"the answer has more than {self._limit // 1024} KiB of {self._what}")
