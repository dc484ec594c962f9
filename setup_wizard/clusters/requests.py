"""The bootstrap request of each node of a plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, InvalidRequest, parse_request
from setup_wizard.clusters.document import InvalidPlan, PlanDocument

# where a field of the request stands in the plan; of a node, below "nodes.<position>"
_OF_NODE = {
    "node.identity.addr": "addr",
    "node.identity.external_addr": "external_addr",
    "node.identity.rack_id": "rack_id",
    "node.identity.second_rack_id": "second_rack_id",
    "node.identity.uid": "uid",
    "node.identity.accept_servers": "accept_servers",
}
_OF_PLAN = {
    "cluster.name": "cluster.name",
    "cluster.nodes": "members",
    "policy.rack_aware": "cluster.rack_aware",
    "node.paths": "defaults.paths",
    "node.limits": "defaults.limits",
    "node.bigstore_enabled": "defaults.bigstore_enabled",
    "credentials": "credentials",
}


def request_of(
    plan: PlanDocument, position: int, *, members: Sequence[str] = (), port: int | None = None
) -> BootstrapRequest:
    """Return the request of the node at this position, without credentials.

    `members` are the internal addresses of the nodes that are in the cluster by then, and `port` is that of their API,
    when the node would assume another.

    Raises:
        InvalidPlan: a rule for the request is broken; the paths are those of the plan.
    """
    document = _document(plan, position, members, port)
    try:
        return parse_request(document, credentials_required=False)
    except InvalidRequest as error:
        fields = {plan_path(path, position): messages for path, messages in error.fields.items()}
    raise InvalidPlan(fields)


def plan_path(path: str, position: int) -> str:
    """Return where a field of a node's request stands in the plan."""
    if path in _OF_NODE:
        return f"nodes.{position}.{_OF_NODE[path]}"
    if path in {"address", "fingerprint"}:
        return f"nodes.{position}.{path}"
    for prefix, name in _OF_PLAN.items():
        if path == prefix or path.startswith(f"{prefix}."):
            return f"{name}{path.removeprefix(prefix)}"
    return path


def _document(plan: PlanDocument, position: int, members: Sequence[str], port: int | None) -> dict[str, Any]:
    node, action = plan.nodes[position], plan.action_of(position)
    identity = {
        "addr": node.addr,
        "external_addr": list(node.external_addr),
        "rack_id": node.rack_id,
        "second_rack_id": node.second_rack_id,
        "uid": node.uid,
        "accept_servers": node.accept_servers,
    }
    shared = plan.defaults.model_dump(mode="json", exclude_defaults=True)
    paths = {**_mapping(shared.get("paths")), **node.paths.model_dump(exclude_defaults=True)}
    document: dict[str, Any] = {
        "action": action.value,
        "cluster": {"name": plan.cluster.name},
        "node": {**shared, "paths": paths, "identity": {key: value for key, value in identity.items() if value}},
    }
    if node.accept_servers is False:
        document["node"]["identity"]["accept_servers"] = False
    if action is Action.JOIN:
        document["cluster"] = {"nodes": list(members or plan.members)}
        if port:
            document["cnm_https_port"] = port
        return document
    policy = plan.policy.model_dump(mode="json", exclude_defaults=True)
    if plan.cluster.rack_aware:
        policy["rack_aware"] = True
    document |= {"license": plan.license, "policy": policy}
    if action is Action.RECOVER:
        document["recovery_filename"] = plan.recovery_filename
    else:
        document["dns_suffixes"] = [each.model_dump(mode="json", exclude_defaults=True) for each in plan.dns_suffixes]
    return document


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
