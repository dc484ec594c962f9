"""The type of each field of the request: a type, and a rule of `bootstrap.rules` with its message."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import (
    RuleError,
    check_address,
    check_choice,
    check_cluster_name,
    check_existing_cluster_name,
    check_license,
    check_member,
    check_password,
    check_path,
    check_pem,
    check_rack_id,
    check_recovery_file,
    check_sendable,
    check_text,
    check_username,
)
from setup_wizard.bootstrap.secret import Secret

MAX_ENTRIES: Final = 64
MAX_NUMBER: Final = 2**31 - 1
MAX_OBJECT_LENGTH: Final = 16_384  # characters of JSON, for the two objects that are passed on unread
ACTIONS: Final = f"Choose one of {', '.join(Action)}."
BROKEN_RULE: Final = "broken_rule"  # the type of an error whose message is written for people

_ESCAPED_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

Check = Callable[[str], str]


def field_error(message: str) -> PydanticCustomError:
    """Make an error with this message for the field."""
    return PydanticCustomError(BROKEN_RULE, "{message}", {"message": message})


def _checked(check: Check, value: str) -> str:
    try:
        return check(value)
    except RuleError as error:
        raise field_error(error.message) from None


def _text(check: Check) -> AfterValidator:
    """Check a text; one of spaces only is unset."""
    return AfterValidator(lambda value: _checked(check, value) if value.strip() else "")


def _entry(check: Check) -> AfterValidator:
    """Check a required text."""
    return AfterValidator(partial(_checked, check))


def _secret(check: Check) -> AfterValidator:
    """Check a text in which spaces count."""
    return AfterValidator(lambda value: Secret(_checked(check, value.reveal())) if value else value)


def unique_entries(entries: Iterable[str]) -> tuple[str, ...]:
    """Keep the first spelling of each entry; addresses are canonical already, and the case of names does not count."""
    kept: dict[str, str] = {}
    for entry in entries:
        kept.setdefault(entry.lower(), entry)
    return tuple(kept.values())


def _read_action(value: object) -> object:
    if isinstance(value, str) and value in set(Action):
        return Action(value)
    raise field_error(ACTIONS)


def _read_object(value: object) -> object:
    """Copy an object after checking that it is JSON of a sensible size that can be sent and stored."""
    if not isinstance(value, Mapping):
        return value
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise field_error("This cannot be written as JSON.") from None
    if len(text) > MAX_OBJECT_LENGTH:
        raise field_error(f"This has {len(text)} characters of JSON. It can have at most {MAX_OBJECT_LENGTH}.")
    _checked(check_sendable, _ESCAPED_NUL.sub("\0", text))
    return json.loads(text)


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number within a range, as a number or as digits in quotes."""

    lowest: int = 0
    highest: int = MAX_NUMBER

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.int_schema(ge=self.lowest, le=self.highest, strict=True)
        return core_schema.custom_error_schema(
            core_schema.no_info_before_validator_function(_read_digits, number),
            custom_error_type=BROKEN_RULE,
            custom_error_message=f"This must be a whole number from {self.lowest} to {self.highest}.",
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, object]:
        number = {"type": "integer", "minimum": self.lowest, "maximum": self.highest}
        return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,10}$"}]}


def _read_digits(value: object) -> object:
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10
    return int(value) if is_number and isinstance(value, str) else value


def read_number(kind: Any, text: str) -> int:
    """Read what was typed as a number of this kind, such as `HighPort`.

    Raises:
        RuleError: not a whole number, or outside of its range.
    """
    try:
        return int(TypeAdapter(kind).validate_python(text.strip()))
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"]
    raise RuleError(message)


ActionName = Annotated[Action, BeforeValidator(_read_action)]
Text = Annotated[str, _text(check_text)]
ClusterName = Annotated[str, _text(check_existing_cluster_name)]
Path = Annotated[str, _text(check_path)]
RecoveryFile = Annotated[str, _text(check_recovery_file)]
Address = Annotated[str, _text(check_address)]
RackId = Annotated[str, _text(check_rack_id)]
License = Annotated[str, _text(check_license)]
Username = Annotated[str, _text(check_username)]
Placement = Annotated[str, _text(partial(check_choice, choices=("dense", "sparse")))]
Certificate = Annotated[str, _text(partial(check_pem, kind="CERTIFICATE"))]
Password = Annotated[Secret, _secret(check_password)]
PrivateKey = Annotated[Secret, _secret(partial(check_pem, kind="PRIVATE KEY"))]
Suffix = Annotated[str, _entry(check_cluster_name)]
Members = Annotated[
    tuple[Annotated[str, _entry(check_member)], ...],
    Field(strict=False, max_length=MAX_ENTRIES),  # JSON has lists only
    AfterValidator(unique_entries),
]
Addresses = Annotated[
    tuple[Annotated[str, _entry(check_address)], ...],
    Field(strict=False, max_length=MAX_ENTRIES),
    AfterValidator(unique_entries),
]
Uid = Annotated[int, WholeNumber(1)]
Count = Annotated[int, WholeNumber()]
Retries = Annotated[int, WholeNumber(highest=1000)]
ApiPort = Annotated[int, WholeNumber(1, 65_535)]
HighPort = Annotated[int, WholeNumber(1024, 65_535)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_read_object)]
