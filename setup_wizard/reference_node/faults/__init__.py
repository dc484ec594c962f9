"""What may be made to go wrong, to test clients with: one class for each fault, and one way to write them.

``NAME[=VALUE][:WORD…]`` names a fault. The words say which requests it meets, and how often:

    :get :post :validate :any   questions, requests for a bootstrap, for a validation of one, or all of these
    :once :all                  the first of them alone, or every one
    :after=N                    not the first N of them

Each fault has defaults of its own for all three. What nodes say to each other is met by none.

    fault        the words, and the hooks that a fault may have
    moments      a moment that a fault waits for: a time, a state
    losses       answers and requests that are lost, held or refused
    bodies       answers that cannot be read, or that lead elsewhere
    streams      answers without an end
    statuses     a bootstrap's status that misleads
    connections  connections that are cut, ignored or answered under another certificate

A new one is a subclass of `Fault` in one of them, and a name in the table here; command line and control know it then.
"""

from collections.abc import Callable, Iterable, Iterator
from ssl import SSLContext
from time import monotonic

from setup_wizard.reference_node.faults.bodies import (
    DeepJson,
    Garbage,
    GzipBomb,
    HtmlPage,
    NotANumber,
    Redirect,
    WrongTypes,
)
from setup_wizard.reference_node.faults.connections import Hang, NewCertificate, ResetConnection
from setup_wizard.reference_node.faults.fault import Fault, Greeting, Scope, split_words
from setup_wizard.reference_node.faults.losses import (
    AnswerStatus,
    DropAnswer,
    HoldPost,
    Swallow,
    Unauthorized,
    Unavailable,
)
from setup_wizard.reference_node.faults.moments import Timeline
from setup_wizard.reference_node.faults.statuses import Backwards, Echo, FlappingError, SameStartTime
from setup_wizard.reference_node.faults.streams import Drip, EndlessHeaders, HugeBody, InterimFlood
from setup_wizard.reference_node.lifecycle import State

__all__ = ["FAULTS", "Fault", "Faults", "describe_faults", "parse_fault"]

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        DropAnswer,
        Swallow,
        HoldPost,
        AnswerStatus,
        Unauthorized,
        Unavailable,
        Redirect,
        Garbage,
        HtmlPage,
        NotANumber,
        DeepJson,
        WrongTypes,
        GzipBomb,
        HugeBody,
        Drip,
        EndlessHeaders,
        InterimFlood,
        SameStartTime,
        Backwards,
        FlappingError,
        Echo,
        Hang,
        ResetConnection,
        NewCertificate,
    )
}


class Faults:
    """The faults of one node; `state` tells where its bootstrap stands, `addresses` what it is reached at."""

    def __init__(self, faults: Iterable[Fault], state: Callable[[], State], addresses: list[str]) -> None:
        self._timeline = Timeline(state, addresses)
        self._faults: list[Fault] = []
        self.put(faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults))

    def put(self, faults: Iterable[Fault]) -> None:
        """Have these, and no others, for all that comes after; each begins anew."""
        self._faults = list(faults)
        for fault in self._faults:
            fault.begin(self._timeline)

    def note_accepted(self) -> None:
        """Remember that a bootstrap began just now: some faults wait for that."""
        self._timeline.accepted_at = monotonic()

    def greet(self) -> tuple[Greeting, str | None]:
        """Say what a connection that was just accepted meets, and by which fault."""
        for fault in self:
            if (greeting := fault.greet()) is not Greeting.WELCOME:
                return greeting, fault.label
        return Greeting.WELCOME, None

    def context(self) -> SSLContext | None:
        """The TLS of connections that begin now, when it is not the node's own."""
        return next((context for fault in self if (context := fault.context())), None)


def parse_fault(text: str) -> Fault:
    """Read one fault; raises ValueError with a message that names what there is."""
    body, words = split_words(text)
    name, _, value = body.partition("=")
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}. Known: {', '.join(fault.usage for fault in FAULTS.values())}.")
    try:
        fault = FAULTS[name].parse(value)
        fault.scope = Scope.parse(words, FAULTS[name])
    except ValueError:
        raise ValueError(
            f"{text!r} cannot be read. It is used as {FAULTS[name].usage}{FAULTS[name].words()}."
        ) from None
    fault.text, fault.label = text, body
    return fault


def describe_faults() -> str:
    """List every fault with its words and what it does, for people."""
    lines = []
    for fault in FAULTS.values():
        lines.append(f"  {fault.usage}{fault.words()}")
        lines.append(f"      {(fault.__doc__ or '').strip().splitlines()[0]}")
    return "\n".join(lines)
