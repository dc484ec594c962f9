"""A draft's values as the request that is sent, and a stored request as a draft's values."""

import re
from copy import deepcopy
from typing import Any

from setup_wizard.bootstrap.request import Request, parse_request
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.nodes.address import DEFAULT_PORT
from setup_wizard.wizard import steps
from setup_wizard.wizard.models import BASE, Draft

FLASH_FLAG_SINCE = (7, 8)
EMPTY: tuple[object, ...] = (None, "", [], {})


def compose(draft: Draft) -> Request:
    """Give the request that the draft stands for, without its password.

    Raises:
        InvalidRequest: the values do not make a request; `fields` names the parts.
    """
    document = deepcopy(draft.values(BASE))
    for step in steps.of(draft):
        values = draft.values(step.form_class.key)
        for field, path in step.form_class.paths.items():
            if not path.startswith("credentials."):
                _put(document, path, values.get(field))
    document["action"] = draft.action
    _settle_port(document, draft)
    _settle_flash(document, draft)
    return parse_request(document, credentials_required=False)


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
        held = {field: _take(rest, path) for field, path in step.form_class.paths.items()}
        held = {field: value for field, value in held.items() if value not in EMPTY and value != MASK}
        if step is not steps.ACTION:
            data[step.form_class.key] = held
    _take(rest, "node.bigstore_enabled")
    _take(rest, "node.bigstore_driver")
    rest.pop("credentials", None)
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


def _settle_port(document: dict[str, Any], draft: Draft) -> None:
    """Name the members' port only where a node would not take it by itself."""
    own = draft.node.address.port if draft.node else DEFAULT_PORT
    if document.get("cnm_https_port") == DEFAULT_PORT == own:
        del document["cnm_https_port"]


def _settle_flash(document: dict[str, Any], draft: Draft) -> None:
    """Turn flash on when it has a path, in the words of the node's version."""
    if not document.get("node", {}).get("paths", {}).get("bigstore_path"):
        return
    answer = draft.node.answer if draft.node else None
    numbers = re.match(r"(\d{1,4})\.(\d{1,4})", (answer.node.software_version if answer else "") or "")
    if numbers and (int(numbers[1]), int(numbers[2])) < FLASH_FLAG_SINCE:
        document["node"].setdefault("bigstore_driver", "rocksdb")
    else:
        document["node"]["bigstore_enabled"] = True
