"""The rack of a node that joins, against the racks of its cluster."""

from collections.abc import Iterable
from typing import Final

from setup_wizard.attempts.preflight.check import Check
from setup_wizard.attempts.preflight.cluster_checks import (
    ASKS_CLUSTER,
    CLUSTER_PARTS,
    MAX_BUTTONS,
    UID,
    judges_reading,
    not_told,
)
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.join_checks import is_join
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy, join_words
from setup_wizard.bootstrap.status import ListedNode, find_node
from setup_wizard.nodes.cluster_reading import ClusterReading, Part

_RACK: Final = "node.identity.rack_id"
_OVERRIDE: Final = "node.identity.override_rack_id"
_NEW: Final = Remedy("Join in a new rack", _RACK)


@judges_reading
def _rack(setup: NodeSetup, _findings: Findings, reading: ClusterReading) -> Result | None:
    cluster, identity = reading.cluster.name, setup.request.node.identity
    if reading.nodes is None:
        return not_told(reading, Part.NODES, "the racks of its nodes")
    replaced = find_node(reading.nodes, str(identity.uid), frozenset()) if identity.uid is not None else None
    racks = list_racks(node for node in reading.nodes if node is not replaced)
    if replaced and replaced.rack_id and (judged := _replaced_rack(setup, replaced, racks)):
        return judged
    used = f"Racks in use: {join_words(racks)}." if racks else "No rack is in use yet."
    needed = "a rack ID" if reading.cluster.rack_aware else ""
    figures = (Figure("Rack", identity.rack_id or "none", join_words(racks) or "none", needed),)
    if reading.cluster.rack_aware is None:
        message = f"{cluster} does not report whether it is rack-aware. {used}"
        return Result(level=Level.NOT_CHECKED, message=message, part=_RACK, figures=figures)
    if not reading.cluster.rack_aware:
        return _without_awareness(cluster, identity.rack_id, used)
    if not identity.rack_id:
        message = f"{cluster} is rack-aware, so this node needs a rack, best a new one. {used}"
        return Result(
            level=Level.FAILED, message=message, part=_RACK, remedies=(_NEW, *_join_in(racks)), figures=figures
        )
    if _contains(racks, identity.rack_id):
        message = f"{identity.rack_id} is in use already. Copies in the same rack can be lost together. {used}"
        return Result(level=Level.WARNING, message=message, part=_RACK, remedies=(_NEW,), figures=figures)
    message = f"{identity.rack_id} is a new rack of {cluster}. {used}"
    return Result(level=Level.PASSED, message=message, part=_RACK, figures=figures)


def list_racks(nodes: Iterable[ListedNode]) -> list[str]:
    """List the racks of nodes, without those that differ in case only."""
    racks: dict[str, str] = {}
    for node in nodes:
        if node.rack_id:
            racks.setdefault(node.rack_id.lower(), node.rack_id)
    return sorted(racks.values())


def _without_awareness(cluster: str, rack: str, used: str) -> Result:
    if not rack:
        message = f"{cluster} is not rack-aware, so this node needs no rack. {used}"
        return Result(level=Level.PASSED, message=message, part=_RACK)
    message = (
        f"{cluster} is not rack-aware: {rack} has no effect until rack awareness is turned on, which needs a rack on "
        f"every node. The rack of this node cannot be changed later. {used}"
    )
    return Result(level=Level.WARNING, message=message, part=_RACK)


def _replaced_rack(setup: NodeSetup, replaced: ListedNode, racks: list[str]) -> Result | None:
    """Compare the rack with that of the replaced node; None when the node may have its own."""
    given, known = setup.request.node.identity.rack_id, replaced.rack_id
    figures = (Figure("Rack", given or "none", join_words(racks) or "none", known),)
    if not given:
        message = f"This node takes over {known}, the rack of node {replaced.uid}."
        return Result(level=Level.PASSED, message=message, part=_RACK, figures=figures)
    if given.lower() == known.lower():
        message = f"{known} is the rack of node {replaced.uid}, which this node replaces."
        return Result(level=Level.PASSED, message=message, part=_RACK, figures=figures)
    if setup.request.node.identity.override_rack_id:
        return None
    message = (
        f"Node {replaced.uid} was in {known}, and its replacement belongs there too. To replace it in {given}, the "
        "rack has to be overridden."
    )
    remedies = (
        Remedy(f"Use {known}", _RACK, {_RACK: known}),
        Remedy(f"Override with {given}", _OVERRIDE, {_OVERRIDE: True}),
    )
    return Result(
        level=Level.FAILED, message=message, part=_RACK, can_override=True, remedies=remedies, figures=figures
    )


def _join_in(racks: list[str]) -> tuple[Remedy, ...]:
    return tuple(Remedy(f"Join in {rack}", _RACK, {_RACK: rack}) for rack in racks[:MAX_BUTTONS])


def _contains(racks: list[str], rack: str) -> bool:
    return rack.lower() in {each.lower() for each in racks}


RACK_CHECKS: Final = (
    Check(
        name="rack",
        title="Rack",
        judge=_rack,
        needs=ASKS_CLUSTER,
        applies=is_join,
        depends_on=(_RACK, _OVERRIDE, UID, *CLUSTER_PARTS),
    ),
)
