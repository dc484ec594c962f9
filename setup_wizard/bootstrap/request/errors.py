"""Turn pydantic's errors into messages by the path of the field, such as "node.identity.external_addr"."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from setup_wizard.bootstrap.request.fields import ACTIONS, BROKEN_RULE
from setup_wizard.bootstrap.request.models import BootstrapRequest, RequestObject
from setup_wizard.bootstrap.text import clean

Location = tuple[int | str, ...]

_MAX_UNKNOWN: Final = 20
_MESSAGES: Final = {
    "missing": "This is required.",
    "bool_type": "This must be true or false.",
    "string_type": "This must be text.",
    "string_unicode": "This has a broken character. Enter it again.",
    "tuple_type": "This must be a list.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
}


class FieldErrors(dict[str, list[str]]):
    """Messages by the path of their field; "" is the whole request."""

    def add(self, path: str, message: str) -> None:
        """Add a message, unless it is there already."""
        messages = self.setdefault(path, [])
        if message not in messages:
            messages.append(message)


def pydantic_errors(error: ValidationError) -> list[ErrorDetails]:
    """Give the errors without the values that caused them."""
    return error.errors(include_url=False, include_input=False)


def messages_of(errors: Iterable[ErrorDetails], root: type[RequestObject] = BootstrapRequest) -> FieldErrors:
    """Give a message for every error in a `root`, and for each unknown field the name that was probably meant."""
    found = FieldErrors()
    unknown: dict[Location, list[str]] = {}
    for error in errors:
        location = error["loc"]
        if error["type"] == "extra_forbidden":
            unknown.setdefault(location[:-1], []).append(str(location[-1]))
        else:
            found.add(_path(location, error["type"]), _message(error))
    for location, names in unknown.items():
        path, known = _join(location), _fields_at(location, root)
        for name in names[:_MAX_UNKNOWN]:
            meant = get_close_matches(name[:60], known, n=1, cutoff=0.7)
            hint = f" Did you mean {meant[0]}?" if meant else ""
            found.add(_join((path, clean(name, 60) or "?")), f"Unknown field.{hint}")
        if len(names) > _MAX_UNKNOWN:
            found.add(path, f"There are {len(names)} unknown fields here.")
    return found


def _path(location: Location, kind: str) -> str:
    """Give the path of the list for an error in one of its entries, unless the entry is an object with fields."""
    return _join(location[:-1] if _is_entry(location) and kind != "model_type" else location)


def _is_entry(location: Location) -> bool:
    return bool(location) and isinstance(location[-1], int)


def _join(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part != "")


def _message(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == BROKEN_RULE:
        return error["msg"]
    if kind == "missing" and error["loc"] == ("action",):
        return ACTIONS
    if kind == "too_long":
        return f"This list has {context['actual_length']} entries. It can have at most {context['max_length']}."
    message = _MESSAGES.get(kind, "This is not allowed here.")
    return message.replace("This", "Each entry", 1) if _is_entry(error["loc"]) and kind != "model_type" else message


def _fields_at(location: Location, root: type[RequestObject]) -> list[str]:
    """Name the fields of the object at this location."""
    model = root
    for name in location:
        if isinstance(name, str):
            model = model_in(model.model_fields[name].annotation) or model
    return list(model.model_fields)


def model_in(annotation: object) -> type[RequestObject] | None:
    """Find the model in "Credentials | None" or "tuple[DnsSuffix, ...]"."""
    candidates = (annotation, *get_args(annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, RequestObject)), None)
