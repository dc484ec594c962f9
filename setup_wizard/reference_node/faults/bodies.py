"""Answers that cannot be read, lead elsewhere or never end, at no cost in memory for the node."""

import asyncio
import itertools
import json
import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import field
from functools import lru_cache

from setup_wizard.reference_node.faults.fault import Fault, number, one_of, part, read_seconds
from setup_wizard.reference_node.messages import Answer, Request, Send, send_answer, write_answer

GARBAGE = b'{"bootstrap_status": {"state": "id\xff\xfe\x00\x1b[2J ]]]> %s %n ${x} \xf0\x9f'
PAGE = (
    b"<!doctype html><html><head><title>Welcome</title></head><body><form>Sign in to the network</form></body></html>"
)
MEBIBYTE = 1024 * 1024
BLOCK = b" " * 65536
INTERIM = (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")


def read_location(text: str) -> str:
    """Read the target of a redirect; raises ValueError."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(text)
    return text


class Body(Fault):
    """A fault that replaces the body of the answer."""

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        if not self.affects(request):
            return answer
        return answer.replaced(status=200, headers={}, fault=self.label, **self.changes(answer))

    def changes(self, answer: Answer) -> dict[str, object]:
        raise NotImplementedError


class Garbage(Body):
    """Answer 200 with bytes that are neither JSON nor text."""

    usage = "garbage"

    def changes(self, _answer: Answer) -> dict[str, object]:
        return {"body": GARBAGE, "content_type": "application/json"}


class HtmlPage(Body):
    """Answer 200 with an HTML page, as a captive portal does."""

    usage = "html"

    def changes(self, _answer: Answer) -> dict[str, object]:
        return {"body": PAGE, "content_type": "text/html; charset=utf-8"}


class NotANumber(Body):
    """Answer with NaN and Infinity as numbers, which JSON does not have."""

    usage = "nan"

    def changes(self, answer: Answer) -> dict[str, object]:
        document = _without_numbers(read_body(answer))
        if isinstance(document, dict):
            document["revision"] = float("nan")
        return {"body": json.dumps(document).encode()}


class DeepJson(Body):
    """Answer with JSON that is nested a thousand levels deep, or LEVELS."""

    usage = "deep-json[=LEVELS]"

    levels: int = field(metadata=part(number(1, 1_000_000), "1000"))

    def changes(self, answer: Answer) -> dict[str, object]:
        nest = b"[" * self.levels + b"]" * self.levels
        inside = answer.body.strip().removesuffix(b"}")
        return {"body": inside + b', "nest": ' + nest + b"}" if inside else b'{"nest": ' + nest + b"}"}


class WrongTypes(Body):
    """Answer with all fields, each value of another type."""

    usage = "wrong-types"

    def changes(self, answer: Answer) -> dict[str, object]:
        return {"body": json.dumps(_with_other_types(read_body(answer))).encode()}


class GzipBomb(Body):
    """Answer with a small gzip body that unpacks to a gibibyte, or to MEBIBYTES."""

    usage = "gzip-bomb[=MEBIBYTES]"

    mebibytes: int = field(metadata=part(number(1, 10240), "1024"))

    def changes(self, _answer: Answer) -> dict[str, object]:
        return {"deliver": self.deliver}

    async def deliver(self, answer: Answer, request: Request, send: Send) -> None:
        # in a thread: the checksum of a gibibyte takes long
        bomb = await asyncio.to_thread(make_bomb, self.mebibytes, answer.body or b"{}")
        await send_answer(answer.replaced(body=bomb, headers={"content-encoding": "gzip"}), request, send)


class Redirect(Fault):
    """Redirect the client instead of processing the request."""

    usage = "redirect=301|302|303|307|308,LOCATION"

    status: str = field(metadata=part(one_of("301", "302", "303", "307", "308")))
    location: str = field(metadata=part(read_location))

    def intercept(self, request: Request, /) -> Answer | None:
        if not self.affects(request):
            return None
        return Answer(int(self.status), headers={"location": self.location}, fault=self.label)


class Stream(Fault):
    """A fault that processes the request and writes the answer in pieces, against the rules of HTTP."""

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        return answer.replaced(fault=self.label, deliver=self.deliver) if self.affects(request) else answer

    async def deliver(self, answer: Answer, request: Request, _send: Send) -> None:
        async for piece in self.pieces(answer, request):
            if not await request.connection.write(piece):
                break
        request.connection.finish()
        await request.connection.closed()

    def pieces(self, answer: Answer, request: Request) -> AsyncIterator[bytes]:
        raise NotImplementedError


class Drip(Stream):
    """Send the headers, or the body, of the answer one byte at a time, one each second or every SECONDS."""

    usage = "drip=headers|body[,SECONDS]"

    where: str = field(metadata=part(one_of("headers", "body")))
    seconds: float = field(metadata=part(read_seconds, "1"))

    async def pieces(self, answer: Answer, request: Request) -> AsyncIterator[bytes]:
        # an empty body has nothing to drip
        whole = answer if answer.body or self.where == "headers" else answer.replaced(body=b" " * 64)
        head, blank, body = write_answer(whole).partition(b"\r\n\r\n")
        before, slow, after = (b"", head + blank, body) if self.where == "headers" else (head + blank, body, b"")
        yield before
        for position in range(len(slow)):
            if await request.connection.closed_within(self.seconds):
                return
            yield slow[position : position + 1]
        yield after


class EndlessHeaders(Stream):
    """Answer 200 and endless headers."""

    usage = "endless-headers"

    async def pieces(self, _answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        for index in itertools.count(1):
            yield b"".join(b"X-Header-%d-%d: %s\r\n" % (index, each, b"x" * 100) for each in range(100))


class HugeBody(Stream):
    """Answer with 10 GB of blanks, or BYTES, with a Content-Length or ``chunked``."""

    usage = "huge-body[=BYTES[,chunked]]"

    size: int = field(metadata=part(number(1, 10**15), "10000000000"))
    chunked: str = field(metadata=part(one_of("chunked", "")))

    async def pieces(self, _answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        form = b"Transfer-Encoding: chunked" if self.chunked else b"Content-Length: %d" % self.size
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s\r\n\r\n" % form
        left = self.size
        while left:
            block = BLOCK[: min(left, len(BLOCK))]
            left -= len(block)
            yield b"%x\r\n%s\r\n" % (len(block), block) if self.chunked else block
        if self.chunked:
            yield b"0\r\n\r\n"


class InterimFlood(Stream):
    """Send interim answers (100, 103) endlessly, or COUNT before the answer of the node."""

    usage = "interim-flood[=COUNT]"

    count: int = field(metadata=part(number(1, 10**9), "1000000000"))

    async def pieces(self, answer: Answer, _request: Request) -> AsyncIterator[bytes]:
        for index in range(self.count):
            yield INTERIM[index % len(INTERIM)]
        yield write_answer(answer)


@lru_cache(maxsize=2)
def make_bomb(mebibytes: int, document: bytes) -> bytes:
    """Pack a JSON document behind so many mebibytes of blanks, with a correct checksum."""
    blanks = b" " * MEBIBYTE
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # a block that is flushed in full does not depend on others: it can be repeated
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(document) + packer.flush()
    checksum = 0
    for _ in range(mebibytes):
        checksum = zlib.crc32(blanks, checksum)
    checksum = zlib.crc32(document, checksum)
    length = (mebibytes * MEBIBYTE + len(document)) % 2**32
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + block * mebibytes + end + checksum.to_bytes(4, "little") + length.to_bytes(4, "little")


def read_body(answer: Answer) -> object:
    """Read an answer's document; an empty one counts as an empty object."""
    return json.loads(answer.body) if answer.body else {}


def _without_numbers(value: object) -> object:
    match value:
        case dict():
            return {name: _without_numbers(entry) for name, entry in value.items()}
        case list():
            return [_without_numbers(entry) for entry in value]
        case int() | float() if not isinstance(value, bool):
            return float("inf") if isinstance(value, float) else float("nan")
        case _:
            return value


def _with_other_types(value: object) -> object:
    match value:
        case dict():
            return {name: _with_other_types(entry) for name, entry in value.items()} or []
        case list():
            return {"entries": len(value)}
        case str():
            return len(value)
        case bool() | None:
            return [value]
        case _:
            return f"about {value}"
