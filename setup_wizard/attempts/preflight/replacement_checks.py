"""Checks of a replacement: the old node is gone for good, and this node is large enough to take its place."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.cluster_checks import (
    ASKS_CLUSTER,
    CLUSTER_PARTS,
    COMPARES_NODE,
    UID,
    describe_node,
    describe_votes,
    judges_reading,
    not_told,
    offer_replacements,
)
from setup_wizard.attempts.preflight.findings import Answering, Findings
from setup_wizard.attempts.preflight.join_checks import is_join
from setup_wizard.attempts.preflight.node_checks import facts_of, probe_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import SAID_ELSEWHERE, Level, Result
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy, join_words
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import ListedNode, find_node
from setup_wizard.nodes.cluster_reading import ClusterReading, Part

DOWN_FOR: Final = timedelta(seconds=60)
_NAME: Final = "replaced_node"
_OLD_MACHINE: Final = "The old machine is off and will be reinstalled"
_FLASH: Final = "node.paths.bigstore_path"


def is_replacement(setup: NodeSetup) -> bool:
    """Tell whether the node takes the place of another."""
    return is_join(setup) and setup.request.node.identity.uid is not None


def find_replaced(setup: NodeSetup, reading: ClusterReading) -> ListedNode | None:
    """Find the node to replace in the cluster's list."""
    uid = setup.request.node.identity.uid
    return None if uid is None else find_node(reading.nodes or (), str(uid), frozenset())


@judges_reading
def _replaced_node(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    """Stop the replacement of a node that is alive; a node counts as failed when it was down twice, a minute apart."""
    cluster, uid = reading.cluster.name, setup.request.node.identity.uid
    if reading.nodes is None:
        return not_told(reading, Part.NODES, "the state of its nodes")
    node = find_replaced(setup, reading)
    remedies = (*offer_replacements(reading), Remedy("Join as a new node", UID, {UID: None}))
    if node is None:
        numbers = join_words(each.uid for each in reading.nodes)
        message = f"{cluster} has no node {uid}, only {numbers}. Only the number of a removed node can be used again."
        return Result(level=Level.FAILED, message=message, part=UID, can_override=True, remedies=remedies)
    name = f"N{describe_node(node)[1:]}"  # "Node 2"
    if not node.is_down:
        message = f"{name} of {cluster} is {node.status}. Only a node that is down can be replaced."
        return Result(level=Level.FAILED, message=message, part=UID, remedies=remedies)
    now = timezone.now()
    since = _down_since(findings.earlier.get(_NAME, {}), node, reading) or now
    data = {"uid": node.uid, "cluster": cluster, "down_since": since.isoformat()}
    if now - since < DOWN_FOR:
        message = (
            f"{name} is down. It may only be restarting: check again after {_time(since + DOWN_FOR)}, a minute after "
            "it was first found down."
        )
        return Result(level=Level.NOT_CHECKED, message=message, part=UID, can_override=True, data=data)
    message = (
        f"{name} has been down since {_time(since)} or earlier. {setup.address} takes its place for good: the old "
        "machine must never start again with its data."
    )
    return Result(level=Level.WARNING, message=message, part=UID, confirmation=_OLD_MACHINE, data=data)


def _down_since(data: Mapping[str, object], node: ListedNode, reading: ClusterReading) -> datetime | None:
    """When the same node was first found down, by the run before."""
    if (data.get("uid"), data.get("cluster")) != (node.uid, reading.cluster.name):
        return None
    return parse_datetime(str(data.get("down_since", "")))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


@judges_reading
def _quorum(_setup: NodeSetup, _findings: Findings, reading: ClusterReading) -> Result | None:
    if not reading.nodes:
        return not_told(reading, Part.NODES, "the state of its nodes")
    cluster, every, up = reading.cluster.name, len(reading.nodes), sum(node.is_active for node in reading.nodes)
    needed = every // 2 + 1
    figures = (describe_votes(reading, f"{needed} of {every}"),)
    if up >= needed:
        message = f"{up} of the {every} nodes of {cluster} are up, which is a majority."
        return Result(level=Level.PASSED, message=message, part="", figures=figures)
    message = (
        f"{cluster} has lost its majority: {up} of its {every} nodes are up, and {needed} are needed. It cannot "
        "replace a node, unless it has just been recovered. Bring a node back first; if that is impossible, recover "
        "the cluster."
    )
    return Result(level=Level.FAILED, message=message, part="", can_override=True, figures=figures)


@judges_reading
def _old_address(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    """Stop when the old node still answers where it was, although the cluster has lost it."""
    if reading.nodes is None:
        return SAID_ELSEWHERE
    replaced = find_replaced(setup, reading)
    if replaced is None or not replaced.is_down or not isinstance(findings.old_node, Answering):
        return None
    taken = {address for node in reading.nodes or () if node is not replaced for address in node.addresses}
    own = {probe_of(findings).endpoint.ip} | {each.address for each in facts_of(findings).addresses}
    if replaced.addr in taken | own:
        return None  # another machine answers there, not the old node
    members, nodes = findings.old_node.members, findings.old_node.nodes
    if members:
        message = (
            f"Node {replaced.uid} still answers at {join_words(members)}, although {reading.cluster.name} has lost it. "
            "Two nodes with one number can destroy data. Switch the old machine off, or repair its network."
        )
        return Result(level=Level.FAILED, message=message, part=UID)
    if others := findings.old_node.others:
        message = (
            f"Something answers at {join_words(others)}, the address of node {replaced.uid}. If it is the old machine, "
            "switch it off."
        )
        return Result(level=Level.FAILED, message=message, part=UID, can_override=True)
    if nodes:
        message = f"A node without a cluster answers at {join_words(nodes)}: the old machine was reinstalled."
        return Result(level=Level.PASSED, message=message, part=UID)
    if not findings.old_node.asked:
        return None
    message = f"Nothing answers at {join_words(findings.old_node.asked)}, the address of node {replaced.uid}."
    return Result(level=Level.PASSED, message=message, part=UID)


@judges_reading
def _memory(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    if reading.nodes is None:
        return SAID_ELSEWHERE
    replaced = find_replaced(setup, reading)
    if replaced is None:
        return None
    return _compare("memory", facts_of(findings).total_memory, replaced.total_memory, replaced, "address")


@judges_reading
def _flash(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    if reading.nodes is None:
        return SAID_ELSEWHERE
    replaced = find_replaced(setup, reading)
    if replaced is None or not replaced.flash_enabled:
        return None
    here = facts_of(findings).bigredis_storage_size
    return _compare("flash storage", here, replaced.flash_size, replaced, _FLASH)


def _compare(what: str, here: float | None, needed: float | None, replaced: ListedNode, part: str) -> Result:
    sizes = format_size(here), format_size(needed)
    if here is None or needed is None or not all(sizes):
        message = f"The {what} of this node and of node {replaced.uid} cannot be compared: a size is not known."
        return Result(level=Level.NOT_CHECKED, message=message, part=part)
    figures = (Figure(what.capitalize(), sizes[0], needed=sizes[1]),)
    if here >= needed:
        message = f"This node has {sizes[0]} of {what}, and node {replaced.uid} had {sizes[1]}."
        return Result(level=Level.PASSED, message=message, part=part, figures=figures)
    larger = Remedy(f"Choose a node with {sizes[1]} or more", "address")
    remedies: tuple[Remedy, ...] = (larger,)
    advice = "Choose a larger node."
    if part == _FLASH:
        remedies = (Remedy("Choose another flash path", _FLASH), larger)
        advice = "Choose another flash path, or a larger node."
    message = (
        f"This node has {sizes[0]} of {what}, and node {replaced.uid} had {sizes[1]}. A replacement needs at least as "
        f"much. {advice}"
    )
    return Result(level=Level.FAILED, message=message, part=part, remedies=remedies, figures=figures)


REPLACEMENT_CHECKS: Final = (
    Check(
        name=_NAME,
        title="Node to replace",
        judge=_replaced_node,
        needs=ASKS_CLUSTER,
        applies=is_replacement,
        depends_on=(UID, *CLUSTER_PARTS),
    ),
    Check(
        name="quorum",
        title="Majority of the nodes",
        judge=_quorum,
        needs=ASKS_CLUSTER,
        applies=is_replacement,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="old_address",
        title="Old address",
        judge=_old_address,
        needs=COMPARES_NODE | {Source.OLD_NODE},
        applies=is_replacement,
        depends_on=(UID, *CLUSTER_PARTS),
    ),
    Check(
        name="replaced_memory",
        title="Memory of the replaced node",
        judge=_memory,
        needs=COMPARES_NODE,
        applies=is_replacement,
        depends_on=(UID, *CLUSTER_PARTS),
    ),
    Check(
        name="replaced_flash",
        title="Flash storage of the replaced node",
        judge=_flash,
        needs=COMPARES_NODE,
        applies=is_replacement,
        depends_on=(UID, _FLASH, *CLUSTER_PARTS),
    ),
)
