"""A draft's values as the request that is sent, and a stored request as a draft's values."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.request import BootstrapRequest, parse_request
from setup_wizard.nodes.address import DEFAULT_PORT
from setup_wizard.wizard import steps
from setup_wizard.wizard.documents import EMPTY
from setup_wizard.wizard.models import EXTRA, Draft

PORT = "cnm_https_port"


def build_request(draft: Draft) -> BootstrapRequest:
    """Return the request for the draft, without its password.

    Raises:
        InvalidRequest: the values do not make a request; `fields` names the parts.
    """
    document = deepcopy(draft.values(EXTRA))
    for step in steps.for_draft(draft):
        step.form_class.put_values(draft.values(step.form_class.key), document, draft.chosen_action)
    document["action"] = draft.action
    document.pop("credentials", None)
    document.pop("address", None)
    _drop_default_port(document, draft)
    return parse_request(document, credentials_required=False)


def extra_values(draft: Draft, request: BootstrapRequest) -> list[tuple[str, str]]:
    """List what is sent but is not in any step, as pairs of path and value, secrets hidden."""
    document = deepcopy(request.redacted())
    for step in steps.for_draft(draft):
        step.form_class.take_values(document, draft.chosen_action)
    return [
        (path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for path, value in _leaves(document, "")
        if path != "action" and value not in EMPTY
    ]


@sensitive_variables()
def known_credentials(draft: Draft) -> dict[str, str]:
    """Return what may be shown of the credentials: the user name, or the client certificate and the cluster's CA."""
    if name := username(draft):
        return {"username": name}
    try:
        stored = vault.open_for(draft.pk)
    except vault.SecretUnavailable:
        return {}
    return {"client_cert": stored.client_cert, "trusted_ca": stored.trusted_ca}


def username(draft: Draft) -> str:
    """Return the saved user name of the administrator."""
    saved = (draft.values(step.form_class.key).get("username") for step in steps.for_draft(draft))
    return str(next((name for name in saved if name is not None), ""))


def step_data(draft: Draft, document: dict[str, Any]) -> dict[str, Any]:
    """Return `Draft.data` for a stored, redacted request: each step's values, and the rest under EXTRA."""
    rest = deepcopy(document)
    data: dict[str, Any] = {}
    for step in steps.for_draft(draft):
        taken = step.form_class.take_values(rest, draft.chosen_action)
        if step is not steps.ACTION:
            data[step.form_class.key] = taken
    rest.pop("credentials", None)
    if PORT in document:
        rest[PORT] = document[PORT]  # a port that was sent is sent again, even if it is the default
    return {**data, EXTRA: rest}


def _leaves(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, entry in value.items():
        if isinstance(entry, dict) and key != "witness_disk":
            yield from _leaves(entry, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", entry


def _drop_default_port(document: dict[str, Any], draft: Draft) -> None:
    """Send the members' port only if the node would not assume it, or if it was sent before."""
    own = draft.node.address.port if draft.node else DEFAULT_PORT
    if document.get(PORT) == DEFAULT_PORT == own and PORT not in draft.values(EXTRA):
        del document[PORT]
