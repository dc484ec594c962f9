"""API errors: always `{"error", "message", "fields"}`, never with a value that was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import ValidationError

from setup_wizard.api.schemas import ErrorOut
from setup_wizard.bootstrap.request import InvalidRequest
from setup_wizard.bootstrap.text import clean

Fields = Mapping[str, Sequence[str]]

_SENTENCES = {
    "missing": "This is required.",
    "extra_forbidden": "Unknown field.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
    "dict_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "list_type": "This must be a list.",
    "int_parsing": "This must be a whole number.",
    "int_type": "This must be a whole number.",
}
_MAX_PATH_LENGTH = 100
ALWAYS = (400, 401, 403, 405, 413, 415, 500, 503)
"""The errors that every call can return."""


class Problem(Exception):
    """An API error: `error` is for programs, `message` for people, `fields` has messages by field path."""

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
        """Return it as JSON."""
        document = {"error": self.error, "message": self.message, "fields": self.fields}
        return JsonResponse(document, status=self.status, headers=self.headers)


def responses(status: int, schema: Any, *errors: int) -> dict[Any, type]:
    """List the responses of a call: one for success, and the errors."""
    return {status: schema, **dict.fromkeys(sorted({*ALWAYS, *errors}), ErrorOut)}


def not_found() -> Problem:
    """404."""
    return Problem(404, "not_found", "There is nothing at this URL.")


def unauthorised() -> Problem:
    """401: no token, or an invalid one; the response is the same."""
    message = "Send a working API token: Authorization: Bearer <token>."
    return Problem(401, "unauthorised", message, headers={"WWW-Authenticate": 'Bearer realm="setup-wizard"'})


def forbidden() -> Problem:
    """403: the token works, but its user lacks the permission."""
    return Problem(403, "forbidden", "The user of this token has no permission for this.")


def too_many(message: str, retry_after: int) -> Problem:
    """429: too many requests within a minute."""
    return Problem(429, "too_many_requests", message, headers={"Retry-After": str(retry_after)})


def invalid(fields: Fields) -> Problem:
    """422: the request is invalid; `fields` says where."""
    return Problem(422, "invalid", f"Invalid request. Change: {', '.join(sorted(fields))}.", fields)


def invalid_bootstrap(problems: InvalidRequest) -> Problem:
    """422: the bootstrap object is invalid."""
    return invalid({in_bootstrap(path): texts for path, texts in problems.fields.items()})


def in_bootstrap(path: str) -> str:
    """Return the path, in the whole body, of a field of the bootstrap object."""
    return f"bootstrap.{path}" if path else "bootstrap"


def translate(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Return an error of ours or of the framework as JSON."""
    del request
    return _problem(error).response()


def _problem(error: Exception | type[Exception]) -> Problem:
    match error:
        case Problem():
            return error
        case PermissionDenied():
            return Problem(403, "forbidden", "The user of this token has no permission for this.")
        case Http404():
            return not_found()
        case ValidationError():
            return invalid(_fields(error))
        case _:
            raise error  # a bug or an outage: the handler of the whole site responds


def _fields(error: ValidationError) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mistake in error.errors:
        path = _path(mistake)
        if (text := _sentence(mistake)) not in (texts := found.setdefault(path, [])):
            texts.append(text)
    return found


def _path(mistake: Mapping[str, Any]) -> str:
    """Drop the source and the framework's parameter name: ("body", "body", "address") is "address"."""
    source, *parts = mistake["loc"]
    path = parts[1:] if source == "body" else parts
    return clean(".".join(map(str, path)), _MAX_PATH_LENGTH) or "body"


def _sentence(mistake: Mapping[str, Any]) -> str:
    """Describe a mistake without the value, which may be a secret."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind in {"literal_error", "enum"}:
        return f"This must be one of {context.get('expected', '')}."
    if kind == "string_too_long":
        return f"This must have at most {context.get('max_length')} characters."
    if kind == "string_too_short":
        return f"This must have at least {context.get('min_length')} characters."
    if kind == "too_long":
        return f"This must have at most {context.get('max_length')} entries."
    if kind in {"greater_than_equal", "less_than_equal"}:
        return (
            f"This must be {'at least' if kind.startswith('g') else 'at most'} {context.get('ge', context.get('le'))}."
        )
    return "This has the wrong format."
