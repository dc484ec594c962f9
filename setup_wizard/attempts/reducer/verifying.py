"""What the cluster says of it: the only proof that a bootstrap was ours and has succeeded. Row 38.

The node says `completed`; then its cluster, asked with our sign-in, must have the right name, and must list this node
as active. The right name is the one that a create was asked for. A join names no cluster, only members: there it is
what the approved member gave, asked with the sign-in on its approved certificate, before the node was sent anything, or
afterwards if it could not be asked then. A recovery may name none: the cluster is then the one whose sign-in is ours.
"""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import ClusterShown, MemberMute, MemberNamed, MemberRefused, NodeListed, Note
from setup_wizard.attempts.reducer import refusals
from setup_wizard.attempts.reducer.standing import Outcome, Standing, end, fail, go_on, heard_again, rest, went_silent
from setup_wizard.attempts.reducer.watching import cluster_certificate
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import ACTIVE, same_name


def member(standing: Standing, seen: MemberNamed | MemberMute | MemberRefused, now: datetime) -> Outcome:
    """Keep the name that the approved member gave, or do without it until the end."""
    if standing.doubts_credentials:
        return refusals.member(standing, seen, now)
    if isinstance(seen, MemberRefused):
        return refusals.member_refused(standing, seen, now)
    first = standing.state is State.QUEUED
    asked = replace(standing, member_asked=True)
    if isinstance(seen, MemberNamed) and seen.stated and not same_name(seen.name, seen.stated):
        return _other_than_stated(asked, seen, now)
    if isinstance(seen, MemberNamed):
        note = Note("cluster_named", f"{standing.member_address} is a member of {seen.name}", {"cluster": seen.name})
        heard, notes = (asked, ()) if first else heard_again(asked, now)
        named = replace(heard, given_name=seen.name, cluster_name=seen.name)
        return go_on(named, now, *notes, note, at_once=True)
    if first:
        who = f"{standing.member_address} did not give its cluster's name"
        message = f"{who} ({seen.detail}): a join that goes through asks it again at the end"
        return go_on(asked, now, Note("member_mute", message, {"detail": seen.detail}), at_once=True)
    message = "The node says completed; which cluster that should be cannot be asked now"
    silent, notes = went_silent(asked, "member", now, message)
    return go_on(silent, now, *notes)


def _other_than_stated(standing: Standing, seen: MemberNamed, now: datetime) -> Outcome:
    """Stop a join whose member is in another cluster than stated; after the POST, wait for the operator."""
    found = replace(standing, found_name=seen.name)
    message = f"{standing.member_address} is a member of {seen.name}, not of {seen.stated}"
    if standing.may_have_sent:
        return rest(found, Reason.FOREIGN_CLUSTER, now, message, cluster=seen.name, expected=seen.stated)
    return fail(
        found, Reason.CLUSTER_MISMATCH, now, f"{message}; nothing was sent", cluster=seen.name, expected=seen.stated
    )


def cluster(standing: Standing, seen: ClusterShown | NodeListed, now: datetime) -> Outcome:
    """Judge what the cluster says: first its name, then its list of nodes."""
    standing, heard = heard_again(replace(standing, refused_since=None, refused_sign_ins=0), now)
    standing, swapped = cluster_certificate(standing, seen.fingerprint)
    outcome = _named(standing, seen.name, now) if isinstance(seen, ClusterShown) else _listed(standing, seen, now)
    return Outcome(outcome.standing, heard + swapped + outcome.notes, outcome.wait)


def _named(standing: Standing, name: str, now: datetime) -> Outcome:
    standing = replace(standing, found_name=name)
    expected = standing.expected_name
    if expected and not same_name(name, expected):
        message = f"The node is in the cluster {name}, not in {expected}"
        return rest(standing, Reason.FOREIGN_CLUSTER, now, message, cluster=name, expected=expected)
    if not expected and standing.action is not Action.RECOVER:
        message = f"The node is in the cluster {name}, and nothing tells whether it should be"
        return rest(standing, Reason.FOREIGN_CLUSTER, now, message, cluster=name)
    note = Note("name_proved", f"The cluster says that it is {name}", {"cluster": name})
    proved = replace(standing, name_proved=True, cluster_name=expected or name)
    return go_on(proved, now, note, at_once=True)


def _listed(standing: Standing, seen: NodeListed, now: datetime) -> Outcome:
    if seen.status == ACTIVE:
        told = f"{standing.cluster_name} lists the node as active: it is in the cluster"
        note = Note("succeeded", told, {"failed_nodes": list(seen.down)} if seen.down else {})
        return end(replace(standing, listed_as=seen.status), State.SUCCEEDED, Reason.NONE, now, note)
    word = seen.status or "not on the list"
    if word == standing.listed_as:
        return go_on(standing, now)
    told = f"lists the node as {seen.status}" if seen.status else "does not list the node yet"
    note = Note("node_listed", f"{standing.cluster_name} {told}: waiting", {"status": seen.status})
    return Outcome(replace(standing, listed_as=word), (note,), timing.poll_interval(standing.age(now)))
