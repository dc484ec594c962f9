"""What it means when an attempt rests: what is known, what is not, and what to look at before choosing."""

from collections.abc import Callable
from dataclasses import replace

from setup_wizard.attempts import sign_ins, timing
from setup_wizard.attempts.explanations.phases import answer, silence
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.error_catalogue import Explanation, Remedy


def _foreign_in_progress(attempt: Attempt) -> Explanation:
    word = f" ({attempt.node_state})" if attempt.node_state else ""
    sent = (
        f"The request was sent, and the node refused it because it was at work already.{answer(attempt)}"
        if attempt.has_sent
        else "Nothing was sent to it."
    )
    return Explanation(
        title="Somebody else has started on this node",
        meaning=(
            f"A bootstrap that is not this setup's is in progress on {attempt.address}{word}. {sent} Not known is who "
            "started it, and for which cluster. Our sign-in is forgotten."
        ),
        causes=(
            "A colleague, a script or another wizard is setting up the same node.",
            "A gateway in front of the node has sent the request twice: then it is ours, and the cluster will say so.",
        ),
        checks=("Who else sets up this node, before anything is sent to it.",),
        part="",
        remedies=(),
    )


def _not_accepted(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node shows no trace of the request",
        meaning=(
            f"The request was sent to {attempt.address} {_times(attempt.submits)}.{answer(attempt) or _NO_ANSWER} "
            f"{timing.SETTLE_TIME.total_seconds():.0f} s later the node still says "
            f"{attempt.baseline_state or 'what it said before'}. It did not take the request, and by now it no longer "
            "can."
        ),
        causes=(
            ("The node could not take a request at that moment: its answer may say why.",)
            if attempt.answer_status
            else (
                "The connection broke before the node had read the request.",
                "A gateway in front of the node dropped it.",
            )
        ),
        checks=("Whether the node is under load or being restarted.",),
        part="",
        remedies=(),
    )


_NO_ANSWER = " No answer came back."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _lost_contact(attempt: Attempt) -> Explanation:
    word = f" Its last status was {attempt.node_state}." if attempt.node_state else ""
    return Explanation(
        title="Contact with the node was lost",
        meaning=(
            f"{attempt.address} did not finish in time, and it cannot be asked: {silence(attempt)}.{word} It may still "
            "be at work."
        ),
        causes=("The node has stopped or was cut off from the network.", "Its services take very long to restart."),
        checks=("On the node: `supervisorctl status`.", f"`curl -k https://{attempt.address}/v1/bootstrap`"),
        part="",
        remedies=(),
    )


def _overdue(attempt: Attempt) -> Explanation:
    if attempt.resume_state == State.VERIFYING:
        listed = f"as {attempt.listed_as}" if attempt.listed_as else "not at all"
        meaning = (
            f"{attempt.address} says completed, and {attempt.cluster_name or 'its cluster'} lists it {listed}. "
            "Only when the cluster lists it as active is it set up."
        )
        checks: tuple[str, ...] = ("On a node of the cluster: `rladmin status nodes`.",)
    else:
        meaning = f"{attempt.address} still says {attempt.node_state or 'nothing new'}. It may need longer than usual."
        checks = ("On the node: the logs under /var/opt/redislabs/log.",)
    return Explanation(
        title="The node has not finished in time",
        meaning=meaning,
        causes=("Slow disks, or a slow connection to the cluster.",),
        checks=checks,
        part="",
        remedies=(),
    )


def _credentials_refused(attempt: Attempt) -> Explanation:
    counted = sign_ins.count_refused(sign_ins.Account.of(attempt, attempt.username)).describe(attempt.username)
    return replace(found := _no_credentials(attempt), meaning=f"{found.meaning} {counted}".strip())


def _no_credentials(attempt: Attempt) -> Explanation:
    if attempt.refused_since is None:
        return Explanation(
            title="The sign-in is needed again",
            meaning=(
                f"{attempt.address} or its cluster has to be asked with the sign-in for {attempt.username}, and it is "
                "not kept any more: it is forgotten while a setup rests."
            ),
            causes=("This setup has waited for a decision.", "The keys with which sign-ins are sealed were changed."),
            checks=("The sign-in works at the cluster.",),
            part="",
            remedies=(),
        )
    if not attempt.has_sent:
        return Explanation(
            title="The cluster refused the credentials",
            meaning=(
                f"{attempt.member_address} refused the password for {attempt.username}. Nothing was sent to "
                f"{attempt.address}."
            ),
            causes=("The password or the user name is mistyped.", "The account is locked or was removed."),
            checks=("Whether you can sign in to the cluster with them.",),
            part="credentials.password",
            remedies=(),
        )
    return Explanation(
        title="The node does not accept the sign-in",
        meaning=(
            f"{attempt.address} has joined a cluster and does not accept the sign-in for {attempt.username}. "
            f"Somebody else's bootstrap may have made it a member, or the password was changed since.{answer(attempt)}"
        ),
        causes=(
            "The administrator's password was changed while the node was being set up.",
            "Another bootstrap of the same node came first.",
            "The account is locked.",
        ),
        checks=("Whether the node shows up in the cluster's list of nodes.",),
        part="",
        remedies=(),
    )


def _foreign_cluster(attempt: Attempt) -> Explanation:
    expected = attempt.given_name or attempt.cluster_name
    said = ""
    if attempt.refused_since is None:
        found = f"its cluster is {attempt.found_name}, " + (f"not {expected}" if expected else "which nobody asked for")
    else:
        found = f"its cluster does not accept the sign-in for {attempt.username}"
        said = answer(attempt)
    return Explanation(
        title="The node is in another cluster",
        meaning=(
            f"{attempt.address} says completed, and {found}.{said} So it is not proved that this setup did it, and it "
            "does not count as done. A node leaves a cluster only at the cluster."
        ),
        causes=(
            "Somebody else has set up the node for another cluster.",
            "The administrator's password was changed since: then enter the sign-in again.",
        ),
        checks=("On the node: `rladmin status` shows its cluster.",),
        part="",
        remedies=(),
    )


def _fault(attempt: Attempt) -> Explanation:
    state = (
        f"The request may have reached {attempt.address}, which goes on by itself."
        if attempt.has_sent
        else f"Nothing was begun on {attempt.address}."
    )
    return Explanation(
        title="This wizard could not go on",
        meaning=f"One of its steps failed {attempt.failed_ticks} times in a row. This is not the node's fault. {state}",
        causes=("A fault in this wizard, or a machine of it that has run out of something.",),
        checks=("The log of the worker: its lines have this attempt's number, and say where it broke.",),
        part="",
        remedies=() if attempt.has_sent else (Remedy("Try again", "address", {}),),
    )


def _trust(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node shows a certificate that nobody has approved",
        meaning=(
            f"{attempt.address} now shows another certificate than the one that was approved. Until you have compared "
            "it, no credentials are sent to the node and nothing that it says is believed."
        ),
        causes=(
            "The node made a new certificate during its bootstrap.",
            "Somebody replaced the certificate.",
            "Something between this wizard and the node pretends to be the node.",
        ),
        checks=("On the node, print the fingerprint and compare it with the new one below.",),
        part="",
        remedies=(),
    )


def _superseded(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Somebody has started another bootstrap on the node",
        meaning=(
            f"{attempt.address} had taken this setup's request, and has begun anew since. What it does now is not this "
            "setup's any more."
        ),
        causes=("A colleague, a script or another wizard has started the same node again.",),
        checks=("Who else sets up this node.",),
        part="",
        remedies=(),
    )


WAITING: dict[Reason, Callable[[Attempt], Explanation]] = {
    Reason.FAULT: _fault,
    Reason.FOREIGN_IN_PROGRESS: _foreign_in_progress,
    Reason.NOT_ACCEPTED: _not_accepted,
    Reason.LOST_CONTACT: _lost_contact,
    Reason.OVERDUE: _overdue,
    Reason.CREDENTIALS_REFUSED: _credentials_refused,
    Reason.TRUST: _trust,
    Reason.SUPERSEDED: _superseded,
    Reason.FOREIGN_CLUSTER: _foreign_cluster,
}
