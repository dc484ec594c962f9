"""From pydantic's errors to messages by the path of the field, such as "node.identity.external_addr"."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from setup_wizard.bootstrap.request.fields import ACTIONS, BROKEN_RULE
from setup_wizard.bootstrap.request.models import BootstrapRequest, RequestObject
from setup_wizard.bootstrap.text import clean

Location = tuple[int | str, ...]

_MOST_UNKNOWN: Final = 20
_SENTENCES: Final = {
    "missing": "This is needed.",
    "bool_type": "This must be true or false.",
    "string_type": "This must be text.",
    "string_unicode": "This has half of a character, which cannot be sent. Enter it again.",
    "tuple_type": "This must be a list.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
}


class Mistakes(dict[str, list[str]]):
    """What is wrong, by the path of the field; "" is the whole request."""

    def add(self, path: str, message: str) -> None:
        """Keep one more mistake, once."""
        messages = self.setdefault(path, [])
        if message not in messages:
            messages.append(message)


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Give the single errors, without the values that caused them."""
    return error.errors(include_url=False, include_input=False)


def find_mistakes(errors: Iterable[ErrorDetails]) -> Mistakes:
    """Give every mistake at its path, and each unknown field with the one that was probably meant."""
    mistakes = Mistakes()
    unknown: dict[Location, list[str]] = {}
    for error in errors:
        location = error["loc"]
        if error["type"] == "extra_forbidden":
            unknown.setdefault(location[:-1], []).append(str(location[-1]))
        else:
            mistakes.add(_path(location, error["type"]), _sentence(error))
    for location, names in unknown.items():
        path, known = _join(location), _fields_at(location)
        for name in names[:_MOST_UNKNOWN]:
            meant = get_close_matches(name[:60], known, n=1, cutoff=0.7)
            hint = f" Did you mean {meant[0]}?" if meant else ""
            mistakes.add(_join((path, clean(name, 60) or "?")), f"A bootstrap request has no such field.{hint}")
        if len(names) > _MOST_UNKNOWN:
            mistakes.add(path, f"There are {len(names)} fields here that a bootstrap request does not have.")
    return mistakes


def _path(location: Location, kind: str) -> str:
    """Name the list for a wrong entry of it, unless the entry is an object with fields of its own."""
    return _join(location[:-1] if _is_entry(location) and kind != "model_type" else location)


def _is_entry(location: Location) -> bool:
    return bool(location) and isinstance(location[-1], int)


def _join(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part != "")


def _sentence(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == BROKEN_RULE:
        return error["msg"]
    if kind == "missing" and error["loc"] == ("action",):
        return ACTIONS
    if kind == "too_long":
        return f"This list has {context['actual_length']} entries. It can have at most {context['max_length']}."
    sentence = _SENTENCES.get(kind, "This cannot be used here.")
    return sentence.replace("This", "Each entry", 1) if _is_entry(error["loc"]) and kind != "model_type" else sentence


def _fields_at(location: Location) -> list[str]:
    """Name the fields of the object at this place."""
    model: type[RequestObject] = BootstrapRequest
    for name in location:
        if isinstance(name, str):
            model = model_in(model.model_fields[name].annotation) or model
    return list(model.model_fields)


def model_in(annotation: object) -> type[RequestObject] | None:
    """Find the model in "Credentials | None" or "tuple[DnsSuffix, ...]"."""
    candidates = (annotation, *get_args(annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, RequestObject)), None)
