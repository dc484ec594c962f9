"""The look-up of a new cluster's name in DNS, when the operator asks for it on Review."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.contrib.auth.models import User

from setup_wizard.bootstrap.error_catalogue import join_words
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.nodes import probing
from setup_wizard.nodes.delegation import Delegation, find_name_servers, zone_of
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.request_mapping import build_request


@dataclass(frozen=True, slots=True)
class ShownDelegation:
    """What was found, and what to do about it; `records` are those to add to the zone above the name, one a line."""

    message: str
    advice: str = ""
    is_good: bool = False
    records: str = ""


def look_up(draft: Draft, *, by: User) -> ShownDelegation:
    """Look the name up and say what it means before the cluster exists; takes 5 s at most, counted as a probe.

    Raises:
        InvalidRequest: the answers of the draft do not make a request.
    """
    request = build_request(draft)
    name, further = request.cluster.name, " Each further node needs both, too."
    return look_up_name(name, {f"node1.{zone_of(name)}"}, _records(draft, request), by=by, further=further)


def look_up_name(name: str, wanted: AbstractSet[str], records: str, *, by: User, further: str = "") -> ShownDelegation:
    """Look a name up that should be delegated to the names in `wanted` by `records`; as `look_up` does.

    `further` is added to the advice when the records are missing.
    """
    try:
        probing.count_probe(by)
    except probing.TooManyProbes as refusal:
        return ShownDelegation(refusal.message)
    found = find_name_servers(name)
    named = join_words(sorted(each.rstrip(".") for each in found.names))
    match found.delegation:
        case Delegation.NAMED if wanted <= found.names:
            advice = "Each of them needs an address record of its node."
            return ShownDelegation(f"{name} is delegated to {named}.", advice, is_good=True)
        case Delegation.NAMED:
            advice = "The nodes of a cluster answer for its name themselves, so delegate it to them."
            return ShownDelegation(f"{name} is delegated to {named}.", advice, records=records)
        case Delegation.SILENT:
            advice = "That is right before the cluster is up, if the zone above has the records below."
            message = f"{name} is delegated, and its name servers do not answer yet."
            return ShownDelegation(message, advice, is_good=True, records=records)
        case Delegation.NONE:
            advice = (
                f"{found.reason} Applications find the databases only by this name. Add the records below to the zone "
                f"above it, now or when the cluster is up.{further}"
            )
            return ShownDelegation(f"{name} is not delegated.", advice, records=records)
    return ShownDelegation(f"Not checked: {found.reason}", "Check the DNS of this server, then look the name up again.")


def _records(draft: Draft, request: BootstrapRequest) -> str:
    identity, zone = request.node.identity, zone_of(request.cluster.name)
    own = identity.addr or (draft.node.endpoint.ip if draft.node else "")
    addresses = identity.external_addr or [own]
    lines = [f"{zone} IN NS node1.{zone}"]
    lines += [f"node1.{zone} IN {'AAAA' if ':' in each else 'A'} {each}" for each in addresses if each]
    return "\n".join(lines)
