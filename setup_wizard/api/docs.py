"""The description of the API: as openapi.json for programs, and as a page for people, who need no script to read it."""

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
from setup_wizard.api.schemas import ROOT
from setup_wizard.api.views import ALWAYS, api

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field or parameter: its path, its type in words, whether it must be there, and what it is for."""

    name: str
    kind: str
    needed: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back."""

    status: int
    phrase: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as people read it; refusals that every call knows are told once for all of them."""

    anchor: str
    method: str
    path: str
    title: str
    paragraphs: tuple[str, ...]
    sent: tuple[Field, ...]
    good: Answer
    refusals: tuple[Answer, ...]


@login_not_required
@require_safe
def show_schema(request: HttpRequest) -> HttpResponse:
    """Give the description for programs; it holds nothing that is not public."""
    del request
    return JsonResponse(schema())


@needs(Permission.READ)
@require_safe
def show_page(request: HttpRequest) -> HttpResponse:
    """Show the description to people who are signed in."""
    always = [Answer(status, HTTPStatus(status).phrase) for status in ALWAYS]
    return render(request, "api/docs.html", {"calls": calls(), "always": always, "root": ROOT})


@cache
def schema() -> dict[str, Any]:
    """Describe every call, with the token that each of them wants."""
    document = dict(api.get_openapi_schema(path_prefix=f"{ROOT}/"))
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document


@cache
def calls() -> tuple[Call, ...]:
    """Read the description for people."""
    return tuple(
        _call(method.upper(), path, operation)
        for path, operations in schema()["paths"].items()
        for method, operation in operations.items()
    )


def _call(method: str, path: str, operation: Document) -> Call:
    answers = {int(status): answer for status, answer in operation["responses"].items()}
    good, *refusals = sorted(answers)
    return Call(
        anchor=operation["operationId"],
        method=method,
        path=path,
        title=operation["summary"],
        paragraphs=tuple(operation["description"].split("\n\n")),
        sent=(*_parameters(operation), *_fields(_body(operation.get("requestBody", {})))),
        good=Answer(good, HTTPStatus(good).phrase, tuple(_fields(_body(answers[good])))),
        refusals=tuple(Answer(status, HTTPStatus(status).phrase) for status in refusals if status not in ALWAYS),
    )


def _parameters(operation: Document) -> Iterator[Field]:
    for each in operation["parameters"]:
        if each["in"] == "query":
            yield Field(f"?{each['name']}", _kind(each["schema"]), each["required"], each.get("description", ""))


def _body(part: Document) -> Document:
    content = part.get("content", {}).get("application/json", {})
    return _resolved(content.get("schema", {}))


def _fields(shape: Document, above: str = "") -> Iterator[Field]:
    """List the fields of an object and of what is in it, each by its path."""
    for name, found in shape.get("properties", {}).items():
        inner, mark = _inner(found)
        path = f"{above}{name}{mark}"
        yield Field(path, _kind(found), name in shape.get("required", ()), found.get("description", ""))
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
        shape: Document = schema()["components"]["schemas"][reference.rpartition("/")[2]]
        return shape
    return found


def _kind(found: Document) -> str:
    """Put a type into words: "text", "number or null", "one of idle, error"."""
    if "$ref" in found:
        found = _resolved(found)
    if words := found.get("enum"):
        return f"one of {', '.join(word for word in words if word)}"
    if alternatives := found.get("anyOf"):
        return " or ".join(dict.fromkeys(word for each in alternatives for word in _kind(each).split(" or ")))
    kinds = found.get("type", "object")
    return " or ".join(_WORDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


_WORDS = {"string": "text", "integer": "number", "boolean": "true or false", "array": "list"}
