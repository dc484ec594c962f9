"""What is sent, strictly: what another reader would refuse is refused here."""

from typing import Any, Final

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser

from setup_wizard.api.errors import Problem, invalid
from setup_wizard.bootstrap.strict_json import DuplicateKeys, InvalidJson, read_json
from setup_wizard.bootstrap.text import clean

TWICE: Final = "This stands here more than once. Send it once."
_DOCUMENT: Final = "_setup_wizard_document"


def keep_document(request: HttpRequest, body: bytes) -> None:
    """Read the JSON of a body, for whichever call it is; an empty body is none.

    Raises:
        Problem: 400 when it is not JSON, 422 when an object in it names a key twice.
    """
    if not body:
        return
    try:
        document = read_json(body)
    except DuplicateKeys as error:
        refusal = invalid({path: [TWICE] for path in error.paths})
    except InvalidJson as error:
        refusal = Problem(400, "malformed_json", f"The body cannot be read: {error.reason}.")
    else:
        setattr(request, _DOCUMENT, document)
        return
    raise refusal


class StrictParser(Parser):
    """Hand out the JSON that was read when the request came in; see `keep_document`."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Give what the body says."""
        document: dict[str, Any] = getattr(request, _DOCUMENT)
        return document


def refuse_unknown(request: HttpRequest, shape: type[Schema]) -> None:
    """Let no parameter pass that the call does not have or that is given twice: it would list something else.

    Raises:
        Problem: 422 with each of them.
    """
    known = {field.alias or name for name, field in shape.model_fields.items()}
    wrong = {name: "There is no such field." for name in request.GET if name not in known}
    wrong |= {name: TWICE for name, values in request.GET.lists() if len(values) > 1}
    if wrong:
        raise invalid({clean(name, 60) or "?": [message] for name, message in wrong.items()})
