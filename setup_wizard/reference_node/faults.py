"""What may be made to go wrong, to test clients with: one class for each fault.

A fault has hooks, each of which does nothing unless a class has its own:

    hold     before a request for a bootstrap counts
    replace  before an answer leaves

A new one is a subclass here, with a name, a usage and `parse`; the command line then knows it.
"""

import asyncio
import math
from dataclasses import dataclass, field
from typing import ClassVar, Self

from setup_wizard.reference_node.messages import Answer, Request, answer_nothing, reset_connection


class Fault:
    """Something that goes wrong on purpose; a node may have several."""

    name: ClassVar[str]
    usage: ClassVar[str]

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands behind the equals sign; raises ValueError."""
        raise NotImplementedError

    async def hold(self, _request: Request, /) -> None:
        """Wait before a request for a bootstrap is counted."""

    def replace(self, _request: Request, answer: Answer, /) -> Answer:
        """Return the answer that leaves instead."""
        return answer


@dataclass
class DropAnswer(Fault):
    """Begin the bootstrap and drop the answer to the request for it.

    Only the first accepted request is treated so; with ``:all`` every request for a bootstrap, refused ones included.
    """

    name = "drop-answer"
    usage = "drop-answer=reset|silence|502[:all]"

    way: str
    every: bool = False
    done: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read ``reset``, ``silence`` or ``502``, each with or without ``:all``."""
        way, _, how_often = value.partition(":")
        if way not in {"reset", "silence", "502"} or how_often not in {"", "all"}:
            raise ValueError(value)
        return cls(way, every=how_often == "all")

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Swallow the answer, when it is one of those that are to be."""
        if not request.asks_for_bootstrap or not (self.every or (answer.accepted and not self.done)):
            return answer
        self.done = True
        if self.way == "502":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return answer.replaced(status=502, body=page, content_type="text/html", fault=f"{self.name}={self.way}")
        deliver = reset_connection if self.way == "reset" else answer_nothing
        return answer.replaced(status=None, deliver=deliver, fault=f"{self.name}={self.way}")


@dataclass
class HoldPost(Fault):
    """Read a request for a bootstrap, and let it count only some seconds later, whether or not anybody still waits."""

    name = "hold-post"
    usage = "hold-post=SECONDS"

    seconds: float

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a number of seconds."""
        seconds = float(value)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(value)
        return cls(seconds)

    async def hold(self, request: Request, /) -> None:
        """Sleep."""
        request.faults.append(f"{self.name}={self.seconds:g}")
        await asyncio.sleep(self.seconds)


FAULTS: dict[str, type[Fault]] = {fault.name: fault for fault in (DropAnswer, HoldPost)}


def parse_fault(text: str) -> Fault:
    """Read ``NAME`` or ``NAME=VALUE``; raises ValueError with a message that names what there is."""
    name, _, value = text.partition("=")
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}. Known: {', '.join(fault.usage for fault in FAULTS.values())}.")
    try:
        return FAULTS[name].parse(value)
    except ValueError:
        raise ValueError(f"{text!r} cannot be read. It is used as {FAULTS[name].usage}.") from None
