"""The shape of a request: JSON that fits the description of the API (`openapi.yaml`)."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, NoReturn

import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from setup_wizard.reference_node.errors import Malformed

TYPES = {
    "string": "a string is needed",
    "boolean": "true or false is needed",
    "integer": "a whole number is needed",
    "array": "a list is needed",
    "object": "an object is needed",
}


def read_json(body: bytes) -> object:
    """Read strict JSON; raises Malformed also for NaN, deep nesting and text that is not Unicode.

    Of two equal keys the last one counts, as on real nodes.
    """
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


def read_description() -> bytes:
    """The OpenAPI description of a node's API."""
    return resources.files(__package__).joinpath("openapi.yaml").read_bytes()


def check_shape(document: Any, name: str, *, strict: bool = False) -> None:
    """Check a document against a schema of the description; `strict` also refuses unknown keys.

    Raises Malformed with the path of the first wrong field, and never with its value, which may be a secret.
    """
    error = next(_validator(name, strict=strict).iter_errors(document), None)
    if error is not None:
        path = _write_path(error)
        raise Malformed(f"{path}: {_describe(error)}" if path else "The body must be a JSON object.")


@cache
def _validator(name: str, *, strict: bool) -> Validator:
    # compiled on first use and shared: most nodes never get a request
    description = yaml.load(read_description(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is safe
    if strict:
        description = _close(description)
    checker: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": _check_pattern}
    )
    formats = FormatChecker(formats=("ipv4", "ipv6"))  # without a checker no format is checked
    return checker({**description, "$ref": f"#/components/schemas/{name}"}, format_checker=formats)


def _close(schema: object) -> object:
    """Refuse unknown keys at any depth of a schema."""
    if isinstance(schema, list):
        return [_close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _close(part) for key, part in schema.items()}
    return {**closed, "additionalProperties": False} if "properties" in schema else closed


def _check_pattern(
    _validator: Validator, pattern: str, instance: object, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    # in JSON Schema $ is the end of the text; in Python it also matches before a final line break
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("does not match")


def _write_path(error: ValidationError) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    instance: Any = error.instance
    schema: Any = error.schema
    if error.validator == "required":
        path += f".{next(name for name in schema['required'] if name not in instance)}"
    elif error.validator == "additionalProperties":
        path += f".{next(name for name in instance if name not in schema['properties'])}"
    return path[1:201]


def _describe(error: ValidationError) -> str:
    value: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "type":
            return TYPES[value if isinstance(value, str) else value[0]]
        case "required":
            return "is required"
        case "additionalProperties":
            return "there is no such field"
        case "minLength" | "minItems":
            return "must not be empty"
        case "maxLength":
            return f"at most {value} characters are allowed"
        case "maxItems":
            return f"at most {value} entries are allowed"
        case "minimum" | "maximum":
            return f"must be at {'least' if error.validator == 'minimum' else 'most'} {value}"
        case _:
            return " ".join(schema["description"].split())


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def _read_number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value  # JSON has one kind of numbers: 5.0 is 5
