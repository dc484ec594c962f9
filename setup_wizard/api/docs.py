"""The description of the API: openapi.json for programs, and a page for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from setup_wizard.access.permissions import Permission, needs
from setup_wizard.api.errors import ALWAYS
from setup_wizard.api.schemas import ROOT
from setup_wizard.api.views import api

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One field or parameter: path, type in words, whether it is required, and meaning."""

    name: str
    kind: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class ResponseDoc:
    """One possible response."""

    status: int
    phrase: str
    fields: tuple[FieldDoc, ...] = ()


@dataclass(frozen=True, slots=True)
class CallDoc:
    """One call; errors that every call can return are listed once for all of them."""

    anchor: str
    method: str
    path: str
    title: str
    paragraphs: tuple[str, ...]
    request: tuple[FieldDoc, ...]
    success: ResponseDoc
    errors: tuple[ResponseDoc, ...]


@login_not_required
@require_safe
def show_schema(request: HttpRequest) -> HttpResponse:
    """Return the description for programs; it is public."""
    del request
    return JsonResponse(schema())


@needs(Permission.READ)
@require_safe
def show_page(request: HttpRequest) -> HttpResponse:
    """Show the description to signed-in users."""
    always = [ResponseDoc(status, HTTPStatus(status).phrase) for status in ALWAYS]
    return render(request, "api/docs.html", {"calls": calls(), "always": always, "root": ROOT})


@cache
def schema() -> dict[str, Any]:
    """Describe every call and the token that it needs."""
    document = dict(api.get_openapi_schema(path_prefix=f"{ROOT}/"))
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document


@cache
def calls() -> tuple[CallDoc, ...]:
    """Build the description for people."""
    return tuple(
        _call(method.upper(), path, operation)
        for path, operations in schema()["paths"].items()
        for method, operation in operations.items()
    )


def _call(method: str, path: str, operation: Document) -> CallDoc:
    responses = {int(status): response for status, response in operation["responses"].items()}
    success, *errors = sorted(responses)
    return CallDoc(
        anchor=operation["operationId"],
        method=method,
        path=path,
        title=operation["summary"],
        paragraphs=tuple(operation["description"].split("\n\n")),
        request=(*_parameters(operation), *_fields(_body(operation.get("requestBody", {})))),
        success=ResponseDoc(success, HTTPStatus(success).phrase, tuple(_fields(_body(responses[success])))),
        errors=tuple(ResponseDoc(status, HTTPStatus(status).phrase) for status in errors if status not in ALWAYS),
    )


def _parameters(operation: Document) -> Iterator[FieldDoc]:
    for each in operation["parameters"]:
        if each["in"] == "query":
            yield FieldDoc(f"?{each['name']}", _kind(each["schema"]), each["required"], each.get("description", ""))


def _body(part: Document) -> Document:
    content = part.get("content", {}).get("application/json", {})
    return _resolved(content.get("schema", {}))


def _fields(described: Document, above: str = "") -> Iterator[FieldDoc]:
    """List the fields of an object and of nested objects, each by its path."""
    for name, found in described.get("properties", {}).items():
        inner, mark = _inner(found)
        path = f"{above}{name}{mark}"
        yield FieldDoc(path, _kind(found), name in described.get("required", ()), found.get("description", ""))
        yield from _fields(inner, f"{path}.")


def _inner(found: Document) -> tuple[Document, str]:
    whole = _resolved(found)
    if items := whole.get("items"):
        return _resolved(items), "[]"
    return whole, ""


def _resolved(found: Document) -> Document:
    for each in found.get("anyOf", ()):
        if "$ref" in each or "items" in each:
            return _resolved(each)
    if reference := found.get("$ref"):
        described: Document = schema()["components"]["schemas"][reference.rpartition("/")[2]]
        return described
    return found


def _kind(found: Document) -> str:
    """Name a type: "text", "number or null", "one of idle, error"."""
    if "$ref" in found:
        found = _resolved(found)
    if words := found.get("enum"):
        return f"one of {', '.join(word for word in words if word)}"
    if alternatives := found.get("anyOf"):
        return " or ".join(dict.fromkeys(word for each in alternatives for word in _kind(each).split(" or ")))
    kinds = found.get("type", "object")
    return " or ".join(_WORDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


_WORDS = {"string": "text", "integer": "number", "boolean": "true or false", "array": "list"}
