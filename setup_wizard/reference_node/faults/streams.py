"""Answers without an end: what they cost is paid by the client alone, the node keeps none of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

from setup_wizard.reference_node.faults.fault import Fault, read_number, read_seconds
from setup_wizard.reference_node.messages import Answer, Request, Send, write_answer

BLOCK = b" " * 65536
INTERIM = (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")


class Stream(Fault):
    """A fault that writes its answer piece by piece, past all rules of HTTP; the node has done what was asked."""

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Take the sending over."""
        return answer.replaced(fault=self.label, deliver=self.deliver) if self.meets(request) else answer

    async def deliver(self, answer: Answer, request: Request, _send: Send) -> None:
        """Write until there is nothing left or nobody reads, then close."""
        async for piece in self.pieces(answer, request):
            if not await request.connection.write(piece):
                break
        request.connection.finish()
        await request.connection.closed()

    def pieces(self, answer: Answer, request: Request) -> AsyncIterator[bytes]:
        """What is written."""
        raise NotImplementedError


@dataclass
class Drip(Stream):
    """Send the headers, or the body, of the answer one byte at a time: each second, or as often as is said."""

    name = "drip"
    usage = "drip=headers|body[,SECONDS]"

    part: str
    seconds: float = 1.0

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read which part, and how slowly."""
        part, comma, seconds = value.partition(",")
        if part not in {"headers", "body"}:
            raise ValueError(value)
        return cls(part, read_seconds(seconds)) if comma else cls(part)

    async def pieces(self, answer: Answer, request: Request) -> AsyncIterator[bytes]:
        """The bytes of the answer, the quick part at once."""
        # an empty body cannot drip, so that one has blanks in it
        whole = answer if answer.body or self.part == "headers" else replace(answer, body=b" " * 64)
        head, blank, body = write_answer(whole).partition(b"\r\n\r\n")
        before, slow, after = (b"", head + blank, body) if self.part == "headers" else (head + blank, body, b"")
        yield before
        for position in range(len(slow)):
            if await request.connection.closed_within(self.seconds):
                return
            yield slow[position : position + 1]
        yield after


@dataclass
class EndlessHeaders(Stream):
    """Answer 200 and then headers for ever."""

    name = "endless-headers"
    usage = "endless-headers"

    async def pieces(self, _answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        """Headers, each of another name."""
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        for number in count(1):
            yield b"".join(b"X-Header-%d-%d: %s\r\n" % (number, part, b"x" * 100) for part in range(100))


@dataclass
class HugeBody(Stream):
    """Answer with 10 GB of blanks, or the bytes that are said, announced; with ``chunked`` unannounced."""

    name = "huge-body"
    usage = "huge-body[=BYTES[,chunked]]"

    size: int = 10_000_000_000
    chunked: bool = False

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the size."""
        size, comma, chunked = value.partition(",")
        if comma and chunked != "chunked":
            raise ValueError(value)
        return cls(read_number(size, 1, 10**15), chunked=bool(comma)) if size else cls()

    async def pieces(self, _answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        """Blanks, which JSON allows before it begins."""
        form = b"Transfer-Encoding: chunked" if self.chunked else b"Content-Length: %d" % self.size
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s\r\n\r\n" % form
        left = self.size
        while left:
            block = BLOCK[: min(left, len(BLOCK))]
            left -= len(block)
            yield b"%x\r\n%s\r\n" % (len(block), block) if self.chunked else block
        if self.chunked:
            yield b"0\r\n\r\n"


@dataclass
class InterimFlood(Stream):
    """Send interim answers (100, 103) for ever, or so many before the node's own."""

    name = "interim-flood"
    usage = "interim-flood[=COUNT]"

    number: int | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read how many."""
        return cls(read_number(value, 1, 10**9)) if value else cls()

    async def pieces(self, answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        """One of each in turn."""
        for number in count() if self.number is None else range(self.number):
            yield INTERIM[number % len(INTERIM)]
        yield write_answer(answer)
