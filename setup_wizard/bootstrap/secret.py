"""A text that never shows itself."""

import hmac
from typing import Final, Never

MASK: Final = "********"


class Secret:
    """Hold a password or a key so that printing, formatting, logging or pickling it gives nothing away.

    Equal by value, in constant time; unhashable on purpose, so that it cannot become a key of a cache; false when
    empty. Only `reveal()` gives the text.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Give the text itself: for the request to the node and for the vault, nowhere else."""
        return self.__text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encode(self.__text), _encode(other.reveal()))

    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a Secret cannot be pickled or copied: pass it on as it is")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
