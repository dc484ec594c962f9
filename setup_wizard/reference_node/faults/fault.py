"""What all faults have: the words that say when they come into play, and hooks that do nothing by themselves."""

import math
import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from ssl import SSLContext
from typing import ClassVar, Self

from setup_wizard.reference_node.faults.moments import Timeline
from setup_wizard.reference_node.messages import Answer, Request

WORD = re.compile(r":(get|post|validate|any|once|all|after=[0-9]{1,9})$")
BETWEEN_NODES = "/_cluster/"


class Kind(StrEnum):
    """Which requests a fault meets."""

    GET = "get"
    POST = "post"
    VALIDATE = "validate"
    ANY = "any"

    def includes(self, request: Request) -> bool:
        """Whether a request is of this kind; what nodes say to each other is of none."""
        match self:
            case Kind.GET:
                included = request.is_read
            case Kind.POST:
                included = request.asks_for_bootstrap
            case Kind.VALIDATE:
                included = request.asks_for_validation
            case Kind.ANY:
                included = True
        return included and not request.path.startswith(BETWEEN_NODES)


class Greeting(Enum):
    """What a connection meets before anything is read from it."""

    WELCOME = auto()
    RESET = auto()
    NO_TLS = auto()
    NO_ANSWER = auto()


@dataclass
class Scope:
    """Which requests, and which of them in their order; it counts those that it was asked about."""

    kind: Kind | None
    once: bool = False
    after: int = 0
    seen: int = 0

    @classmethod
    def parse(cls, words: list[str], fault: type["Fault"]) -> Self:
        """Read the words behind a fault; raises ValueError for one that it does not know, or a second of its sort."""
        scope = cls(fault.kinds[0] if fault.kinds else None, once=fault.once)
        sorts = set()
        for word in words:
            if word in {"once", "all"}:
                sort, scope.once = "often", word == "once"
            elif word.startswith("after="):
                sort, scope.after = "after", int(word.removeprefix("after="))
            else:
                sort, scope.kind = "kind", Kind(word)
                if scope.kind not in fault.kinds:
                    raise ValueError(word)
            if sort in sorts or not (fault.counts or sort == "kind"):
                raise ValueError(word)
            sorts.add(sort)
        return scope

    def takes_next(self) -> bool:
        """Count one more, and say whether it is one that goes wrong."""
        self.seen += 1
        return self.seen == self.after + 1 if self.once else self.seen > self.after


class Fault:
    """Something that goes wrong on purpose.

    `kinds` are the requests that it can meet, the usual one first (none: it meets connections), `once` whether it
    meets only the first of them when nothing else is said, `counts` whether that can be said at all. `text` is how it
    was asked for, `label` how the journal names it.
    """

    name: ClassVar[str]
    usage: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = (Kind.ANY, Kind.GET, Kind.POST, Kind.VALIDATE)
    once: ClassVar[bool] = False
    counts: ClassVar[bool] = True

    scope: Scope
    text: str = ""
    label: str = ""

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read what stands behind the equals sign, by default nothing; raises ValueError."""
        if value:
            raise ValueError(value)
        return cls()

    @classmethod
    def words(cls) -> str:
        """The words that it knows, the usual ones first."""
        kinds = "|".join(f":{kind}" for kind in cls.kinds) if len(cls.kinds) > 1 else ""
        often = (":once|:all" if cls.once else ":all|:once", ":after=N") if cls.counts else ()
        return "".join(f"[{words}]" for words in (kinds, *often) if words)

    def meets(self, request: Request) -> bool:
        """Whether this request goes wrong; it counts, so ask once."""
        return self.scope.kind is not None and self.scope.kind.includes(request) and self.scope.takes_next()

    def begin(self, _timeline: Timeline, /) -> None:
        """Come into force."""

    def greet(self) -> Greeting:
        """Say what a connection that was just accepted meets."""
        return Greeting.WELCOME

    def context(self) -> SSLContext | None:
        """The TLS of a connection that begins now, when it is not the node's own."""
        return None

    async def hold(self, _request: Request, /) -> None:
        """Wait before a request counts."""

    def intercept(self, _request: Request, /) -> Answer | None:
        """Answer in place of the node, which never learns of the request."""
        return None

    def replace(self, _request: Request, answer: Answer, /) -> Answer:
        """Return the answer that leaves instead of the node's."""
        return answer


def split_words(text: str) -> tuple[str, list[str]]:
    """Take the words off the end of a fault."""
    words: list[str] = []
    while match := WORD.search(text):
        text, words = text[: match.start()], [match[1], *words]
    return text, words


def read_seconds(text: str) -> float:
    """Read a number of seconds; raises ValueError."""
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(text)
    return seconds


def read_number(text: str, low: int, high: int) -> int:
    """Read a whole number within limits; raises ValueError."""
    if not re.fullmatch("[0-9]{1,15}", text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)
