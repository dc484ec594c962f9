"""Answers and requests that are lost or delayed."""

import asyncio
from dataclasses import field

from setup_wizard.reference_node.faults.fault import Fault, Kind, one_of, part, read_seconds
from setup_wizard.reference_node.messages import Answer, Request, answer_nothing, cut_status_line, reset_connection

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
