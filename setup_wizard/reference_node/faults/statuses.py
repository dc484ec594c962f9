"""A bootstrap's status that misleads: what the node does is right, what it says of it is not."""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from setup_wizard.reference_node.faults.fault import Fault, Kind
from setup_wizard.reference_node.faults.moments import rank
from setup_wizard.reference_node.lifecycle import State
from setup_wizard.reference_node.messages import BOOTSTRAP_PATH, Answer, Request


class Status(Fault):
    """A fault that changes the `bootstrap_status` of answers to ``GET /v1/bootstrap``."""

    kinds = (Kind.GET,)

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Change it, when there is one and it changes."""
        if request.path != BOOTSTRAP_PATH or not request.is_read or answer.status != 200:
            return answer
        document = json.loads(answer.body)
        if not self.changes(document["bootstrap_status"]) or not self.meets(request):
            return answer
        self.change(document["bootstrap_status"])
        return answer.replaced(body=json.dumps(document).encode(), fault=self.label)

    def changes(self, status: dict[str, Any]) -> bool:
        """Whether it has something to change here; only then does the answer count."""
        raise NotImplementedError

    def change(self, status: dict[str, Any]) -> None:
        """Change it in place."""
        raise NotImplementedError


@dataclass
class SameStartTime(Status):
    """Show the first `start_time` that was shown, or that there was none, for ever."""

    name = "same-start-time"
    usage = "same-start-time"

    shown: list[str | None] = field(default_factory=list, init=False)

    def changes(self, status: dict[str, Any]) -> bool:
        """Remember the first, and say whether this is another."""
        if not self.shown:
            self.shown.append(status.get("start_time"))
        return bool(status.get("start_time") != self.shown[0])

    def change(self, status: dict[str, Any]) -> None:
        """Put the first one back."""
        status.pop("start_time", None)
        if self.shown[0] is not None:
            status["start_time"] = self.shown[0]


@dataclass
class Alternating(Status):
    """A fault that shows the truth and something else in turn, the truth first."""

    turns: int = field(default=0, init=False)

    def changes(self, status: dict[str, Any]) -> bool:
        """Every second answer, of those that can be changed."""
        if not self.misleads(State(status["state"])):
            return False
        self.turns += 1
        return self.turns % 2 == 0

    def misleads(self, state: State) -> bool:
        """Whether there is something to change in this state."""
        raise NotImplementedError


@dataclass
class Backwards(Alternating):
    """Show, in every second answer, a state that the bootstrap has passed: `initiated`, or the one that is said."""

    name = "backwards"
    usage = "backwards[=STATE]"

    state: State = State.INITIATED

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the state to fall back to."""
        fallen = cls(State(value)) if value else cls()
        if rank(fallen.state) == 3:
            raise ValueError(value)
        return fallen

    def misleads(self, state: State) -> bool:
        """Once it has come further."""
        return rank(state) > rank(self.state)

    def change(self, status: dict[str, Any]) -> None:
        """Fall back."""
        status["state"] = self.state.value
        for name in ("end_time", "error_code", "error_details"):
            status.pop(name, None)


@dataclass
class FlappingError(Alternating):
    """Show `error` in every second answer while the bootstrap runs on; with a code of its own when one is said."""

    name = "flapping-error"
    usage = "flapping-error[=CODE]"

    code: str = "internal_error"

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the code."""
        if value and not value.replace("_", "").isalnum():
            raise ValueError(value)
        return cls(value) if value else cls()

    def misleads(self, state: State) -> bool:
        """While it runs."""
        return 0 < rank(state) < 3

    def change(self, status: dict[str, Any]) -> None:
        """Say that it has failed."""
        status |= {"state": State.ERROR.value, "error_code": self.code, "end_time": status.get("start_time")}
        status["error_details"] = {"message": "This error comes and goes, as was asked for."}


@dataclass
class Echo(Fault):
    """Repeat the last request for a bootstrap, secrets and all, in `error_details` and in refusals."""

    name = "echo"
    usage = "echo"
    kinds = (Kind.ANY, Kind.GET, Kind.POST, Kind.VALIDATE)

    # in memory alone, and in no text about this fault: it holds what the client sent, its password too
    heard: str = field(default="", init=False, repr=False)

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Put it where clients look for the reason."""
        if request.body and (request.asks_for_bootstrap or request.asks_for_validation):
            self.heard = request.body.decode("utf-8", "replace")
        if not self.heard or not answer.body or answer.content_type != "application/json":
            return answer
        document = json.loads(answer.body)
        status = document.get("bootstrap_status", document) if isinstance(document, dict) else {}
        if "error_code" not in status or not self.meets(request):
            return answer
        if "state" in status:
            status["error_details"] = {**status.get("error_details", {}), "request": self.heard}
            status["error_details"]["message"] = f"{status['error_details'].get('message', '')} in {self.heard}"
        else:
            status["description"] = f"{status.get('description', '')} in {self.heard}"
        return answer.replaced(body=json.dumps(document).encode(), fault=self.label)
