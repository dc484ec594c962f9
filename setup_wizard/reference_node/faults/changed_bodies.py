"""Answers whose JSON is changed on the way, and answers that repeat what was sent."""

import json
from dataclasses import field
from typing import Any

from setup_wizard.reference_node.faults.fault import Fault, Kind, part
from setup_wizard.reference_node.messages import Answer, Request, document_answer, refusal


def read_patch(text: str) -> object:
    """Read a patch or the status code of an error; raises ValueError."""
    patch: object = json.loads(text)
    if isinstance(patch, int) and not 400 <= patch < 600:
        raise ValueError(text)
    return patch


class Overlay(Fault):
    """Change the answer to GETs of PATH by a JSON merge patch (a list by the uids of its entries), or to a status code.

    Reference: RFC 7396.
    """

    usage = "overlay=PATH,JSON"
    kinds = (Kind.GET,)

    path: str = field(metadata=part(str))
    patch: Any = field(metadata=part(read_patch))

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        if request.path != self.path or answer.status != 200 or not self.affects(request):
            return answer
        if isinstance(self.patch, int):
            return refusal(self.patch, "overlay", f"{self.path} is overlaid.").replaced(fault=self.label)
        return document_answer(overlay(json.loads(answer.body), self.patch)).replaced(fault=self.label)


def overlay(document: Any, patch: Any) -> Any:
    """Merge a patch into a document: null removes, and an object changes the entries of a list by their uid."""
    if not isinstance(patch, dict):
        return patch
    if isinstance(document, list):
        entries = {str(entry.get("uid")): entry for entry in document}
        new = {uid: {"uid": int(uid) if uid.isdecimal() else uid} for uid in patch.keys() - entries.keys()}
        return list(overlay(entries | new, patch).values())
    merged = dict(document) if isinstance(document, dict) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = overlay(merged.get(key), change)
    return merged


class Echo(Fault):
    """Repeat the last request for a bootstrap, secrets included, in `error_details` and in refusals."""

    usage = "echo"

    # not in the representation: it holds the password of the client
    heard: str = field(default="", init=False, repr=False)

    def replace(self, request: Request, answer: Answer, /) -> Answer:
        if request.body and (request.asks_for_bootstrap or request.asks_for_validation):
            self.heard = request.body.decode("utf-8", "replace")
        if not self.heard or not answer.body or answer.content_type != "application/json":
            return answer
        document = json.loads(answer.body)
        status = document.get("bootstrap_status", document) if isinstance(document, dict) else {}
        if "error_code" not in status or not self.affects(request):
            return answer
        if "state" in status:
            status["error_details"] = {**status.get("error_details", {}), "request": self.heard}
            status["error_details"]["message"] = f"{status['error_details'].get('message', '')} in {self.heard}"
        else:
            status["description"] = f"{status.get('description', '')} in {self.heard}"
        return answer.replaced(body=json.dumps(document).encode(), fault=self.label)
