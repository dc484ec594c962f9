"""A draft's values as the request that is sent, and a stored request as a draft's values."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from setup_wizard.bootstrap.request import BootstrapRequest, parse_request
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.nodes.address import DEFAULT_PORT
from setup_wizard.wizard import steps
from setup_wizard.wizard.models import BASE, Draft

PORT = "cnm_https_port"
EMPTY: tuple[object, ...] = (None, "", [], {})


def compose(draft: Draft) -> BootstrapRequest:
    """Give the request that the draft stands for, without its password.

    Raises:
        InvalidRequest: the values do not make a request; `fields` names the parts.
    """
    document = deepcopy(draft.values(BASE))
    for step in steps.of(draft):
        values = draft.values(step.form_class.key)
        for field, path in step.form_class.paths_for(draft.wanted).items():
            if not path.startswith("credentials."):
                _put(document, path, values.get(field))
    document["action"] = draft.action
    _settle_port(document, draft)
    return parse_request(document, credentials_required=False)


def also_sent(draft: Draft, request: BootstrapRequest) -> list[tuple[str, str]]:
    """List what is sent and no step asks for, as pairs of path and value, secrets hidden."""
    shown = {path for step in steps.of(draft) for path in step.form_class.paths_for(draft.wanted).values()}
    return [
        (path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for path, value in _leaves(request.redacted(), "")
        if path not in {*shown, "action"} and value not in EMPTY
    ]


def username(draft: Draft) -> str:
    """Give the administrator's user name as it was saved."""
    return str(
        next(
            (
                values["username"]
                for step in steps.of(draft)
                if "username" in (values := draft.values(step.form_class.key))
            ),
            "",
        )
    )


def decompose(draft: Draft, document: dict[str, Any]) -> dict[str, Any]:
    """Give the data of a draft that holds a stored, redacted request: each step's values, and the rest as it is."""
    rest = deepcopy(document)
    data: dict[str, Any] = {}
    for step in steps.of(draft):
        held = {field: _take(rest, path) for field, path in step.form_class.paths_for(draft.wanted).items()}
        held = {field: value for field, value in held.items() if value not in EMPTY and value != MASK}
        if step is not steps.ACTION:
            data[step.form_class.key] = held
    rest.pop("credentials", None)
    if PORT in document:
        rest[PORT] = document[PORT]  # was named: it is named again even where the node would take it by itself
    return {**data, BASE: rest}


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
    if value in EMPTY:
        place.pop(last, None)
    else:
        place[last] = value


def _take(document: dict[str, Any], path: str) -> Any:
    *parents, last = path.split(".")
    place: Any = document
    for parent in parents:
        place = place.get(parent)
        if not isinstance(place, dict):
            return None
    return place.pop(last, None)


def _leaves(value: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, entry in value.items():
        if isinstance(entry, dict) and key != "witness_disk":
            yield from _leaves(entry, f"{above}{key}.")
        else:
            yield f"{above}{key}", entry


def _settle_port(document: dict[str, Any], draft: Draft) -> None:
    """Name the members' port only where a node would not take it by itself, or where it was named before."""
    own = draft.node.address.port if draft.node else DEFAULT_PORT
    if document.get(PORT) == DEFAULT_PORT == own and PORT not in draft.values(BASE):
        del document[PORT]
