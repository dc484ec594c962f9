"""Failures that a node can be told to produce, to test clients with.

``NAME[=VALUE][:WORD…]`` is a fault. The words select the requests that it affects:

    :get :post :validate :any   GETs, requests for a bootstrap, for a validation, or all requests
    :once :all                  only the first of them, or all
    :after=N                    not the first N of them

Each fault has its own defaults for the words. Requests between members are never affected.

    fault             the base class, the words, the moment that a fault waits for
    losses            answers and requests that are lost or delayed
    status_codes      answers with another status code, such as 401 or 503
    bodies            answers that cannot be read, lead elsewhere or never end
    changed_bodies    answers whose JSON is changed, or that repeat what was sent
    bootstrap_status  a bootstrap status that misleads
    connections       connections that are cut, ignored or get another certificate

A new fault is a subclass of `Fault` with a `usage`; command line and control port then know it.
"""

from collections.abc import Callable, Iterable, Iterator
from ssl import SSLContext
from time import monotonic

from setup_wizard.reference_node.faults import (  # noqa: F401 - these define them
    bodies,
    bootstrap_status,
    changed_bodies,
    connections,
    losses,
    status_codes,
)
from setup_wizard.reference_node.faults.fault import FAULTS, Fault, OnConnect, Scope, Timeline, split_words
from setup_wizard.reference_node.lifecycle import State

__all__ = ["FAULTS", "Fault", "Faults", "describe_faults", "parse_fault"]


class Faults:
    """The faults of one node; `state` returns the state of its bootstrap, `addresses` are its own."""

    def __init__(self, faults: Iterable[Fault], state: Callable[[], State], addresses: list[str]) -> None:
        self._timeline = Timeline(state, addresses)
        self._faults: list[Fault] = []
        self.put(faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults))

    def put(self, faults: Iterable[Fault]) -> None:
        """Replace all faults; each of the new ones begins now."""
        self._faults = list(faults)
        for fault in self._faults:
            fault.begin(self._timeline)

    def note_accepted(self) -> None:
        """Note that a bootstrap was accepted now; some faults wait for that."""
        self._timeline.accepted_at = monotonic()

    def on_connect(self) -> tuple[OnConnect, str | None]:
        """What happens to a new connection, and because of which fault."""
        for fault in self:
            if (action := fault.on_connect()) is not OnConnect.SERVE:
                return action, fault.label
        return OnConnect.SERVE, None

    def context(self) -> SSLContext | None:
        """The TLS of new connections, when it is not the node's own."""
        return next((context for fault in self if (context := fault.context())), None)


def parse_fault(text: str) -> Fault:
    """Read one fault; raises ValueError with the known faults, or the usage of this one."""
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
    """List every fault with its words and its effect, for `--help`."""
    lines = []
    for fault in FAULTS.values():
        lines.append(f"  {fault.usage}{fault.words()}")
        lines.append(f"      {(fault.__doc__ or '').strip().splitlines()[0]}")
    return "\n".join(lines)
