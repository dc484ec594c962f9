"""Answers and requests that are lost, held or refused."""

import asyncio
from dataclasses import dataclass
from typing import Self

from setup_wizard.reference_node.faults.fault import Fault, Kind, read_number, read_seconds
from setup_wizard.reference_node.faults.moments import USAGE, Moment, Timeline
from setup_wizard.reference_node.messages import (
    Answer,
    Request,
    answer_nothing,
    cut_status_line,
    refusal,
    reset_connection,
)

BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
WAYS = {"reset": reset_connection, "silence": answer_nothing, "half": cut_status_line}


def lose(answer: Answer, way: str, label: str) -> Answer:
    """Let an answer go missing in one of the ways, or have a gateway speak in its place."""
    if way == "502":
        return answer.replaced(status=502, body=BAD_GATEWAY, content_type="text/html", headers={}, fault=label)
    return answer.replaced(status=None, deliver=WAYS[way], fault=label)


def read_way(value: str) -> str:
    """Read the way in which something is lost; raises ValueError."""
    if value not in {*WAYS, "502"}:
        raise ValueError(value)
    return value


@dataclass
class DropAnswer(Fault):
    """Begin the bootstrap and drop the answer to the request for it.

    Only accepted requests are treated so, unless ``:all`` says that refused ones are too.
    """

    name = "drop-answer"
    usage = "drop-answer=reset|silence|half|502"
    kinds = (Kind.POST,)
    once = True

    way: str

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the way."""
        return cls(read_way(value))

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        """Drop the answer, when it is one of those that are to be."""
        if (answer.accepted or not self.scope.once) and self.meets(request):
            return lose(answer, self.way, self.label)
        return answer


@dataclass
class Swallow(Fault):
    """Lose a request before it counts: the node never learns of it."""

    name = "swallow"
    usage = "swallow=reset|silence|half|502"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)
    once = True

    way: str

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the way."""
        return cls(read_way(value))

    def intercept(self, request: Request, /) -> Answer | None:
        """Lose it."""
        return lose(Answer(None), self.way, self.label) if self.meets(request) else None


@dataclass
class HoldPost(Fault):
    """Read a request for a bootstrap, and let it count only some seconds later, whether or not anybody still waits."""

    name = "hold-post"
    usage = "hold-post=SECONDS"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)

    seconds: float

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a number of seconds."""
        return cls(read_seconds(value))

    async def hold(self, request: Request, /) -> None:
        """Sleep."""
        if self.meets(request):
            request.faults.append(self.label)
            await asyncio.sleep(self.seconds)


@dataclass
class AnswerStatus(Fault):
    """Answer with a status, 409 or 500 say, and let the request not count."""

    name = "answer"
    usage = "answer=STATUS"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)

    status: int

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a status that means a refusal."""
        return cls(read_number(value, 400, 599))

    def intercept(self, request: Request, /) -> Answer | None:
        """Refuse it."""
        if not self.meets(request):
            return None
        return refusal(self.status, "provoked", "This answer was asked for as a fault.").replaced(fault=self.label)


@dataclass
class Unauthorized(Fault):
    """Answer 401 from a moment on; with ``unsigned`` only to those who do not sign in at all."""

    name = "unauthorized"
    usage = f"unauthorized[={USAGE}[,unsigned]]"

    moment: Moment
    unsigned: bool = False

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the moment."""
        moment, comma, unsigned = value.partition(",")
        if comma and unsigned != "unsigned":
            raise ValueError(value)
        return cls(Moment.parse(moment), unsigned=bool(comma))

    def begin(self, timeline: Timeline, /) -> None:
        """Let the moment come."""
        self.moment.begin(timeline)

    def intercept(self, request: Request, /) -> Answer | None:
        """Refuse the sign-in."""
        if (self.unsigned and request.authorization) or not self.moment.has_come() or not self.meets(request):
            return None
        refused = refusal(
            401, "unauthorized", "Sign in as the cluster's administrator.", www_authenticate='Basic realm="cluster"'
        )
        return refused.replaced(fault=self.label)


@dataclass
class Unavailable(Fault):
    """Answer 503 for some seconds, from a moment on."""

    name = "unavailable"
    usage = f"unavailable=SECONDS[,{USAGE}]"

    seconds: float
    moment: Moment

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the seconds and the moment."""
        seconds, _, moment = value.partition(",")
        return cls(read_seconds(seconds), Moment.parse(moment))

    def begin(self, timeline: Timeline, /) -> None:
        """Let the moment come."""
        self.moment.begin(timeline)

    def intercept(self, request: Request, /) -> Answer | None:
        """Say that nobody is there, while it lasts."""
        if not self.moment.lasts(self.seconds) or not self.meets(request):
            return None
        return refusal(503, "unavailable", "The node does not respond.").replaced(fault=self.label)
