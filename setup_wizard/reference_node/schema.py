"""The shape of a JSON document: what may stand where, and the path of the first thing that may not."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import NoReturn

from setup_wizard.reference_node.errors import Malformed

Check = Callable[[object, str], None]


def refuse(path: str, message: str) -> NoReturn:
    """Raise Malformed for one field."""
    raise Malformed(f"{path}: {message}" if path else message)


def read_json(body: bytes) -> object:
    """Read strict JSON; raises Malformed also for NaN, nesting without end and text that is no Unicode."""
    try:
        document: object = json.loads(body.decode(), parse_constant=_refuse_constant, parse_float=_read_number)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError:
        raise Malformed("The body is not UTF-8 text.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}") from None
    return document


def text(limit: int = 4096, *, empty: bool = True) -> Check:
    """Allow a string of at most `limit` characters."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            refuse(path, "a string is needed")
        if len(value) > limit:
            refuse(path, f"at most {limit} characters are allowed")
        if "\0" in value:
            refuse(path, "a NUL character is not allowed")
        if not empty and not value:
            refuse(path, "must not be empty")

    return check


def flag(value: object, path: str) -> None:
    """Allow true and false."""
    if not isinstance(value, bool):
        refuse(path, "true or false is needed")


def number(low: int = 0, high: int = 2**53) -> Check:
    """Allow a whole number between `low` and `high`."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(path, "a whole number is needed")
        if not low <= value <= high:
            refuse(path, f"must lie between {low} and {high}")

    return check


def one_of(*words: str) -> Check:
    """Allow these words."""

    def check(value: object, path: str) -> None:
        if value not in words or not isinstance(value, str):
            refuse(path, f"must be one of {', '.join(words)}")

    return check


def address(value: object, path: str) -> None:
    """Allow an IPv4 or IPv6 address."""
    text(64)(value, path)
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        refuse(path, "an IPv4 or IPv6 address is needed")


def directory(value: object, path: str) -> None:
    """Allow an absolute path, or nothing at all for the default."""
    text(1024)(value, path)
    if value and not str(value).startswith("/"):
        refuse(path, "the path must be absolute")


def list_of(check: Check, limit: int = 256) -> Check:
    """Allow a list, each entry of which passes `check`."""

    def check_list(value: object, path: str) -> None:
        if not isinstance(value, list):
            refuse(path, "a list is needed")
        if len(value) > limit:
            refuse(path, f"at most {limit} entries are allowed")
        for index, entry in enumerate(value):
            check(entry, f"{path}[{index}]")

    return check_list


def group(fields: Mapping[str, Check]) -> Check:
    """Allow an object with these fields, each of them optional, and no others."""

    def check_group(value: object, path: str) -> None:
        if not isinstance(value, dict):
            refuse(path, "an object is needed" if path else "The body must be a JSON object.")
        for name, entry in value.items():
            inner = f"{path}.{name}" if path else name
            if name not in fields:
                refuse(inner[:200], "there is no such field")
            fields[name](entry, inner)

    return check_group


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def _read_number(text: str) -> float | int:
    value = float(text)
    # JSON has one kind of numbers: 5.0 is as whole as 5
    return int(value) if value.is_integer() else value
