"""Explain our own verdicts: what each reason means for this node, why it comes about, what to check, what to change.

The node's own codes are explained by `bootstrap.catalogue`; `explain` picks the one that applies.
"""

from dataclasses import replace

from setup_wizard.attempts import timing
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap import catalogue
from setup_wizard.bootstrap.catalogue import Explanation, Remedy
from setup_wizard.bootstrap.status import NodeFacts

_NOT_PROVED = (
    "The answer to the request was lost, and this bootstrap began when it had been sent: in all likelihood it was this "
    "setup's."
)
PHASES = {
    "dns": "its name does not resolve",
    "connect": "nothing answers on its port",
    "tls": "it does not complete a TLS handshake",
    "request": "it closes the connection when it is asked",
    "answer": "its answer does not arrive",
    "member": "the member that knows its cluster's name cannot be asked",
}


def explain(attempt: Attempt) -> Explanation | None:
    """Say what is wrong with this attempt and what to do; None when nothing is."""
    if attempt.why in {Reason.NODE_ERROR, Reason.VALIDATION}:
        known = catalogue.explain(
            attempt.error_code,
            attempt.error_details or {},
            request=attempt.request,
            node=attempt.address,
            facts=NodeFacts.from_json(attempt.facts),
        )
        if attempt.why is Reason.VALIDATION:
            begun = f"Nothing was begun: {attempt.address} only checked the request."
            return replace(known, meaning=f"{begun} {known.meaning}")
        return replace(known, meaning=f"{known.meaning} {_NOT_PROVED}") if attempt.provisional else known
    if attempt.why is Reason.NONE or attempt.status not in {State.FAILED, State.NEEDS_OPERATOR, State.CANCELLED}:
        return None
    return _EXPLANATIONS[attempt.why](attempt)


def _unreachable(attempt: Attempt) -> Explanation:
    phase = PHASES.get(attempt.silent_phase, "it does not answer")
    return Explanation(
        title="The node could not be reached",
        meaning=f"{attempt.address} was tried for five minutes, and {phase}. Nothing was sent to it.",
        causes=(
            "The cluster software is not running yet, or has stopped.",
            "A firewall between this wizard and the node closes the port.",
            "The address or the port is another one.",
        ),
        checks=(
            "On the node: `supervisorctl status`, all services should say RUNNING.",
            f"From the machine that runs this wizard: `curl -k https://{attempt.address}/v1/bootstrap`",
        ),
        part="address",
        remedies=(Remedy("Check the address and try again", "address", {}),),
    )


def _forbidden_address(attempt: Attempt) -> Explanation:
    return Explanation(
        title="This address is not allowed",
        meaning=f"{attempt.host} leads to an address that this wizard may not connect to. Nothing was sent.",
        causes=("The name leads elsewhere than it did at Start.", "The allowed networks or ports have been changed."),
        checks=("SETUP_WIZARD_ALLOWED_NETWORKS and SETUP_WIZARD_ALLOWED_PORTS.", "What the name resolves to."),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
    )


def _not_a_node(attempt: Attempt) -> Explanation:
    return Explanation(
        title="This is not a Redis Enterprise node",
        meaning=f"{attempt.address} answers, but not as the bootstrap API does. No bootstrap was sent.",
        causes=("Another service listens on this port.", "A proxy answers in place of the node."),
        checks=("The port: the node's API is on 9443 unless it was moved.",),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
    )


def _already_in_cluster(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node is in a cluster already",
        meaning=f"{attempt.address} is a member of a cluster, and the API knows no way back. It was not changed.",
        causes=("It was set up before, here or by hand.", "The address is that of another node."),
        checks=("On the node: `rladmin status` shows its cluster.",),
        part="address",
        remedies=(Remedy("Choose another node", "address", {}),),
    )


def _secret_unavailable(_: Attempt) -> Explanation:
    return Explanation(
        title="The sealed credentials could not be opened",
        meaning="Nothing was sent. The credentials lie sealed until then, and no key fitted, or they were gone.",
        causes=(
            "SETUP_WIZARD_CREDENTIAL_KEYS was changed and the old key was left out.",
            "The database was restored without its key.",
        ),
        checks=("That web, worker and supervisor are started with the same keys.",),
        part="credentials.password",
        remedies=(Remedy("Enter the sign-in again", "credentials.password", {}),),
    )


def _rejected(attempt: Attempt) -> Explanation:
    said = f" It said: “{attempt.answer}”" if attempt.answer else ""
    return Explanation(
        title="The node did not take the request",
        meaning=f"{attempt.address} read the request and refused it. Nothing was begun.{said}",
        causes=("A value in the request does not suit this version of the software.",),
        checks=("What the node said, above.", "The request as it was sent, below."),
        part="node",
        remedies=(Remedy("Change the request", "node.paths.persistent_path", {}),),
    )


def _unsupported_action(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node does not know this action",
        meaning=f"The software on {attempt.address} has no such call. Nothing was begun.",
        causes=("Its version is older than the action.",),
        checks=("The version of the software on the node.",),
        part="action",
        remedies=(Remedy("Choose another action", "action", {}),),
    )


def _redirected(attempt: Attempt) -> Explanation:
    where = f"to “{attempt.answer}”" if attempt.answer else "elsewhere"
    return Explanation(
        title="The address answers with a redirect",
        meaning=f"{attempt.address} points {where}. Nodes do not do that. It was not followed.",
        causes=("A proxy or a portal answers in place of the node.",),
        checks=("That the wizard reaches the node directly.",),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
    )


def _node_reset(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node was reset on the way",
        meaning=f"{attempt.address} had begun, and now it is idle again, as if nothing had happened.",
        causes=("The node or its services were restarted.", "Somebody reset it: rlutil or a fresh installation."),
        checks=("On the node: the logs under /var/opt/redislabs/log.",),
        part="",
        remedies=(Remedy("Try again", "address", {}),),
    )


def _foreign_failed(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The other bootstrap has ended",
        meaning=f"Somebody else's bootstrap of {attempt.address} ended without success. The node accepts a new one.",
        causes=("It was not started here, so the reason is known where it was started.",),
        checks=("Who else sets up this node.",),
        part="",
        remedies=(Remedy("Start again", "address", {}),),
    )


def _abandoned(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Nobody decided within seven days",
        meaning=f"This setup of {attempt.address} waited for a decision, and the node was freed after a week.",
        causes=(),
        checks=("What the node says of itself now.",),
        part="",
        remedies=(Remedy("Start again", "address", {}),),
    )


def _cancelled(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Cancelled before anything was sent",
        meaning=f"Nothing was changed on {attempt.address}.",
        causes=(),
        checks=(),
        part="",
        remedies=(Remedy("Start again", "address", {}),),
    )


def _stopped(attempt: Attempt) -> Explanation:
    return Explanation(
        title="No longer watched",
        meaning=f"The request may have reached {attempt.address}. The node goes on by itself: there is no cancel.",
        causes=(),
        checks=("On the node: `rladmin status`, once it is in a cluster.",),
        part="",
        remedies=(),
    )


def _not_ours(attempt: Attempt) -> Explanation:
    return Explanation(
        title="It was somebody else's bootstrap",
        meaning=f"An operator said that what happened on {attempt.address} was not this setup's. It was left alone.",
        causes=(),
        checks=("What the node says of itself now: if it is in a cluster, it has to be removed from that first.",),
        part="address",
        remedies=(Remedy("Start again", "address", {}),),
    )


def _foreign_in_progress(attempt: Attempt) -> Explanation:
    word = f" ({attempt.node_state})" if attempt.node_state else ""
    sent = (
        "The request was sent, and the node refused it (409) because it was at work already."
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
            f"The request was sent to {attempt.address} {_times(attempt.submits)}, no usable answer came back, and "
            f"{timing.QUIET.total_seconds():.0f} s later the node still says "
            f"{attempt.baseline_state or 'what it said before'}. It did not take it, and by now it no longer can."
        ),
        causes=(
            "The connection broke before the node had read the request.",
            "A gateway in front of the node dropped it.",
        ),
        checks=("Whether the node is under load or being restarted.",),
        part="",
        remedies=(),
    )


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _lost_contact(attempt: Attempt) -> Explanation:
    phase = PHASES.get(attempt.silent_phase, "it does not answer")
    word = f" The last that it said was {attempt.node_state}." if attempt.node_state else ""
    return Explanation(
        title="Contact with the node was lost",
        meaning=f"Time is up, and {attempt.address} cannot be asked: {phase}.{word} It may still be at work.",
        causes=("The node has stopped or was cut off from the network.", "Its services take very long to restart."),
        checks=("On the node: `supervisorctl status`.", f"`curl -k https://{attempt.address}/v1/bootstrap`"),
        part="",
        remedies=(),
    )


def _overdue(attempt: Attempt) -> Explanation:
    if attempt.rested_from == State.VERIFYING:
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
    return Explanation(
        title="The node does not accept the sign-in",
        meaning=(
            f"{attempt.address} has joined a cluster and does not accept the sign-in for {attempt.username}. "
            "Somebody else's bootstrap may have made it a member, or the password was changed since."
        ),
        causes=(
            "The administrator's password was changed while the node was being set up.",
            "Another bootstrap of the same node came first.",
        ),
        checks=("Whether the node shows up in the cluster's list of nodes.",),
        part="",
        remedies=(),
    )


def _foreign_cluster(attempt: Attempt) -> Explanation:
    expected = attempt.given_name or attempt.cluster_name
    if attempt.refused_since is None:
        found = f"its cluster is {attempt.found_name}, " + (f"not {expected}" if expected else "which nobody asked for")
    else:
        found = f"its cluster does not accept the sign-in for {attempt.username}"
    return Explanation(
        title="The node is in another cluster",
        meaning=(
            f"{attempt.address} says completed, and {found}. So it is not proved that this setup did it, and it does "
            "not count as done. A node leaves a cluster only at the cluster."
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
        meaning=f"A step of it broke {attempt.faults} times in a row. That is its own fault, not the node's. {state}",
        causes=("A fault in this wizard, or a machine of it that has run out of something.",),
        checks=("The log of the worker: its lines have this attempt's number, and say where it broke.",),
        part="",
        remedies=() if attempt.has_sent else (Remedy("Try again", "address", {}),),
    )


def _trust(attempt: Attempt) -> Explanation:
    known = attempt.current_fingerprint
    return Explanation(
        title="The node shows a certificate that nobody has approved",
        meaning=(
            f"{attempt.address} was known by {known} and now shows another certificate. Until you have compared it, "
            "no credentials are sent to it and nothing that it says is believed."
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


_EXPLANATIONS = {
    Reason.UNREACHABLE: _unreachable,
    Reason.FORBIDDEN_ADDRESS: _forbidden_address,
    Reason.NOT_A_NODE: _not_a_node,
    Reason.ALREADY_IN_CLUSTER: _already_in_cluster,
    Reason.SECRET_UNAVAILABLE: _secret_unavailable,
    Reason.REJECTED: _rejected,
    Reason.UNSUPPORTED_ACTION: _unsupported_action,
    Reason.REDIRECTED: _redirected,
    Reason.NODE_RESET: _node_reset,
    Reason.FOREIGN_FAILED: _foreign_failed,
    Reason.NOT_OURS: _not_ours,
    Reason.ABANDONED: _abandoned,
    Reason.CANCELLED: _cancelled,
    Reason.STOPPED: _stopped,
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
