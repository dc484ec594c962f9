"""Values in a request as JSON, by their path, such as "node.identity.rack_id"."""

from collections.abc import Mapping
from typing import Any, Final

EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


def find_value(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at this path, or None."""
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def put_value(document: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at this path; an empty one takes away what is there."""
    *parents, last = path.split(".")
    target = document
    for parent in parents:
        target = target.setdefault(parent, {})
    if value in EMPTY:
        target.pop(last, None)
    else:
        target[last] = value


def take_value(document: Mapping[str, Any], path: str) -> Any:
    """Take the value at this path out of the document and return it, or None."""
    *parents, last = path.split(".")
    source: Any = document
    for parent in parents:
        source = source.get(parent)
        if not isinstance(source, dict):
            return None
    return source.pop(last, None) if isinstance(source, dict) else None
