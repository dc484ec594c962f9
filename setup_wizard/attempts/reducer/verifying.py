"""What the cluster says of it: the only proof that a bootstrap was ours and has succeeded. Row 38.

The node says `completed`; then its cluster, asked with our sign-in, must have the right name, and must list this node
as active. The right name is the one that a create was asked for. A join names no cluster, only members: there it is
what the approved member gave, asked with the sign-in on its approved certificate, before the node was sent anything, or
afterwards if it could not be asked then. A recovery may name none: the cluster is then the one whose sign-in is ours.
"""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    ClusterShown,
    MemberNamed,
    MemberRefused,
    MemberUnavailable,
    NewEvent,
    NodeListed,
)
from setup_wizard.attempts.reducer import refusals
from setup_wizard.attempts.reducer.snapshot import (
    Decision,
    Snapshot,
    end,
    end_silence,
    fail,
    note_silence,
    poll_again,
    wait_for_operator,
)
from setup_wizard.attempts.reducer.watching import cluster_certificate
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import ACTIVE, same_name


def member(snapshot: Snapshot, seen: MemberNamed | MemberUnavailable | MemberRefused, now: datetime) -> Decision:
    """Keep the name that the approved member gave, or do without it until the end."""
    if snapshot.doubts_credentials:
        return refusals.member(snapshot, seen, now)
    if isinstance(seen, MemberRefused):
        return refusals.member_refused(snapshot, seen, now)
    first = snapshot.state is State.QUEUED
    asked = replace(snapshot, member_asked=True)
    if isinstance(seen, MemberNamed) and seen.stated and not same_name(seen.name, seen.stated):
        return _other_than_stated(asked, seen, now)
    if isinstance(seen, MemberNamed):
        event = NewEvent(
            "cluster_named", f"{snapshot.member_address} is a member of {seen.name}", {"cluster": seen.name}
        )
        heard, events = (asked, ()) if first else end_silence(asked, now)
        named = replace(heard, given_name=seen.name, cluster_name=seen.name)
        return poll_again(named, now, *events, event, at_once=True)
    if first:
        who = f"{snapshot.member_address} did not give its cluster's name"
        message = f"{who} ({seen.detail}): a join that goes through asks it again at the end"
        return poll_again(asked, now, NewEvent("member_mute", message, {"detail": seen.detail}), at_once=True)
    message = "The node says completed; which cluster that should be cannot be asked now"
    silent, events = note_silence(asked, "member", now, message)
    return poll_again(silent, now, *events)


def _other_than_stated(snapshot: Snapshot, seen: MemberNamed, now: datetime) -> Decision:
    """Stop a join whose member is in another cluster than stated; after the POST, wait for the operator."""
    found = replace(snapshot, found_name=seen.name)
    message = f"{snapshot.member_address} is a member of {seen.name}, not of {seen.stated}"
    if snapshot.may_have_sent:
        return wait_for_operator(found, Reason.FOREIGN_CLUSTER, now, message, cluster=seen.name, expected=seen.stated)
    return fail(
        found, Reason.CLUSTER_MISMATCH, now, f"{message}; nothing was sent", cluster=seen.name, expected=seen.stated
    )


def cluster(snapshot: Snapshot, seen: ClusterShown | NodeListed, now: datetime) -> Decision:
    """Judge what the cluster says: first its name, then its list of nodes."""
    snapshot, heard = end_silence(replace(snapshot, refused_since=None, refused_sign_ins=0), now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    decision = _named(snapshot, seen.name, now) if isinstance(seen, ClusterShown) else _listed(snapshot, seen, now)
    return Decision(decision.snapshot, heard + swapped + decision.events, decision.wait)


def _named(snapshot: Snapshot, name: str, now: datetime) -> Decision:
    snapshot = replace(snapshot, found_name=name)
    expected = snapshot.expected_name
    if expected and not same_name(name, expected):
        message = f"The node is in the cluster {name}, not in {expected}"
        return wait_for_operator(snapshot, Reason.FOREIGN_CLUSTER, now, message, cluster=name, expected=expected)
    if not expected and snapshot.action is not Action.RECOVER:
        message = f"The node is in the cluster {name}, and nothing tells whether it should be"
        return wait_for_operator(snapshot, Reason.FOREIGN_CLUSTER, now, message, cluster=name)
    event = NewEvent("name_proved", f"The cluster says that it is {name}", {"cluster": name})
    proved = replace(snapshot, name_proved=True, cluster_name=expected or name)
    return poll_again(proved, now, event, at_once=True)


def _listed(snapshot: Snapshot, seen: NodeListed, now: datetime) -> Decision:
    if seen.status == ACTIVE:
        told = f"{snapshot.cluster_name} lists the node as active: it is in the cluster"
        event = NewEvent("succeeded", told, {"failed_nodes": list(seen.down)} if seen.down else {})
        return end(replace(snapshot, listed_as=seen.status), State.SUCCEEDED, Reason.NONE, now, event)
    word = seen.status or "not on the list"
    if word == snapshot.listed_as:
        return poll_again(snapshot, now)
    told = f"lists the node as {seen.status}" if seen.status else "does not list the node yet"
    event = NewEvent("node_listed", f"{snapshot.cluster_name} {told}: waiting", {"status": seen.status})
    return Decision(replace(snapshot, listed_as=word), (event,), timing.poll_interval(snapshot.age(now)))
