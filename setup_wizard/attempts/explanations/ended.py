"""What it means when an attempt has ended, and what to do then."""

from collections.abc import Callable

from setup_wizard.attempts.explanations.phases import answer, silence
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason
from setup_wizard.bootstrap.error_catalogue import START_AGAIN, Explanation, Remedy


def _unreachable(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node could not be reached",
        meaning=f"{attempt.address} was tried for five minutes, and {silence(attempt)}. Nothing was sent to it.",
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
        meaning=f"{attempt.address} answers, but not as the bootstrap API does. No bootstrap was sent."
        f"{answer(attempt)}",
        causes=("Another service listens on this port.", "A proxy answers in place of the node."),
        checks=("The port: the node's API is on 9443 unless it was moved.",),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
    )


def _cluster_mismatch(attempt: Attempt) -> Explanation:
    stated = (attempt.request.get("cluster") or {}).get("name") or attempt.cluster_name
    member = attempt.member_address
    return Explanation(
        title="The members are in another cluster",
        meaning=f"{member} is a member of {attempt.found_name}, and this setup names {stated}. Nothing was sent to "
        f"{attempt.address}.",
        causes=("The address of a member of another cluster was entered.", "The name of the cluster was mistyped."),
        checks=(f"On {member}: `rladmin status` shows its cluster.",),
        part="cluster.nodes",
        remedies=(
            Remedy("Change the members", "cluster.nodes", {}),
            Remedy("Change the name", "cluster.name", {}),
        ),
    )


def _already_in_cluster(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node is in a cluster already",
        meaning=f"{attempt.address} is a member of a cluster, and the API knows no way back. It was not changed."
        f"{answer(attempt)}",
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
    return Explanation(
        title="The node did not take the request",
        meaning=f"{attempt.address} read the request and refused it. Nothing was begun.{answer(attempt)}",
        causes=("A value in the request does not suit this version of the software.",),
        checks=("What the node said, above.", "The request, below."),
        part="node",
        remedies=(Remedy("Change the request", "node.paths.persistent_path", {}),),
    )


def _unsupported_action(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node does not know this action",
        meaning=f"The software on {attempt.address} has no such call. Nothing was begun.{answer(attempt)}",
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
        meaning=(
            f"The request may have reached {attempt.address}. The node goes on by itself: there is no cancel."
            f"{_last(attempt)}"
        ),
        causes=(),
        checks=("On the node: `rladmin status`, once it is in a cluster.",),
        part="",
        remedies=(START_AGAIN,),
    )


def _last(attempt: Attempt) -> str:
    """Say what was last seen of the node; "" when nothing was."""
    return f" Its last status was {attempt.node_state}." if attempt.node_state else ""


def _not_ours(attempt: Attempt) -> Explanation:
    return Explanation(
        title="It was somebody else's bootstrap",
        meaning=f"An operator said that what happened on {attempt.address} was not this setup's. It was left alone.",
        causes=(),
        checks=("What the node says of itself now: if it is in a cluster, it has to be removed from that first.",),
        part="address",
        remedies=(Remedy("Start again", "address", {}),),
    )


ENDED: dict[Reason, Callable[[Attempt], Explanation]] = {
    Reason.UNREACHABLE: _unreachable,
    Reason.FORBIDDEN_ADDRESS: _forbidden_address,
    Reason.NOT_A_NODE: _not_a_node,
    Reason.CLUSTER_MISMATCH: _cluster_mismatch,
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
}
