"""Answers with another status code, such as 401, 409 or 503, instead of the node's own."""

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
from setup_wizard.reference_node.messages import Answer, Request, refusal, refuse_sign_in


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
