"""Ask the cluster: the only proof that a bootstrap was ours and succeeded.

When the node reports `completed`, its cluster must accept our credentials, have the right name and list this node as
active. For a create, the right name is in the request. For a join it comes from the approved member, asked with the
credentials over its approved certificate before anything is sent to the node, or later if that fails. A recovery may
have no name: then the cluster that accepts our credentials is the right one.
"""

from collections.abc import Iterator
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
    """Save the name that the approved member gave, or continue without it until the end."""
    if snapshot.has_used_its_tries:
        return refusals.member(snapshot, seen, now)
    if isinstance(seen, MemberRefused):
        return refusals.member_refused(snapshot, seen, now)
    first = snapshot.state is State.QUEUED
    asked = replace(snapshot, member_asked=True)
    if isinstance(seen, MemberNamed) and seen.stated and not same_name(seen.name, seen.stated):
        return _other_than_stated(asked, seen, now)
    if isinstance(seen, MemberNamed):
        message = f"The member {snapshot.member_address} belongs to {seen.name}"
        event = NewEvent("cluster_named", message, {"cluster": seen.name})
        answering, events = (asked, ()) if first else end_silence(asked, now)
        named = replace(answering, name_from_member=seen.name, cluster_name=seen.name)
        return poll_again(named, now, *events, event, at_once=True)
    if first:
        who = f"{snapshot.member_address} did not give its cluster's name"
        message = f"{who} ({seen.detail}). It is asked again after the join"
        return poll_again(asked, now, NewEvent("member_unavailable", message, {"detail": seen.detail}), at_once=True)
    message = "The node reports completed, but the member that knows the cluster's name cannot be reached"
    silent, events = note_silence(asked, "member", now, message)
    return poll_again(silent, now, *events)


def _other_than_stated(snapshot: Snapshot, seen: MemberNamed, now: datetime) -> Decision:
    """Stop a join whose member is in another cluster than stated; after the POST, wait for the operator."""
    found = replace(snapshot, found_name=seen.name)
    message = f"{snapshot.member_address} is a member of {seen.name}, not of {seen.stated}"
    if snapshot.watches_or_sent:
        return wait_for_operator(found, Reason.FOREIGN_CLUSTER, now, message, cluster=seen.name, expected=seen.stated)
    return fail(
        found, Reason.CLUSTER_MISMATCH, now, f"{message}. Nothing was sent", cluster=seen.name, expected=seen.stated
    )


def cluster(snapshot: Snapshot, seen: ClusterShown | NodeListed, now: datetime) -> Decision:
    """Check what the cluster says: first its name, then its list of nodes."""
    snapshot, silence_ended = end_silence(replace(snapshot, refused_since=None, refused_sign_ins=0), now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    decision = _named(snapshot, seen, now) if isinstance(seen, ClusterShown) else _listed(snapshot, seen, now)
    return Decision(decision.snapshot, silence_ended + swapped + decision.events, decision.wait)


def _named(snapshot: Snapshot, seen: ClusterShown, now: datetime) -> Decision:
    name = seen.name
    snapshot = replace(snapshot, found_name=name)
    expected = snapshot.expected_name
    if expected and not same_name(name, expected):
        message = f"The node is in the cluster {name}, not in {expected}"
        return wait_for_operator(snapshot, Reason.FOREIGN_CLUSTER, now, message, cluster=name, expected=expected)
    if not expected and snapshot.action is not Action.RECOVER:
        message = f"The node is in the cluster {name}. It is not known whether that is the right one"
        return wait_for_operator(snapshot, Reason.FOREIGN_CLUSTER, now, message, cluster=name)
    event = NewEvent("name_proved", f"The cluster confirmed its name, {name}", {"cluster": name})
    proved = replace(snapshot, name_proved=True, cluster_name=expected or name)
    return poll_again(proved, now, event, *_rack_awareness(seen), at_once=True)


def _rack_awareness(seen: ClusterShown) -> Iterator[NewEvent]:
    """Report whether the cluster is rack-aware, if the request asked for it; the attempt succeeds either way."""
    if not seen.wants_rack_awareness:
        return
    says = {True: "is rack-aware", False: "is not rack-aware", None: "does not say whether it is rack-aware"}
    message = f"{seen.name} {says[seen.rack_aware]}"
    if seen.rack_aware is not True:
        message += ", but the request asked for it. The page says how to turn it on"
    yield NewEvent("rack_awareness", message, {"rack_aware": seen.rack_aware})


def _listed(snapshot: Snapshot, seen: NodeListed, now: datetime) -> Decision:
    if seen.status == ACTIVE:
        message = f"The node is in the cluster: {snapshot.cluster_name} lists it as active"
        event = NewEvent("succeeded", message, {"failed_nodes": list(seen.down)} if seen.down else {})
        listed = replace(snapshot, listed_as=seen.status, node_uid=snapshot.node_uid or seen.uid)
        return end(listed, State.SUCCEEDED, Reason.NONE, now, event)
    word = seen.status or "not on the list"
    if word == snapshot.listed_as:
        return poll_again(snapshot, now)
    listing = f"lists the node as {seen.status}" if seen.status else "does not list the node yet"
    event = NewEvent("node_listed", f"{snapshot.cluster_name} {listing}. Waiting", {"status": seen.status})
    return Decision(replace(snapshot, listed_as=word), (event,), timing.poll_interval(snapshot.age(now)))
