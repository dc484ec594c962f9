"""What a bootstrap is checked against: the node itself, and the cluster that it wants to join.

Reference: the bootstrap API's documentation, its table of error codes.
"""

import ipaddress
from collections.abc import Sequence

from setup_wizard.reference_node.bootstrap_plan import BootstrapPlan
from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.license import Use, check_terms, find_license
from setup_wizard.reference_node.lifecycle import Action, parse_time
from setup_wizard.reference_node.membership import Cluster, Member
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.storage import Storage

# as much as clients check for: what passes their check must not fail here
CLOCK_TOLERANCE_SECONDS = 30.0
SETTINGS = {
    "install_dir": "installation directory",
    "config_dir": "configuration directory",
    "os_user": "operating system user",
}


def check_request(plan: BootstrapPlan, addresses: Sequence[str], storage: Storage, traits: Traits, now: float) -> None:
    """Check a request against the node, before any other node is asked and anything is made.

    Raises BootstrapFailed: `config_error` when the address is not one of the node's `addresses`, `path_error`, and for
    a new cluster `invalid_license`.
    """
    known = {ipaddress.ip_address(address) for address in addresses}
    if plan.addr and ipaddress.ip_address(plan.addr) not in known:
        message = f"{plan.addr} is not an address of this node, which has {', '.join(addresses)}"
        raise BootstrapFailed("config_error", message, field="node.identity.addr", available_addresses=list(addresses))
    plan.storage(storage).check(traits.mounts)
    if plan.action is Action.CREATE:  # a cluster that the node joins has its own license
        terms = find_license(plan.license, plan.name, int(now))
        check_terms(terms, plan.name, Use(nodes=1, flash=plan.flash), now)


def check_newcomer(
    cluster: Cluster, members: Sequence[Member], newcomer: Member, *, replaces: int | None, now: float
) -> None:
    """Check a node that wants to join; raises BootstrapFailed with the code that says why it cannot.

    `members` are all of them as they are now; the newcomer's own entry, if it asks again, does not count. `replaces` is
    the uid of the failed node that it replaces, `now` the clock of the member that it asks.
    """
    members = [member for member in members if member.install != newcomer.install]
    _check_clock(newcomer, now)
    _check_settings(members, newcomer)
    replaced = next((member for member in members if member.uid == replaces), None)
    if replaced is None:
        _check_health(members, newcomer)
    else:
        _check_replacement(replaced, newcomer)
    # a replacement without a rack takes over the rack of the failed node
    if cluster.rack_aware and not newcomer.rack_id and replaced is None:
        racks = sorted({member.rack_id for member in members if member.rack_id})
        message = f"{cluster.name} is rack-aware: a node needs a rack_id; in use are {', '.join(racks) or 'none'}"
        raise BootstrapFailed("rack_id_required", message, current_rack_ids=racks)
    terms = find_license(cluster.license, cluster.name, parse_time(cluster.created_time))
    # flash storage was checked when the cluster was created
    check_terms(terms, cluster.name, Use(nodes=len(members) + (replaced is None), shards=cluster.shards), now)


def check_replaced(members: Sequence[Member], uid: int) -> None:
    """Raise BootstrapFailed unless this is the uid of a failed member."""
    failed = [member.uid for member in members if member.is_down]
    if uid in failed:
        return
    known = any(member.uid == uid for member in members)
    message = f"Node {uid} is running and cannot be replaced" if known else f"The cluster has no node {uid} to replace"
    raise BootstrapFailed("config_error", message, field="node.identity.uid", failed_nodes=failed)


def settle_rack(replaced: Member, wanted: str, *, override: bool) -> str:
    """The rack of a replacement: that of the failed node, or with `override` its own; raises BootstrapFailed."""
    known = replaced.rack_id
    if not wanted or wanted.lower() == known.lower():
        return known
    if known and not override:
        message = (
            f"Node {replaced.uid} is in {known}, and its replacement must be too: set override_rack_id to use {wanted}"
        )
        raise BootstrapFailed("config_error", message, field="node.identity.rack_id", rack_id=known)
    return wanted


def _check_clock(newcomer: Member, now: float) -> None:
    difference = newcomer.joined_at - now
    if abs(difference) > CLOCK_TOLERANCE_SECONDS:
        direction = "ahead of" if difference > 0 else "behind"
        raise BootstrapFailed(
            "time_not_sync",
            f"This node's clock is {abs(difference):.0f} s {direction} the cluster's, "
            f"and {CLOCK_TOLERANCE_SECONDS:.0f} s are tolerated",
            difference_seconds=round(difference, 1),
            tolerance_seconds=CLOCK_TOLERANCE_SECONDS,
        )


def _check_settings(members: Sequence[Member], newcomer: Member) -> None:
    member = next(iter(members), newcomer)  # all members agree: each of them passed this check
    if newcomer.socket_directory != member.socket_directory:
        raise BootstrapFailed(
            "socket_directory_mismatch",
            f"This node's socket directory is {newcomer.socket_directory}, the cluster's {member.socket_directory}",
            node_value=newcomer.socket_directory,
            cluster_value=member.socket_directory,
        )
    values = [(name, getattr(newcomer, name), getattr(member, name)) for name in SETTINGS]
    differing = [(name, here, there) for name, here, there in values if here != there]
    if differing:
        raise BootstrapFailed(
            "node_config_mismatch",
            "; ".join(
                f"This node's {SETTINGS[name]} is {here}, the cluster's {there}" for name, here, there in differing
            ),
            mismatches=[
                {"setting": name, "node_value": here, "cluster_value": there} for name, here, there in differing
            ],
        )


def _check_health(members: Sequence[Member], newcomer: Member) -> None:
    failed = [member for member in members if member.is_down]
    if not failed:
        return

    def misfit(member: Member) -> tuple[bool, bool]:
        lacks = newcomer.memory < member.memory or newcomer.flash < member.flash
        return lacks, member.rack_id != newcomer.rack_id

    names = ", ".join(f"node {member.uid}" for member in failed)
    raise BootstrapFailed(
        "repair_required",
        f"The cluster takes only replacements until it is repaired: {names} failed",
        failed_nodes=[
            {"uid": member.uid, **({"rack_id": member.rack_id} if member.rack_id else {})} for member in failed
        ],
        replace_candidate=min(failed, key=misfit).uid,
    )


def _check_replacement(failed: Member, newcomer: Member) -> None:
    for code, what, here, needed in (
        ("memory", "memory", newcomer.memory, failed.memory),
        ("flash", "flash storage", newcomer.flash, failed.flash),
    ):
        if here < needed:
            message = f"Node {failed.uid} had {needed} bytes of {what}, and this node has {here}"
            raise BootstrapFailed(f"insufficient_node_{code}", message, **{f"required_{code}": needed})
