"""The bootstrap object as a JSON schema, written from the types that it is read into, so that the two cannot part.

What a field may hold in detail is said by the rules when it is wrong; here stands its type.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Request
from setup_wizard.bootstrap.secret import Secret

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": ["string", "null"]}
_PLAIN: Final[dict[object, Schema]] = {
    str: _TEXT,
    Secret: {**_TEXT, "format": "password", "writeOnly": True},
    bool: {"type": ["boolean", "null"]},
    # digits in quotes count as a number, and nothing as unset
    int: {"anyOf": [{"type": ["integer", "null"]}, {"type": "string", "pattern": "^[0-9]{0,10}$"}]},
    Action: {"type": "string", "enum": [action.value for action in Action]},
}
_EXAMPLE: Final = {
    "action": "create_cluster",
    "cluster": {"name": "redis-prod.example.com", "nodes": []},
    "node": {
        "paths": {
            "persistent_path": "/var/opt/redislabs/persist",
            "ephemeral_path": "/var/opt/redislabs/tmp",
        },
        "identity": {"addr": "10.0.0.5"},
    },
    "credentials": {"username": "admin@example.com", "password": "…"},
}


def bootstrap_schema() -> Schema:
    """Give the schema of what is posted to a node to start its bootstrap; null counts as unset everywhere."""
    schema = _object(Request)
    schema["required"] = ["action", "credentials"]
    schema["example"] = _EXAMPLE
    return schema


def _object(shape: type) -> Schema:
    hints = get_type_hints(shape)
    document: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _of(hints[field.name]) for field in fields(shape)},
    }
    if shape.__doc__:
        document["description"] = shape.__doc__.partition("\n\n")[0]
    return document


def _of(kind: Any) -> Schema:
    if get_origin(kind) in {Union, UnionType}:
        kind = next(each for each in get_args(kind) if each is not type(None))
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if get_origin(kind) is tuple:
        return {"type": ["array", "null"], "maxItems": 64, "items": _item(get_args(kind)[0])}
    if is_dataclass(kind) and isinstance(kind, type):
        return {**_object(kind), "type": ["object", "null"]}
    if get_origin(kind) is Mapping:
        return {"type": ["object", "null"]}
    raise TypeError(f"no schema for {kind}")  # a new field with a new type has to say here how it is written


def _item(kind: Any) -> Schema:
    schema = _of(kind)
    return {**schema, "type": schema["type"][0]}
