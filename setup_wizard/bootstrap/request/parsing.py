"""Read a bootstrap request from JSON, and name every mistake in it at once."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import ValidationError

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.mistakes import Location, Mistakes, errors_of, find_mistakes
from setup_wizard.bootstrap.request.models import BootstrapRequest, Credentials
from setup_wizard.bootstrap.rules import RuleError, check_cluster_name
from setup_wizard.bootstrap.secret import MASK

_ASKED: Final = {
    "username": "Enter the user name of the cluster's administrator.",
    "password": "Enter the password of the cluster's administrator.",
    "client_cert": "Paste the client certificate that belongs to the key.",
    "client_key": "Paste the key that belongs to the client certificate.",
}
_SECRETS: Final = ("password", "client_key")


class InvalidRequest(ValueError):
    """A request that must not be sent; `fields` has the messages by the path of the field, such as "cluster.name"."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(f"invalid: {', '.join(sorted(fields))}")
        self.fields = fields


def parse_request(document: object, *, credentials_required: bool = True) -> BootstrapRequest:
    """Read the JSON object of a bootstrap, every rule applied.

    Without `credentials_required` a request that was stored with `redacted()` reads back: credentials that are absent
    or hidden become None. A recovery needs no credentials.

    Raises:
        InvalidRequest: with every mistake and every unknown field.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest({"": ["A bootstrap request is a JSON object."]})
    request, found = _read(document)
    mistakes = Mistakes()
    if request:
        action = None if "action" in found else request.action
        _check_for_action(request, action, mistakes)
        credentials = _check_credentials(request, action, document, mistakes, required=credentials_required)
        request = request.with_credentials(credentials)
    found.update({path: messages for path, messages in mistakes.items() if not _is_known(path, found)})
    if request is None or found:
        raise InvalidRequest(dict(found))  # no handler is around it: pydantic's own error holds what was sent
    return request


def _read(document: Mapping[str, object]) -> tuple[BootstrapRequest | None, Mistakes]:
    """Read what can be read, so that the rules that look at several fields apply to the rest of it."""
    document = _without_masks(document)
    try:
        return BootstrapRequest.model_validate(document), Mistakes()
    except ValidationError as error:
        errors = errors_of(error)
    rest = _without(document, [each["loc"] for each in errors])
    if ("action",) in {each["loc"] for each in errors}:
        rest["action"] = Action.CREATE
    try:
        request = BootstrapRequest.model_validate(rest)
    except ValidationError:
        request = None
    return request, find_mistakes(errors)


def _without_masks(document: Mapping[str, object]) -> Mapping[str, object]:
    credentials = document.get("credentials")
    if not isinstance(credentials, Mapping):
        return document
    shown = {key: value for key, value in credentials.items() if key not in _SECRETS or value != MASK}
    return {**document, "credentials": shown}


def _without(document: Mapping[str, object], locations: Iterable[Location]) -> dict[str, object]:
    """Leave out the fields at these places; of a list, all of it."""
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


def _is_known(path: str, mistakes: Mistakes) -> bool:
    """Whether this field, or an object around it, has a mistake already."""
    return any(path == known or (known and path.startswith(f"{known}.")) for known in mistakes)


def _check_credentials(
    request: BootstrapRequest,
    action: Action | None,
    document: Mapping[str, object],
    mistakes: Mistakes,
    *,
    required: bool,
) -> Credentials | None:
    entered = document.get("credentials")
    entered = entered if isinstance(entered, Mapping) else {}
    given = {key for key in _ASKED if _is_given(key, entered.get(key))}
    required = required and (action is not Action.RECOVER or bool(given))
    hidden = {key for key in _SECRETS if entered.get(key) == MASK}
    signs_in_by_certificate = not given & {"username", "password"} and bool(given)
    needed = {"client_cert", "client_key"} if signs_in_by_certificate else {"username", "password"}
    if given - needed:
        mistakes.add(
            "credentials",
            "Sign in with a user name and a password, or with a client certificate and its key: not both.",
        )
    if not required and (hidden or needed - given):
        return None  # a stored request: what was hidden comes back from the vault
    if required:
        for key in sorted(needed - given):
            mistakes.add(f"credentials.{key}", _ASKED[key])
        for key in sorted(hidden):
            mistakes.add(f"credentials.{key}", "This is hidden behind asterisks. Enter it again.")
    return request.credentials if given else None


def _is_given(key: str, value: object) -> bool:
    """Whether something was entered; only a secret can be of blanks alone."""
    return value is not None and (
        bool(value.strip() or (value and key in _SECRETS)) if isinstance(value, str) else True
    )


def _check_for_action(request: BootstrapRequest, action: Action | None, mistakes: Mistakes) -> None:
    """Check what depends on the action, and what no single field can know."""
    if action is Action.CREATE:
        _check_create(request, mistakes)
    if action is Action.JOIN:
        _check_join(request, mistakes)
    if action is Action.RECOVER and not request.recovery_filename:
        mistakes.add(
            "recovery_filename", "Enter the file to recover from, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb."
        )
    identity = request.node.identity
    if identity.second_rack_id and not identity.rack_id:
        mistakes.add("node.identity.rack_id", "A second rack id needs a first one. Enter it here.")


def _check_create(request: BootstrapRequest, mistakes: Mistakes) -> None:
    try:
        check_cluster_name(request.cluster.name)
    except RuleError as error:
        mistakes.add("cluster.name", error.message)
    if request.cluster.nodes:
        mistakes.add(
            "cluster.nodes", "A new cluster has no members yet. Leave this empty, or join the cluster instead."
        )


def _check_join(request: BootstrapRequest, mistakes: Mistakes) -> None:
    identity, members = request.node.identity, request.cluster.nodes
    if not members:
        mistakes.add("cluster.nodes", "Enter the address of at least one member of the cluster, such as 10.0.0.5.")
    # nodes that share one address tell each other apart by the port
    if request.cnm_https_port is None and identity.addr and identity.addr in members:
        mistakes.add(
            "cluster.nodes",
            f"{identity.addr} is the address of the node that is to join. Enter a member of the cluster here.",
        )
    if identity.use_internal_ipv6 is not None:
        mistakes.add(
            "node.identity.use_internal_ipv6",
            "A cluster settles this when it is created. Leave it out of a join.",
        )
