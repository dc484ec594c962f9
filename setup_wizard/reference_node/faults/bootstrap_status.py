"""A bootstrap status that misleads: the node works correctly and reports something else."""

import json
from dataclasses import field
from typing import Any

from setup_wizard.reference_node.faults.fault import Fault, Kind, part, rank
from setup_wizard.reference_node.lifecycle import State
from setup_wizard.reference_node.messages import BOOTSTRAP_PATH, Answer, Request


def read_running(text: str) -> State:
    """Read a state that is not the end of a bootstrap; raises ValueError."""
    if rank(State(text)) == 3:
        raise ValueError(text)
    return State(text)


def read_code(text: str) -> str:
    """Read an error code; raises ValueError."""
    if not text.replace("_", "").isalnum():
        raise ValueError(text)
    return text


class Status(Fault):
    """A fault that changes the `bootstrap_status` of answers to ``GET /v1/bootstrap``."""

    kinds = (Kind.GET,)

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        if request.path != BOOTSTRAP_PATH or not request.is_read or answer.status != 200:
            return answer
        document = json.loads(answer.body)
        if not self.changes(document["bootstrap_status"]) or not self.affects(request):
            return answer
        self.change(document["bootstrap_status"])
        return answer.replaced(body=json.dumps(document).encode(), fault=self.label)

    def changes(self, status: dict[str, Any]) -> bool:
        raise NotImplementedError

    def change(self, status: dict[str, Any]) -> None:
        raise NotImplementedError


class SameStartTime(Status):
    """Always show the first `start_time` that was shown, or none if there was none."""

    usage = "same-start-time"

    shown: list[str | None] = field(default_factory=list, init=False)

    def changes(self, status: dict[str, Any]) -> bool:
        if not self.shown:
            self.shown.append(status.get("start_time"))
        return bool(status.get("start_time") != self.shown[0])

    def change(self, status: dict[str, Any]) -> None:
        status.pop("start_time", None)
        if self.shown[0] is not None:
            status["start_time"] = self.shown[0]


class Alternating(Status):
    """A fault that shows the true status and another one in turn, the true one first."""

    turns: int = field(default=0, init=False)

    def changes(self, status: dict[str, Any]) -> bool:
        if not self.misleads(State(status["state"])):
            return False
        self.turns += 1
        return self.turns % 2 == 0

    def misleads(self, state: State) -> bool:
        raise NotImplementedError


class Backwards(Alternating):
    """Show, in every second answer, a state that the bootstrap has passed: `initiated`, or STATE."""

    usage = "backwards[=STATE]"

    state: State = field(metadata=part(read_running, "initiated"))

    def misleads(self, state: State) -> bool:
        return rank(state) > rank(self.state)

    def change(self, status: dict[str, Any]) -> None:
        status["state"] = self.state.value
        for name in ("end_time", "error_code", "error_details"):
            status.pop(name, None)


class FlappingError(Alternating):
    """Show `error` in every second answer while the bootstrap continues, with the code `internal_error` or CODE."""

    usage = "flapping-error[=CODE]"

    code: str = field(metadata=part(read_code, "internal_error"))

    def misleads(self, state: State) -> bool:
        return 0 < rank(state) < 3

    def change(self, status: dict[str, Any]) -> None:
        status |= {"state": State.ERROR.value, "error_code": self.code, "end_time": status.get("start_time")}
        status["error_details"] = {"message": "This error comes and goes, as was asked for."}


class ModuleWarning(Status):
    """Warn, at the end of a bootstrap, that the module MODULE could not be downloaded."""

    usage = "module-warning=MODULE"

    module: str = field(metadata=part(read_code))

    def changes(self, status: dict[str, Any]) -> bool:
        return bool(status["state"] == State.COMPLETED)

    def change(self, status: dict[str, Any]) -> None:
        message = f"Failed to download and install custom module '{self.module}': HTTP 404"
        warning = {"warning_type": "module_download_failed", "message": message}
        status["warnings"] = [{**warning, "details": {"module_name": self.module}}]
