"""Refused sign-ins: how often the node is tried, when the member is asked, and when the operator. Row 36.

Refused sign-ins lock an account for everyone, so they are few. A node that has just joined may not know the cluster's
accounts yet: it is tried twice, 10 s apart. Then the approved member is asked once, because it knows them for sure.
"""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import MemberMute, MemberNamed, MemberRefused, Note, SignInHeld
from setup_wizard.attempts.reducer.standing import Outcome, Standing, go_on, rest
from setup_wizard.attempts.states import Reason, State

BUSY_SECONDS = 1.0


def refused(standing: Standing, now: datetime, *notes: Note) -> Outcome:
    """Try a sign-in once more that the node has refused, then ask the member, then the operator."""
    tries = standing.refused_sign_ins + 1
    counted = replace(standing, refused_since=now, refused_sign_ins=tries)
    if tries < timing.SIGN_IN_TRIES:
        seconds = round(timing.SIGN_IN_AGAIN.total_seconds())
        note = Note("sign_in_refused", f"The node refused the credentials: trying them once more in {seconds} s")
        return go_on(counted, now, *notes, note)
    if counted.may_ask_member:
        note = Note("sign_in_refused", f"The node refused the credentials again: asking {standing.member_address}")
        return go_on(counted, now, *notes, note, at_once=True)
    waiting = _wait(counted, now, "The node refused the credentials twice")
    return Outcome(waiting.standing, (*notes, *waiting.notes))


def member(standing: Standing, seen: MemberNamed | MemberMute | MemberRefused, now: datetime) -> Outcome:
    """Take what the member says of credentials that the node has refused to the operator."""
    who = standing.member_address
    match seen:
        case MemberNamed():
            return _wait(standing, now, f"{who} accepts the credentials, but the node refused them twice")
        case MemberRefused(status=status, words=words):
            standing = replace(standing, answer=words, answer_status=status)
            return _wait(standing, now, f"The node and {who} refused the credentials")
        case MemberMute(detail=detail):
            return _wait(standing, now, f"The node refused the credentials twice, and {who} did not answer ({detail})")
    raise TypeError(f"no rule for {type(seen).__name__}")


def member_refused(standing: Standing, seen: MemberRefused, now: datetime) -> Outcome:
    """Wait for the operator when the member refuses credentials that have not been tried at the node."""
    counted = replace(
        standing,
        refused_since=now,
        refused_sign_ins=standing.refused_sign_ins + 1,
        answer=seen.words,
        answer_status=seen.status,
    )
    sent = "" if standing.may_have_sent else "; nothing was sent to the node"
    return _wait(counted, now, f"{standing.member_address} refused the credentials{sent}")


def held(standing: Standing, seen: SignInHeld, now: datetime) -> Outcome:
    """Wait a moment for other sign-ins under way, or for the operator."""
    if seen.is_busy:
        return Outcome(standing, (), BUSY_SECONDS)
    return _wait(standing, now, seen.message)


def _wait(standing: Standing, now: datetime, message: str) -> Outcome:
    # what has completed and refuses us may be somebody else's cluster
    foreign = standing.state is State.VERIFYING and standing.refused_since is not None
    return rest(standing, Reason.FOREIGN_CLUSTER if foreign else Reason.CREDENTIALS_REFUSED, now, message)
