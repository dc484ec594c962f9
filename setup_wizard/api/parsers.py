"""Parse JSON bodies and query parameters strictly."""

from typing import Any, Final

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser

from setup_wizard.api.errors import Problem, invalid
from setup_wizard.bootstrap.strict_json import DuplicateKeys, InvalidJson, read_json
from setup_wizard.bootstrap.text import clean

DUPLICATE: Final = "This was sent more than once. Send it once."
_DOCUMENT: Final = "_setup_wizard_document"


def read_document(request: HttpRequest, body: bytes) -> None:
    """Parse a JSON body and store it on the request; an empty body is no document.

    Raises:
        Problem: 400 when it is not JSON, 422 when an object has a key twice.
    """
    if not body:
        return
    try:
        document = read_json(body)
    except DuplicateKeys as error:
        refusal = invalid({path: [DUPLICATE] for path in error.paths})
    except InvalidJson as error:
        refusal = Problem(400, "malformed_json", f"The body is not valid JSON: {error.reason}.")
    else:
        setattr(request, _DOCUMENT, document)
        return
    raise refusal


class StrictParser(Parser):
    """Return the document that `read_document` stored."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        document: dict[str, Any] = getattr(request, _DOCUMENT)
        return document


def refuse_unknown(request: HttpRequest, shape: type[Schema]) -> None:
    """Refuse query parameters that the call does not have or that are sent twice.

    Raises:
        Problem: 422 that names each of them.
    """
    known = {field.alias or name for name, field in shape.model_fields.items()}
    wrong = {name: "Unknown field." for name in request.GET if name not in known}
    wrong |= {name: DUPLICATE for name, values in request.GET.lists() if len(values) > 1}
    if wrong:
        raise invalid({clean(name, 60) or "?": [message] for name, message in wrong.items()})
