"""What a newcomer must agree with, decided by the member that it asks: pure, from what both have said.

Reference: the bootstrap API's documentation, its table of error codes.
"""

from collections.abc import Sequence

from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.license import Use, check_terms, find_license
from setup_wizard.reference_node.lifecycle import parse_time
from setup_wizard.reference_node.membership import Cluster, Member

# As much as clients check for before they send a request: what passes their check must not fail here.
CLOCK_TOLERANCE_SECONDS = 30.0
SETTINGS = {
    "install_dir": "installation directory",
    "config_dir": "configuration directory",
    "os_user": "operating system user",
}


def check_newcomer(
    cluster: Cluster, members: Sequence[Member], newcomer: Member, *, replaces: int | None, now: float
) -> None:
    """Refuse a newcomer that does not fit; raises BootstrapFailed with the code that says why.

    `members` are all of them as they are now, those that do not answer `down`; a newcomer that asks again after its
    answer was lost may be among them, and does not count. `replaces` is the uid of the failed one whose place it takes,
    None for a place of its own; `now` is the clock of the member that was asked, in seconds since 1970, and
    `newcomer.joined_at` what the newcomer's own said when it asked.
    """
    members = [member for member in members if member.install != newcomer.install]
    _check_clock(newcomer, now)
    _check_settings(members, newcomer)
    replaced = next((member for member in members if member.uid == replaces), None)
    if replaced is None:
        _check_health(members, newcomer)
    else:
        _check_replacement(replaced, newcomer)
    _check_rack(cluster, members, newcomer, replaced)
    terms = find_license(cluster.license, cluster.name, parse_time(cluster.created_time))
    # what the cluster has of flash was allowed when it was created
    check_terms(terms, cluster.name, Use(nodes=len(members) + (replaced is None), shards=cluster.shards), now)


def settle_rack(replaced: Member, wanted: str, *, override: bool) -> str:
    """The rack of a node in another's place: the other's, unless it says that it is meant to stand in one of its own.

    Raises BootstrapFailed when it names another rack and does not say so.
    """
    known = replaced.rack_id
    if not wanted or wanted.lower() == known.lower():
        return known
    if known and not override:
        raise BootstrapFailed(
            "config_error",
            f"Node {replaced.uid} stands in {known}: a node that takes its place does too, unless override_rack_id "
            f"says that {wanted} is meant",
            field="node.identity.rack_id",
            rack_id=known,
        )
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
    # members agree with each other, since each of them came in through here
    member = next(iter(members), newcomer)
    if newcomer.socket_directory != member.socket_directory:
        raise BootstrapFailed(
            "socket_directory_mismatch",
            f"This node's socket directory is {newcomer.socket_directory}, the cluster's {member.socket_directory}",
            node_value=newcomer.socket_directory,
            cluster_value=member.socket_directory,
        )
    differing = [name for name in SETTINGS if getattr(newcomer, name) != getattr(member, name)]
    if differing:
        raise BootstrapFailed(
            "node_config_mismatch",
            "; ".join(
                f"This node's {SETTINGS[name]} is {getattr(newcomer, name)}, the cluster's {getattr(member, name)}"
                for name in differing
            ),
            mismatches=[
                {"setting": name, "node_value": getattr(newcomer, name), "cluster_value": getattr(member, name)}
                for name in differing
            ],
        )


def _check_health(members: Sequence[Member], newcomer: Member) -> None:
    failed = [member for member in members if member.is_down]
    if not failed:
        return
    candidate = min(failed, key=lambda member: (_lacks(member, newcomer), member.rack_id != newcomer.rack_id))
    names = ", ".join(f"node {member.uid}" for member in failed)
    raise BootstrapFailed(
        "repair_required",
        f"The cluster takes only replacements until it is repaired: {names} failed",
        failed_nodes=[
            {"uid": member.uid, **({"rack_id": member.rack_id} if member.rack_id else {})} for member in failed
        ],
        replace_candidate=candidate.uid,
    )


def _lacks(failed: Member, newcomer: Member) -> bool:
    return newcomer.memory < failed.memory or newcomer.flash < failed.flash


def _check_replacement(failed: Member, newcomer: Member) -> None:
    for code, what, here, needed in (
        ("memory", "memory", newcomer.memory, failed.memory),
        ("flash", "flash storage", newcomer.flash, failed.flash),
    ):
        if here < needed:
            raise BootstrapFailed(
                f"insufficient_node_{code}",
                f"Node {failed.uid} had {needed} bytes of {what}, and this node has {here}",
                **{f"required_{code}": needed},
            )


def _check_rack(cluster: Cluster, members: Sequence[Member], newcomer: Member, replaced: Member | None) -> None:
    # a replacement that names no rack takes over the one of the node whose place it takes
    if cluster.rack_aware and not newcomer.rack_id and replaced is None:
        racks = sorted({member.rack_id for member in members if member.rack_id})
        raise BootstrapFailed(
            "rack_id_required",
            f"{cluster.name} is rack-aware: a node needs a rack_id; in use are {', '.join(racks) or 'none'}",
            current_rack_ids=racks,
        )
