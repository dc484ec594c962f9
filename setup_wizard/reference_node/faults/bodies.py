"""Answers that cannot be read as what they should be, or that lead elsewhere."""

import asyncio
import json
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from setup_wizard.reference_node.faults.fault import Fault, Kind, read_number
from setup_wizard.reference_node.messages import Answer, Request, Send, send_answer

GARBAGE = b'{"bootstrap_status": {"state": "id\xff\xfe\x00\x1b[2J ]]]> %s %n ${x} \xf0\x9f'
PAGE = (
    b"<!doctype html><html><head><title>Welcome</title></head><body><form>Sign in to the network</form></body></html>"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MEBIBYTE = 1024 * 1024


class Body(Fault):
    """A fault that puts another body in place of the answer's."""

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Put it there, with status 200."""
        if not self.meets(request):
            return answer
        return answer.replaced(status=200, headers={}, fault=self.label, **self.changes(answer))

    def changes(self, answer: Answer) -> dict[str, object]:
        """What is changed of the answer."""
        raise NotImplementedError


@dataclass
class Garbage(Body):
    """Answer 200 with bytes that are neither JSON nor text."""

    name = "garbage"
    usage = "garbage"

    def changes(self, _answer: Answer) -> dict[str, object]:
        """Bytes."""
        return {"body": GARBAGE, "content_type": "application/json"}


@dataclass
class HtmlPage(Body):
    """Answer 200 with a page, as a portal between client and node does."""

    name = "html"
    usage = "html"

    def changes(self, _answer: Answer) -> dict[str, object]:
        """A page."""
        return {"body": PAGE, "content_type": "text/html; charset=utf-8"}


@dataclass
class NotANumber(Body):
    """Answer with NaN and Infinity for numbers, which JSON does not have."""

    name = "nan"
    usage = "nan"

    def changes(self, answer: Answer) -> dict[str, object]:
        """The answer with them in it, and with one more field, for those that have no number."""
        document = _without_numbers(read_body(answer))
        if isinstance(document, dict):
            document["revision"] = float("nan")
        return {"body": json.dumps(document).encode()}


@dataclass
class DeepJson(Body):
    """Answer with JSON that is nested a thousand deep, or as deep as is said."""

    name = "deep-json"
    usage = "deep-json[=LEVELS]"

    levels: int = 1000

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read how deep."""
        return cls(read_number(value, 1, 1_000_000)) if value else cls()

    def changes(self, answer: Answer) -> dict[str, object]:
        """The answer with one more field."""
        nest = b"[" * self.levels + b"]" * self.levels
        inside = answer.body.strip().removesuffix(b"}")
        return {"body": inside + b', "nest": ' + nest + b"}" if inside else b'{"nest": ' + nest + b"}"}


@dataclass
class WrongTypes(Body):
    """Answer with every field there and every value of another type."""

    name = "wrong-types"
    usage = "wrong-types"

    def changes(self, answer: Answer) -> dict[str, object]:
        """The answer, each value changed."""
        return {"body": json.dumps(_with_other_types(read_body(answer))).encode()}


@dataclass
class GzipBomb(Body):
    """Answer with a small gzip body that unpacks to a gibibyte, or to the mebibytes that are said."""

    name = "gzip-bomb"
    usage = "gzip-bomb[=MEBIBYTES]"

    mebibytes: int = 1024

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the size."""
        return cls(read_number(value, 1, 10240)) if value else cls()

    def changes(self, _answer: Answer) -> dict[str, object]:
        """A body that is made when it leaves."""
        return {"deliver": self.deliver}

    async def deliver(self, answer: Answer, request: Request, send: Send) -> None:
        """Send it."""
        # aside, because the checksum of a gibibyte takes its time
        bomb = await asyncio.to_thread(make_bomb, self.mebibytes, answer.body or b"{}")
        await send_answer(answer.replaced(body=bomb, headers={"content-encoding": "gzip"}), request, send)


@dataclass
class Redirect(Fault):
    """Send the client elsewhere, before the request counts."""

    name = "redirect"
    usage = "redirect=301|302|303|307|308,LOCATION"
    kinds = (Kind.ANY, Kind.GET, Kind.POST, Kind.VALIDATE)

    status: int
    location: str

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read status and place."""
        status, _, location = value.partition(",")
        if not status.isdecimal() or int(status) not in REDIRECTS or not re.fullmatch(r"[!-~]+", location):
            raise ValueError(value)
        return cls(int(status), location)

    def intercept(self, request: Request, /) -> Answer | None:
        """Point there."""
        if not self.meets(request):
            return None
        return Answer(self.status, headers={"location": self.location}, fault=self.label)


@lru_cache(maxsize=2)
def make_bomb(mebibytes: int, document: bytes) -> bytes:
    """Pack a JSON document behind so many mebibytes of blanks; what is packed is right, its checksum too."""
    blanks = b" " * MEBIBYTE
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # a block that is flushed in full stands for itself, so it can be repeated instead of packed again
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
