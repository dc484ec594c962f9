"""Failures about the node's place in the cluster: its rack, and the failed node that it replaces."""

from setup_wizard.bootstrap.error_catalogue.explanation import Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import MAX_NAMED, BootstrapFailure, FailedNode, join_words

_RACK = "node.identity.rack_id"
_UID = "node.identity.uid"
_MAX_BUTTONS = 6


def explain_rack_id_required(failure: BootstrapFailure) -> Explanation:
    """Offer a new rack first, then those in use: nodes in the same rack are lost together."""
    racks = failure.racks()
    in_use = f" Racks in use: {join_words(racks)}." if racks else ""
    given = failure.requested(_RACK)
    problem = f"asked for {given}, which the cluster rejected" if given else "has none yet"
    in_rack = f"{(failure.action.verb if failure.action else 'Join')} in"
    return Explanation(
        title="The node needs a rack",
        meaning=f"{failure.cluster_capitalised} is rack-aware: it keeps the copies of its data in different racks, and "
        f"every node needs a rack. {failure.node} {problem}.{in_use} {failure.result}"
        f"{failure.closing_sentences('current_rack_ids')}",
        causes=(
            f"{given} is not a rack ID that the cluster accepts." if given else "The rack was left empty.",
            "The cluster was created as rack-aware. That cannot be turned off.",
        ),
        checks=(
            "Find out in which rack, zone or power circuit the node is. Its rack cannot be changed later.",
            "Each of three nodes needs its own rack. A copy in the same rack is lost together with the original.",
        ),
        part=_RACK,
        remedies=(
            Remedy(f"{in_rack} a new rack", _RACK),
            *(
                Remedy(f"{in_rack} {rack}", _RACK, {_RACK: rack})
                for rack in racks[:_MAX_BUTTONS]
                if rack.lower() != given.lower()
            ),
        ),
        figures=(Figure("Rack", given or "none", join_words(racks), "a rack ID"),),
    )


def explain_repair_required(failure: BootstrapFailure) -> Explanation:
    """Name the failed nodes, and offer to replace each, the cluster's own candidate first."""
    failed, candidate = failure.failed_nodes, failure.candidate
    names = join_words(each.label for each in failed) or "a node"
    have, they_are = ("have", "they are") if len(failed) > 1 else ("has", "it is")
    suggestion = f" The cluster suggests replacing node {candidate} first." if candidate is not None else ""
    offered = [each for each in _candidates(failed, candidate) if not _was_rejected(each, failure)]
    return Explanation(
        title="Replace the failed node first",
        meaning=f"{failure.cluster_capitalised} is degraded: {names} {have} failed. Until {they_are} replaced, the "
        f"cluster accepts only replacements. {failure.node} asked to {_describe_request(failure)} and was rejected."
        f"{suggestion}{failure.closing_sentences('failed_nodes', 'replace_candidate')}",
        causes=(
            f"{names[:1].upper()}{names[1:]} {have} failed and {have} not been replaced.",
            "A machine, a disk or a network is down, so the other nodes cannot reach it.",
        ),
        checks=(
            "On a member, `rladmin status nodes` shows which nodes are down.",
            "A node that is only switched off or disconnected needs no replacement. Bring it back, then join again.",
            *(
                f"Node {each.uid} was in {each.rack}. Its replacement belongs there too."
                for each in offered[:3]
                if each.rack
            ),
        ),
        part=_UID,
        remedies=(
            *(Remedy(f"Replace node {each.uid}", _UID, _replacement(each, failure)) for each in offered[:_MAX_BUTTONS]),
            *((Remedy("Enter the node to replace", _UID),) if not offered else ()),
        ),
        figures=tuple(
            Figure(f"Node {each.uid}", "", f"failed, in {each.rack}" if each.rack else "failed", "a replacement")
            for each in failed[:MAX_NAMED]
        ),
    )


def _candidates(failed: list[FailedNode], candidate: int | None) -> list[FailedNode]:
    if candidate is None or candidate in {each.uid for each in failed}:
        return failed
    return [FailedNode(candidate), *failed]


def _was_rejected(node: FailedNode, failure: BootstrapFailure) -> bool:
    """Whether the cluster has just rejected this replacement in this rack."""
    # a rack in the replacement was not requested before, so it is a new try
    return node.uid == failure.replaces and _RACK not in _replacement(node, failure)


def _replacement(node: FailedNode, failure: BootstrapFailure) -> dict[str, object]:
    """Fill in the rack too when it differs: without its rack the next attempt would fail."""
    values: dict[str, object] = {_UID: node.uid}
    if node.rack and node.rack.lower() != failure.requested(_RACK).lower():
        values[_RACK] = node.rack
    return values


def _describe_request(failure: BootstrapFailure) -> str:
    return "join as a new node" if failure.replaces is None else f"replace node {failure.replaces}"
