"""Read a bootstrap request from JSON, and report every error in it at once."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.errors import FieldErrors, Location, messages_of, pydantic_errors
from setup_wizard.bootstrap.request.models import BootstrapRequest, Credentials
from setup_wizard.bootstrap.rules import RuleError, check_cluster_name
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.text import clean

MISSING_MESSAGES: Final = {
    "username": "Enter the user name of the cluster's administrator.",
    "password": "Enter the password of the cluster's administrator.",
    "client_cert": "Paste the client certificate that belongs to the key.",
    "client_key": "Paste the key that belongs to the client certificate.",
}
_BY_PASSWORD: Final = frozenset({"username", "password"})
_BY_CERTIFICATE: Final = frozenset({"client_cert", "client_key"})
_SECRETS: Final = ("password", "client_key")


class InvalidRequest(ValueError):
    """A request that cannot be sent; `fields` has the messages by the path of the field, such as "cluster.name"."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(f"invalid: {', '.join(sorted(fields))}")
        self.fields = fields


def parse_request(document: object, *, credentials_required: bool = True) -> BootstrapRequest:
    """Read the JSON object of a bootstrap, every rule applied.

    Without `credentials_required` a request that was stored with `redacted()` reads back: credentials that are absent
    or hidden become None. A recovery needs no credentials.

    Raises:
        InvalidRequest: with every error and every unknown field.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest({"": ["A bootstrap request must be a JSON object."]})
    request, found = _read(document)
    errors = FieldErrors()
    if request:
        action = None if "action" in found else request.action
        _check_for_action(request, action, errors)
        credentials = _check_credentials(request, action, document, errors, required=credentials_required)
        request = request.with_credentials(credentials)
    found.update({path: messages for path, messages in errors.items() if not _has_error(path, found)})
    if request is None or found:
        # raised after the except block, so that it is not chained to an error that holds the input
        raise InvalidRequest(dict(found))
    return request


@dataclass(frozen=True, slots=True)
class PartialRequest:
    """What a document has of a request: its valid fields, messages about the others, and the names of unknown ones."""

    request: BootstrapRequest
    errors: Mapping[str, list[str]]
    unknown: tuple[str, ...]


def read_partial(document: Mapping[str, object]) -> PartialRequest:
    """Read the valid fields of a document that may be incomplete; without a valid action it is a create."""
    known, unknown = _without_unknown(document)
    request, errors = _read(known)
    return PartialRequest(request or BootstrapRequest(action=Action.CREATE), errors, unknown)


def _without_unknown(document: Mapping[str, object]) -> tuple[dict[str, object], tuple[str, ...]]:
    """Copy a document without the fields that no request has, and name them."""
    kept = deepcopy(dict(document))
    try:
        BootstrapRequest.model_validate(document)
    except ValidationError as error:
        unknown = [each["loc"] for each in pydantic_errors(error) if each["type"] == "extra_forbidden"]
    else:
        return kept, ()
    for *parents, last in unknown:
        place: Any = kept
        for part in parents:
            place = place[part]
        del place[last]
    return kept, tuple(clean(".".join(map(str, location)), 100) or "?" for location in unknown)


def _read(document: Mapping[str, object]) -> tuple[BootstrapRequest | None, FieldErrors]:
    """Read what can be read, so that the rules about several fields apply to the rest."""
    document = _without_masks(document)
    try:
        return BootstrapRequest.model_validate(document), FieldErrors()
    except ValidationError as error:
        errors = pydantic_errors(error)
    rest = _without(document, [each["loc"] for each in errors])
    if ("action",) in {each["loc"] for each in errors}:
        rest["action"] = Action.CREATE
    try:
        request = BootstrapRequest.model_validate(rest)
    except ValidationError:
        request = None
    return request, messages_of(errors)


def _without_masks(document: Mapping[str, object]) -> Mapping[str, object]:
    credentials = document.get("credentials")
    if not isinstance(credentials, Mapping):
        return document
    shown = {key: value for key, value in credentials.items() if key not in _SECRETS or value != MASK}
    return {**document, "credentials": shown}


def _without(document: Mapping[str, object], locations: Iterable[Location]) -> dict[str, object]:
    """Leave out the fields at these locations; a list is left out as a whole."""
    gone: set[str] = set()
    inside: dict[str, list[Location]] = {}
    for name, *further in locations:
        if further and isinstance(further[0], str) and isinstance(document.get(str(name)), Mapping):
            inside.setdefault(str(name), []).append(tuple(further))
        else:
            gone.add(str(name))
    return {
        key: _without(value, inside[key]) if key in inside and isinstance(value, Mapping) else value
        for key, value in document.items()
        if key not in gone
    }


def _has_error(path: str, errors: FieldErrors) -> bool:
    """Whether this field, or an object around it, has an error already."""
    return any(path == each or (each and path.startswith(f"{each}.")) for each in errors)


def _check_credentials(
    request: BootstrapRequest,
    action: Action | None,
    document: Mapping[str, object],
    errors: FieldErrors,
    *,
    required: bool,
) -> Credentials | None:
    """Return the credentials if they are complete, None for a recovery without any.

    Missing and hidden fields are errors if credentials are `required`. Otherwise the result is None: the vault has the
    credentials of a stored request.
    """
    entered = document.get("credentials")
    entered = entered if isinstance(entered, Mapping) else {}
    filled = {key for key in _BY_PASSWORD | _BY_CERTIFICATE if _is_filled(key, entered.get(key))}
    hidden = {key for key in _SECRETS if entered.get(key) == MASK}
    expected = _BY_CERTIFICATE if filled and not filled & _BY_PASSWORD else _BY_PASSWORD
    missing = expected - filled
    if filled - expected:
        errors.add(
            "credentials",
            "Use a user name and a password, or a client certificate and its key, but not both.",
        )
    if required and (filled or action is not Action.RECOVER):
        for key in sorted(missing):
            errors.add(f"credentials.{key}", MISSING_MESSAGES[key])
        for key in sorted(hidden):
            errors.add(f"credentials.{key}", "This is hidden behind asterisks. Enter it again.")
    elif missing or hidden:
        return None
    return request.credentials if filled else None


def _is_filled(key: str, value: object) -> bool:
    """Whether something was entered; only a secret can consist of spaces."""
    return value is not None and (
        bool(value.strip() or (value and key in _SECRETS)) if isinstance(value, str) else True
    )


def _check_for_action(request: BootstrapRequest, action: Action | None, errors: FieldErrors) -> None:
    """Check the rules that depend on the action or on several fields."""
    if action is Action.CREATE:
        _check_create(request, errors)
    if action is Action.JOIN:
        _check_join(request, errors)
    if action is Action.RECOVER and not request.recovery_filename:
        errors.add(
            "recovery_filename", "Enter the recovery file, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb."
        )
    identity = request.node.identity
    if identity.second_rack_id and not identity.rack_id:
        errors.add("node.identity.rack_id", "A second rack ID needs a first one. Enter it here.")


def _check_create(request: BootstrapRequest, errors: FieldErrors) -> None:
    try:
        check_cluster_name(request.cluster.name)
    except RuleError as error:
        errors.add("cluster.name", error.message)
    if request.policy.rack_aware and not request.node.identity.rack_id:
        errors.add("node.identity.rack_id", "Every node of a rack-aware cluster needs a rack ID. Enter this node's.")
    if request.cluster.nodes:
        errors.add("cluster.nodes", "A new cluster has no members yet. Leave this empty, or join the cluster instead.")


def _check_join(request: BootstrapRequest, errors: FieldErrors) -> None:
    identity, members = request.node.identity, request.cluster.nodes
    if not members:
        errors.add("cluster.nodes", "Enter the address of at least one member of the cluster, such as 10.0.0.5.")
    # nodes that share an address differ in the port
    if request.cnm_https_port is None and identity.addr and identity.addr in members:
        errors.add(
            "cluster.nodes",
            f"{identity.addr} is the address of the node that joins. Enter a member of the cluster here.",
        )
    if identity.use_internal_ipv6 is not None:
        errors.add(
            "node.identity.use_internal_ipv6",
            "This is set when a cluster is created. Leave it out of a join.",
        )
