"""Where in the cluster the node is to stand: its rack, and the failed node that it replaces."""

from setup_wizard.bootstrap.catalogue.shapes import Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import FailedNode, Situation, listed

_RACK = "node.identity.rack_id"
_UID = "node.identity.uid"
_MOST_BUTTONS = 6


def explain_rack_id_required(at: Situation) -> Explanation:
    """Offer a new rack, then those in use: nodes in one rack are lost together."""
    racks = at.racks()
    in_use = f" In use are {listed(racks)}." if len(racks) > 1 else f" In use is {racks[0]}." if racks else ""
    given = at.asked(_RACK)
    without = f"came with {given}, which it did not accept" if given else "came without one"
    in_rack = f"{(at.action.verb if at.action else 'Join')} in"
    return Explanation(
        title="This cluster is rack-aware, so the node needs a rack",
        meaning=f"{at.opening} keeps the copies of its data in different racks, so that it "
        f"survives the loss of one. It asks every node for its rack, and {at.node} {without}.{in_use} The node stayed "
        f"out.{at.words('current_rack_ids')}",
        causes=(
            "The rack was left empty on the page."
            if not given
            else f"{given} is not a rack id that the cluster takes.",
            "The cluster was made rack-aware when it was created; that cannot be turned off.",
        ),
        checks=(
            f"Find out in which rack, zone or power circuit {at.node} really stands: a rack cannot be changed later.",
            "Three nodes want three different racks: a copy in the same rack is lost together with the original.",
        ),
        part=_RACK,
        remedies=(
            Remedy(f"{in_rack} a new rack", _RACK),
            *(
                Remedy(f"{in_rack} {rack}", _RACK, {_RACK: rack})
                for rack in racks[:_MOST_BUTTONS]
                if rack.lower() != given.lower()
            ),
        ),
    )


def explain_repair_required(at: Situation) -> Explanation:
    """Name the failed nodes, and offer to replace each, the cluster's own candidate first."""
    failed = at.failed_nodes
    candidate = at.candidate
    names = listed(each.label for each in failed)
    if len(failed) > 1:
        state = f"{names} have failed, and until they are replaced"
    else:
        state = f"{names or 'at least one node'} has failed, and until it is replaced"
    suggestion = f" The cluster would have node {candidate} replaced first." if candidate is not None else ""
    offered = [each for each in _offered(failed, candidate) if not _was_refused(each, at)]
    checks = [
        "On a member, `rladmin status nodes` shows which nodes are down.",
        "A node that is only switched off or cut off need not be replaced: bring it back, and join as a new node then.",
    ]
    checks.extend(
        f"Node {each.uid} stood in {each.rack}: what replaces it belongs there too."
        for each in offered[:3]
        if each.rack
    )
    return Explanation(
        title="Replace the failed node first",
        meaning=f"{at.opening} is degraded: {state}, it takes replacements only. {at.node} "
        f"asked to join {_as_what(at)}, so it stayed out.{suggestion}{at.words('failed_nodes', 'replace_candidate')}",
        causes=(
            f"{names[:1].upper()}{names[1:]} failed and stayed in the cluster."
            if names
            else "A node failed and stayed in it.",
            "The other nodes cannot reach what failed: a machine, a disk or the network between them is down.",
        ),
        checks=tuple(checks),
        part=_UID,
        remedies=(
            *(Remedy(f"Replace node {each.uid}", _UID, _replacement(each, at)) for each in offered[:_MOST_BUTTONS]),
            *((Remedy("Enter the node to replace", _UID),) if not offered else ()),
        ),
    )


def _offered(failed: list[FailedNode], candidate: int | None) -> list[FailedNode]:
    if candidate is None or candidate in {each.uid for each in failed}:
        return failed
    return [FailedNode(candidate), *failed]


def _was_refused(node: FailedNode, at: Situation) -> bool:
    """Whether this replacement, in this rack, is the one that the cluster has just refused."""
    return node.uid == at.replaces and _RACK not in _replacement(node, at)


def _replacement(node: FailedNode, at: Situation) -> dict[str, object]:
    """Fill in the rack as well where it is another one: without it the next attempt would fail on that."""
    values: dict[str, object] = {_UID: node.uid}
    if node.rack and node.rack.lower() != at.asked(_RACK).lower():
        values[_RACK] = node.rack
    return values


def _as_what(at: Situation) -> str:
    if at.replaces is None:
        return "as a new node"
    return f"as a replacement of node {at.replaces}, which it did not accept"
