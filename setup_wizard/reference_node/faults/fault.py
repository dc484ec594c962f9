"""What all faults share: the words that select requests, the moment to begin, and hooks that do nothing."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum, StrEnum, auto
from ssl import SSLContext
from time import monotonic
from typing import Any, ClassVar, Self, dataclass_transform

from setup_wizard.reference_node.lifecycle import State
from setup_wizard.reference_node.messages import Answer, Request

WORD = re.compile(r":(get|post|validate|any|once|all|after=[0-9]{1,9})$")
MOMENT = "now|SECONDS|accept+SECONDS|STATE"
BETWEEN_MEMBERS = "/_cluster/"
ENDS = frozenset({State.COMPLETED, State.ERROR})
FAULTS: dict[str, type["Fault"]] = {}


class Kind(StrEnum):
    """Which requests a fault affects."""

    GET = "get"
    POST = "post"
    VALIDATE = "validate"
    ANY = "any"

    def includes(self, request: Request) -> bool:
        if request.path.startswith(BETWEEN_MEMBERS):
            return False
        match self:
            case Kind.GET:
                return request.is_read
            case Kind.POST:
                return request.asks_for_bootstrap
            case Kind.VALIDATE:
                return request.asks_for_validation
            case Kind.ANY:
                return True


class OnConnect(Enum):
    """What happens to a connection before anything is read from it."""

    SERVE = auto()
    RESET = auto()
    NO_TLS = auto()
    NO_ANSWER = auto()


@dataclass
class Scope:
    """Which requests, and which of them in their order; `seen` counts them."""

    kind: Kind | None
    once: bool = False
    after: int = 0
    seen: int = 0

    @classmethod
    def parse(cls, words: list[str], fault: type["Fault"]) -> Self:
        """Read the words of a fault; raises ValueError for an unknown word, or two of the same sort."""
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
            if sort in sorts or not (fault.allows_count_words or sort == "kind"):
                raise ValueError(word)
            sorts.add(sort)
        return scope

    def takes_next(self) -> bool:
        """Count one more request, and say whether it is affected."""
        self.seen += 1
        return self.seen == self.after + 1 if self.once else self.seen > self.after


@dataclass
class Timeline:
    """What happened on one node: the state of its bootstrap, and when the last one was accepted (monotonic)."""

    state: Callable[[], State]
    addresses: list[str]
    accepted_at: float | None = None


def rank(state: State) -> int:
    """How far a bootstrap has come; all states while it works have one rank, and both end states too."""
    return 3 if state in ENDS else {State.IDLE: 0, State.INITIATED: 1}.get(state, 2)


@dataclass
class Moment:
    """A moment; once it has come, it stays so.

    It is checked when a request arrives, so a state that was passed in between counts as reached.
    """

    seconds: float = 0.0
    after_accept: bool = False
    state: State | None = None
    reached_at: float | None = None
    _timeline: Timeline | None = None
    _begun: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``now``, seconds from now, ``accept+`` seconds or a state; raises ValueError."""
        if text in {"now", ""}:
            return cls()
        if text[0].isdigit():
            return cls(read_seconds(text))
        if text.startswith("accept+"):
            return cls(read_seconds(text.removeprefix("accept+")), after_accept=True)
        return cls(state=State(text))

    def begin(self, timeline: Timeline) -> None:
        self._timeline, self._begun, self.reached_at = timeline, monotonic(), None

    def has_come(self) -> bool:
        if self.reached_at is None and (due := self._due()) is not None and due <= monotonic():
            self.reached_at = due
        return self.reached_at is not None

    def lasts(self, seconds: float) -> bool:
        """Whether it has come, but not longer ago than this."""
        return self.has_come() and monotonic() < (self.reached_at or 0.0) + seconds

    def _due(self) -> float | None:
        if self._timeline is None:
            return None
        accepted = self._timeline.accepted_at
        if self.after_accept:
            return None if accepted is None else max(accepted + self.seconds, self._begun)
        if self.state is None:
            return self._begun + self.seconds
        current = self._timeline.state()
        has_run = accepted is not None and accepted >= self._begun
        passed = has_run and self.state not in ENDS and rank(current) >= rank(self.state)
        return monotonic() if passed or current == self.state else None


@dataclass_transform(field_specifiers=(field,))
class Fault:
    """Something that goes wrong on purpose; every subclass is a dataclass.

    `usage` begins with its name. `kinds` are the requests that it can affect, the default first (none: it affects
    connections), `once` whether it affects only the first of them by default, `allows_count_words` whether words can
    change that.
    `text` is the fault as it was requested, `label` its name in the journal.
    """

    usage: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = (Kind.ANY, Kind.GET, Kind.POST, Kind.VALIDATE)
    once: ClassVar[bool] = False
    allows_count_words: ClassVar[bool] = True

    scope: Scope
    text: str = ""
    label: str = ""

    def __init_subclass__(cls) -> None:
        dataclass(cls)
        if usage := cls.__dict__.get("usage"):
            FAULTS[re.split(r"[=[]", usage)[0]] = cls

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a value into the fields that `part` declared, separated by commas; raises ValueError."""
        parts = [each for each in fields(cls) if each.metadata]  # type: ignore[arg-type]  # all faults are dataclasses
        texts = value.split(",", max(0, len(parts) - 1)) if value else []
        if len(texts) > len(parts):
            raise ValueError(value)
        texts += [each.metadata["default"] for each in parts[len(texts) :]]
        return cls(**{each.name: each.metadata["read"](text) for each, text in zip(parts, texts, strict=True)})

    @classmethod
    def words(cls) -> str:
        """The words that it takes, each default first."""
        kinds = "|".join(f":{kind}" for kind in cls.kinds) if len(cls.kinds) > 1 else ""
        often = (":once|:all" if cls.once else ":all|:once", ":after=N") if cls.allows_count_words else ()
        return "".join(f"[{words}]" for words in (kinds, *often) if words)

    def affects(self, request: Request) -> bool:
        """Whether it affects this request; it counts, so ask once."""
        return self.scope.kind is not None and self.scope.kind.includes(request) and self.scope.takes_next()

    def begin(self, _timeline: Timeline, /) -> None:
        """Become active."""

    def on_connect(self) -> OnConnect:
        """What happens to a new connection."""
        return OnConnect.SERVE

    def context(self) -> SSLContext | None:
        """The TLS of a new connection, when it is not the node's own."""
        return None

    async def hold(self, _request: Request, /) -> None:
        """Wait before the node sees the request."""

    def intercept(self, _request: Request, /) -> Answer | None:
        """Answer instead of the node, which then never sees the request."""
        return None

    def replace(self, _request: Request, answer: Answer, /) -> Answer:
        """Change the node's answer."""
        return answer


def part(read: Callable[[str], object], default: str = "") -> dict[str, Any]:
    """The metadata of a field that is read from the value of a fault, or from `default` when that has no such part."""
    return {"read": read, "default": default}


def one_of(*words: str) -> Callable[[str], str]:
    """Read one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return read


def number(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number within limits."""

    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,15}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def split_words(text: str) -> tuple[str, list[str]]:
    """Separate a fault from its words."""
    words: list[str] = []
    while match := WORD.search(text):
        text, words = text[: match.start()], [match[1], *words]
    return text, words


def read_seconds(text: str) -> float:
    """Read a number of seconds; raises ValueError."""
    seconds = float(text)
    if not (math.isfinite(seconds) and 0 <= seconds < 1e9):
        raise ValueError(text)
    return seconds
