"""Dataclasses as JSON documents, and back."""

import json
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def write_document(value: object) -> Any:
    """A dataclass as a document."""
    return _adapter(value.__class__).dump_python(value, mode="json")  # type: ignore[arg-type]


def read_document(kind: type[T], document: object) -> T:
    """A dataclass from its document, checked strictly; raises ValueError."""
    adapter: TypeAdapter[T] = _adapter(kind)  # type: ignore[arg-type]
    return adapter.validate_json(json.dumps(document), strict=True)


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
