"""Every refusal in one shape: `{"error", "message", "fields"}`, never with a value that was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import ValidationError

from setup_wizard.bootstrap.request import InvalidRequest
from setup_wizard.bootstrap.text import clean

Fields = Mapping[str, Sequence[str]]

_SENTENCES = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
    "dict_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "list_type": "This must be a list.",
    "int_parsing": "This must be a whole number.",
    "int_type": "This must be a whole number.",
}
_LONGEST_PATH = 100


class Problem(Exception):
    """A refusal: `error` is for programs, `message` for people, `fields` has messages by the path of the field."""

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        fields: Fields | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.message = message
        self.fields = {path: list(texts) for path, texts in (fields or {}).items()}
        self.headers = dict(headers or {})

    def response(self) -> HttpResponse:
        """Write it down."""
        document = {"error": self.error, "message": self.message, "fields": self.fields}
        return JsonResponse(document, status=self.status, headers=self.headers)


def not_found() -> Problem:
    """Nothing is at this address."""
    return Problem(404, "not_found", "There is nothing at this address.")


def unauthorised() -> Problem:
    """No token, or one that does not work: which of the two is nobody's business."""
    message = "Send a working API token: Authorization: Bearer <token>."
    return Problem(401, "unauthorised", message, headers={"WWW-Authenticate": 'Bearer realm="setup-wizard"'})


def forbidden() -> Problem:
    """The token works, and its user may not do this."""
    return Problem(403, "forbidden", "The user of this token has no role that allows it.")


def too_many(message: str, retry_after: int) -> Problem:
    """Too often within a minute."""
    return Problem(429, "too_many_requests", message, headers={"Retry-After": str(retry_after)})


def invalid(fields: Fields) -> Problem:
    """What was sent cannot be meant; `fields` says where."""
    return Problem(422, "invalid", f"Not accepted. To be changed: {', '.join(sorted(fields))}.", fields)


def invalid_bootstrap(mistakes: InvalidRequest) -> Problem:
    """The bootstrap object has mistakes."""
    return invalid({in_bootstrap(path): texts for path, texts in mistakes.fields.items()})


def in_bootstrap(path: str) -> str:
    """Give the path of a field of the bootstrap object as seen from the whole body."""
    return f"bootstrap.{path}" if path else "bootstrap"


def translate(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Answer a refusal, of ours or of the framework, in the one shape."""
    del request
    return _problem(error).response()


def _problem(error: Exception | type[Exception]) -> Problem:
    match error:
        case Problem():
            return error
        case PermissionDenied():
            return Problem(403, "forbidden", "The user of this token may not do that.")
        case Http404():
            return not_found()
        case ValidationError():
            return invalid(_fields(error))
        case _:
            raise error  # a bug is no refusal


def _fields(error: ValidationError) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mistake in error.errors:
        path = _path(mistake)
        if (text := _sentence(mistake)) not in (texts := found.setdefault(path, [])):
            texts.append(text)
    return found


def _path(mistake: Mapping[str, Any]) -> str:
    """Leave out where it stood and what the framework calls it: ("body", "sent", "address") is "address"."""
    source, *places = mistake["loc"]
    named = places[1:] if source == "body" else places
    return clean(".".join(map(str, named)), _LONGEST_PATH) or "body"


def _sentence(mistake: Mapping[str, Any]) -> str:
    """Say it without the value, which may be a secret."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind in {"literal_error", "enum"}:
        return f"This is one of {context.get('expected', '')}."
    if kind == "string_too_long":
        return f"This can have at most {context.get('max_length')} characters."
    if kind == "string_too_short":
        return f"This needs at least {context.get('min_length')} characters."
    if kind == "too_long":
        return f"This can have at most {context.get('max_length')} entries."
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"This is {'at least' if kind.startswith('g') else 'at most'} {context.get('ge', context.get('le'))}."
    return "This is not what is expected here."
