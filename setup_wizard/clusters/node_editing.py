"""What the nodes page changes in a plan: its nodes, their order, and the certificates that were compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from setup_wizard.attempts import cluster_members
from setup_wizard.clusters import looks, plans
from setup_wizard.clusters.addresses import read_addresses
from setup_wizard.clusters.document import MAX_NODES, SUPPORTED_NODES, PlanDocument, PlannedNode
from setup_wizard.clusters.fingerprints import compare
from setup_wizard.clusters.host_facts import HostFactsInvalid, read_host_facts
from setup_wizard.clusters.models import OPEN_RUNS, NodeLook, Plan
from setup_wizard.clusters.node_rows import rows_of
from setup_wizard.nodes import trust


@dataclass(frozen=True, slots=True)
class EditResult:
    """What came of a change: addresses that were read, messages, and whether the next page can follow."""

    addresses: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    message: str = ""
    is_complete: bool = False


def read(posted: Mapping[str, Any]) -> EditResult:
    """Read the typed addresses and the nodes that were ticked, in this order: ticked, then typed."""
    ticked = posted.getlist("listed") if hasattr(posted, "getlist") else []
    typed = read_addresses("\n".join([*ticked, str(posted.get("addresses", ""))[:20_000]]))
    return EditResult(typed.addresses, typed.errors)


def free_nodes() -> list[str]:
    """List the free nodes that are in no plan that is being carried out, at most as many as a plan can have."""
    taken: set[str] = set()
    for plan in Plan.objects.filter(run__state__in=OPEN_RUNS):
        taken |= {node.address for node in plan.content.nodes}
    return [address for address in cluster_members.free_nodes() if address not in taken][:MAX_NODES]


def start(addresses: tuple[str, ...], *, by: User) -> Plan:
    """Save a new plan with these nodes, and ask them who they are."""
    nodes = tuple(PlannedNode(address=address) for address in addresses)
    plan = plans.add(PlanDocument(nodes=nodes), by=by)
    looks.ask_new(plan, by=by)
    return plan


def apply(plan: Plan, posted: Mapping[str, Any], *, version: int, by: User) -> EditResult:
    """Do what the pressed button says.

    Raises:
        PlanStale: the plan was changed after the page was opened.
    """
    if plan.version != version:
        raise plans.PlanStale
    action, _, address = str(posted.get("do", "next")).partition(":")
    if action == "next" and str(posted.get("host_facts", "")).strip():
        kept = _keep_host_facts(plan, str(posted["host_facts"]))
        if kept.errors:
            return kept
    match action:
        case "again":
            looks.ask(plan, [node.address for node in plan.content.nodes], by=by)
        case "compare":
            return _compare(plan, str(posted.get("pasted", "")), by)
        case "next" if str(posted.get("pasted", "")).strip():
            compared = _compare(plan, str(posted["pasted"]), by)
            return compared if compared.errors else _save(plan, posted, by, is_next=True)
        case "facts":
            return _keep_host_facts(plan, str(posted.get("host_facts", "")))
        case "match":
            return _match(plan, address, str(posted.get(f"shown:{address}", "")), by)
        case "remove" | "first" | "up" | "down":
            _move(plan, action, address, by)
        case _:
            return _save(plan, posted, by, is_next=action == "next")
    return EditResult()


def _save(plan: Plan, posted: Mapping[str, Any], by: User, *, is_next: bool) -> EditResult:
    edit = read(posted)
    if edit.errors:
        return edit
    if not edit.addresses:
        return EditResult(errors=("Enter at least one address, or tick a node.",))
    known = {node.address: node for node in plan.content.nodes}
    kept = [address for address in known if address in edit.addresses]  # keep the order of those that are there
    order = [*kept, *(address for address in edit.addresses if address not in known)]
    if order != list(known):
        nodes = tuple(known.get(address) or PlannedNode(address=address) for address in order)
        _write(plan, nodes, by)
        looks.ask_new(plan, by=by)
    if not is_next:
        return EditResult()
    if missing := _what_is_missing(plan):
        return EditResult(errors=missing)
    _store_fingerprints(plan, by)  # some nodes may have been approved before
    return EditResult(is_complete=True)


def _what_is_missing(plan: Plan) -> tuple[str, ...]:
    rows = rows_of(plan)
    if any(row.is_pending for row in rows):
        return ("Some nodes have not answered yet. Wait a moment, then press Next again.",)
    problems = [f"{row.address}: {row.problem}" for row in rows if row.problem]
    unapproved = [row.address for row in rows if not row.problem and not row.is_approved]
    if unapproved:
        problems.append(f"Compare the certificates of {', '.join(unapproved)} first.")
    return tuple(problems)


def _compare(plan: Plan, pasted: str, by: User) -> EditResult:
    compared = compare(list(plan.looks.all()), pasted)
    if not compared.count:
        return EditResult(errors=(compared.summary,))
    for look in compared.matching:
        _approve(look, by)
    _store_fingerprints(plan, by)
    different = [look.address for look in compared.different if not _is_approved(look)]
    if different:
        return EditResult(errors=(f"{compared.summary}. No fingerprint fits {', '.join(different)}.",))
    return EditResult(message=f"{compared.summary}.")


def _keep_host_facts(plan: Plan, pasted: str) -> EditResult:
    """Store what was collected on each node; the fingerprint says which node it is."""
    try:
        found = {each.fingerprint: each for each in read_host_facts(pasted) if each.fingerprint}
    except HostFactsInvalid as error:
        return EditResult(errors=(str(error),))
    known = [look for look in plan.looks.all() if look.probe and look.fingerprint in found]
    for look in known:
        plan.looks.filter(pk=look.pk).update(host_facts=found[look.fingerprint].as_json())
    if not known:
        message = "No node of this plan was found in the text: no fingerprint in it is that of a node here."
        return EditResult(errors=(message,))
    total = len(plan.content.nodes)
    count = f"{len(known)} of {total} node{'s' if total > 1 else ''}"
    return EditResult(message=f"Host details of {count} were read. The review shows what was found.")


def _match(plan: Plan, address: str, shown: str, by: User) -> EditResult:
    look = plan.looks.filter(address=address).first()
    if look is None or not look.answer:
        return EditResult(errors=("This node has not answered yet.",))
    if shown != look.fingerprint:
        return EditResult(errors=(f"{address} shows another certificate now. Compare it again.",))
    _approve(look, by)
    _store_fingerprints(plan, by)
    return EditResult()


def _approve(look: NodeLook, by: User) -> None:
    if look.answer:
        trust.approve(look.answer.endpoint, look.answer.certificate, by=by)


def _is_approved(look: NodeLook) -> bool:
    return look.answer is not None and trust.is_approved(look.answer.endpoint.key, look.fingerprint)


def _store_fingerprints(plan: Plan, by: User) -> None:
    approved = {look.address: look.fingerprint for look in plan.looks.all() if _is_approved(look)}
    nodes = tuple(
        node.model_copy(update={"fingerprint": approved.get(node.address, "")}) for node in plan.content.nodes
    )
    if nodes != plan.content.nodes:
        _write(plan, nodes, by)


def _move(plan: Plan, action: str, address: str, by: User) -> None:
    nodes = list(plan.content.nodes)
    position = next((index for index, node in enumerate(nodes) if node.address == address), None)
    if position is None:
        return
    node = nodes.pop(position)
    if action != "remove":
        target = {"first": 0, "up": max(position - 1, 0), "down": position + 1}[action]
        nodes.insert(target, node)
    _write(plan, tuple(nodes), by)
    looks.ask_new(plan, by=by)


def _write(plan: Plan, nodes: tuple[PlannedNode, ...], by: User) -> None:
    plans.save(plan, plan.content.model_copy(update={"nodes": nodes[:MAX_NODES]}), version=plan.version, by=by)


def warnings_of(plan: Plan) -> list[str]:
    """Warn about the number of nodes."""
    count = len(plan.content.nodes)
    found = []
    if count > SUPPORTED_NODES:
        found.append(f"These are {count} nodes. More than {SUPPORTED_NODES} are not supported.")
    if count and count % 2 == 0:
        found.append(f"{count} is an even number of nodes. An odd one, at least three, keeps a majority longer.")
    return found
