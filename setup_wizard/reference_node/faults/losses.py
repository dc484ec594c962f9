"""Answers and requests that are lost, delayed or refused."""

import asyncio
from dataclasses import field

from setup_wizard.reference_node.faults.fault import (
    MOMENT,
    Fault,
    Kind,
    Moment,
    Timeline,
    number,
    one_of,
    part,
    read_seconds,
)
from setup_wizard.reference_node.messages import (
    Answer,
    Request,
    answer_nothing,
    cut_status_line,
    refusal,
    refuse_sign_in,
    reset_connection,
)

BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
WAYS = {"reset": reset_connection, "silence": answer_nothing, "half": cut_status_line}


class Loss(Fault):
    """A fault that loses something in one of several ways, or lets a gateway answer."""

    way: str = field(metadata=part(one_of(*WAYS, "502")))

    def lose(self, answer: Answer) -> Answer:
        if self.way == "502":
            page = {"body": BAD_GATEWAY, "content_type": "text/html", "headers": {}}
            return answer.replaced(status=502, fault=self.label, **page)
        return answer.replaced(status=None, deliver=WAYS[self.way], fault=self.label)


class DropAnswer(Loss):
    """Begin the bootstrap and drop the answer to its request.

    It affects accepted requests only, with ``:all`` refused ones too.
    """

    usage = "drop-answer=reset|silence|half|502"
    kinds = (Kind.POST,)
    once = True

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        affected = (answer.accepted or not self.scope.once) and self.affects(request)
        return self.lose(answer) if affected else answer


class Swallow(Loss):
    """Lose a request before the node sees it."""

    usage = "swallow=reset|silence|half|502"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)
    once = True

    def intercept(self, request: Request, /) -> Answer | None:
        return self.lose(Answer(None)) if self.affects(request) else None


class HoldPost(Fault):
    """Read a request for a bootstrap and process it some seconds later, even if the client has left."""

    usage = "hold-post=SECONDS"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)

    seconds: float = field(metadata=part(read_seconds))

    async def hold(self, request: Request, /) -> None:
        if self.affects(request):
            request.faults.append(self.label)
            await asyncio.sleep(self.seconds)


class AnswerStatus(Fault):
    """Answer with a status code, such as 409 or 500, instead of processing the request."""

    usage = "answer=STATUS"
    kinds = (Kind.POST, Kind.GET, Kind.VALIDATE, Kind.ANY)

    status: int = field(metadata=part(number(400, 599)))

    def intercept(self, request: Request, /) -> Answer | None:
        if not self.affects(request):
            return None
        return refusal(self.status, "provoked", "This answer was asked for as a fault.").replaced(fault=self.label)


class Unauthorized(Fault):
    """Answer 401 from a moment on; with ``unsigned`` only to requests without a sign-in."""

    usage = f"unauthorized[={MOMENT}[,unsigned]]"

    moment: Moment = field(metadata=part(Moment.parse))
    unsigned: str = field(metadata=part(one_of("unsigned", "")))

    def begin(self, timeline: Timeline, /) -> None:
        self.moment.begin(timeline)

    def intercept(self, request: Request, /) -> Answer | None:
        if (self.unsigned and request.authorization) or not self.moment.has_come() or not self.affects(request):
            return None
        return refuse_sign_in().replaced(fault=self.label)


class Unavailable(Fault):
    """Answer 503 for some seconds, from a moment on."""

    usage = f"unavailable=SECONDS[,{MOMENT}]"

    seconds: float = field(metadata=part(read_seconds))
    moment: Moment = field(metadata=part(Moment.parse))

    def begin(self, timeline: Timeline, /) -> None:
        self.moment.begin(timeline)

    def intercept(self, request: Request, /) -> Answer | None:
        if not self.moment.lasts(self.seconds) or not self.affects(request):
            return None
        return refusal(503, "unavailable", "The node does not respond.").replaced(fault=self.label)
