"""What can never be changed once a node is set up, each with its consequence."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.wizard import steps
from setup_wizard.wizard.models import Draft

DEFAULT_PATHS = ("/var/opt/redislabs/persist", "/var/opt/redislabs/tmp")


@dataclass(frozen=True, slots=True)
class PermanentChoice:
    """One answer, what follows from it, and where it can still be changed."""

    label: str
    value: str
    consequence: str
    url: str = ""


def permanent_choices(draft: Draft, request: BootstrapRequest) -> list[PermanentChoice]:
    """List what this setup decides for good."""
    return [
        PermanentChoice(label, value, consequence, _url(draft, part))
        for label, value, consequence, part in list_permanent(
            request,
            draft.node.endpoint.ip if draft.node else "",
            draft.node.answer.node if draft.node and draft.node.answer else NodeFacts(),
        )
    ]


def list_permanent(request: BootstrapRequest, ip: str, facts: NodeFacts) -> Iterator[tuple[str, str, str, str]]:
    """Yield what a request decides for good: label, value, consequence, and the part of the request."""
    yield from (choice for choice in _choices(request, ip, facts) if choice[1])


def _choices(request: BootstrapRequest, ip: str, facts: NodeFacts) -> Iterator[tuple[str, str, str, str]]:
    identity, paths = request.node.identity, request.node.paths
    if request.action is Action.CREATE:
        yield (
            "Cluster name",
            request.cluster.name,
            "The cluster keeps this name, and so do the addresses of all its databases.",
            "cluster.name",
        )
        yield _rack_awareness(is_on=bool(request.policy.rack_aware))
    yield "Rack", identity.rack_id, "A node stays in its rack until it is removed.", "node.identity.rack_id"
    addr = identity.addr or ip
    family = _family(addr, is_ipv6=bool(identity.use_internal_ipv6))
    if request.action is Action.CREATE:
        consequence = f"All nodes of the cluster talk to each other over {family}."
        yield "Address family", family, consequence, "node.identity.addr"
    flash = paths.bigstore_path or ("on" if request.node.bigstore_enabled else "")
    if flash:
        yield "Flash storage", flash, "A node keeps its flash storage.", "node.paths.bigstore_path"
    else:
        yield "Flash storage", "off", "Flash cannot be turned on for a node later.", "node.paths.bigstore_path"
    used = [
        paths.persistent_path or facts.persistent_storage_path or DEFAULT_PATHS[0],
        paths.ephemeral_path or facts.ephemeral_storage_path or DEFAULT_PATHS[1],
        paths.ccs_persistent_path,
    ]
    shown = "\n".join(path for path in used if path)
    yield "Paths", shown, "A node keeps its data there. To move it, reinstall the node.", "node.paths"
    if request.action is Action.CREATE:
        suffixes = request.dns_suffixes
        has_private = any(suffix.use_internal_addr for suffix in suffixes)
        if has_private:
            value = "private and public"
            consequence = "Databases keep a private and a public endpoint."
        else:
            value = "one for each database"
            consequence = "Private endpoints beside the public ones cannot be added later."
        yield "Endpoints", value, consequence, "dns_suffixes"


def _rack_awareness(*, is_on: bool) -> tuple[str, str, str, str]:
    if is_on:
        consequence = "It can never be turned off. Every node of the cluster needs a rack."
    else:
        consequence = "It can be turned on later, once every node has a rack, but never off."
    return "Rack awareness", "on" if is_on else "off", consequence, "policy.rack_aware"


def _family(addr: str, *, is_ipv6: bool) -> str:
    try:
        return "IPv6" if is_ipv6 or ipaddress.ip_address(addr).version == 6 else "IPv4"
    except ValueError:
        return "IPv6" if is_ipv6 else ""


def _url(draft: Draft, part: str) -> str:
    found = steps.find_field(draft, part)
    return found[0].url(draft, found[1], from_review=True) if found else ""
