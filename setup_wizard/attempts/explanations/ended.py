"""Explanations of attempts that have ended."""

from collections.abc import Callable

from setup_wizard.attempts.explanations.phases import answer, silence
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason
from setup_wizard.bootstrap.error_catalogue import START_AGAIN, Explanation, Figure, Remedy
from setup_wizard.bootstrap.rules import RuleError, check_existing_cluster_name
from setup_wizard.bootstrap.status import NodeFacts


def _unreachable(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node could not be reached",
        meaning=f"{attempt.address} did not answer for five minutes: {silence(attempt)}. Nothing was sent.",
        causes=(
            "The cluster software is not running yet, or has stopped.",
            "A firewall between this server and the node blocks the port.",
            "The address or the port is wrong.",
        ),
        checks=(
            "On the node, run `supervisorctl status`: all services should be RUNNING.",
            f"On this server, run `curl -k https://{attempt.address}/v1/bootstrap`",
        ),
        part="address",
        remedies=(Remedy("Check the address and retry", "address", {}),),
        figures=(Figure(attempt.address, silence(attempt, with_text=False), needed="an answer within 5 min"),),
    )


def _forbidden_address(attempt: Attempt) -> Explanation:
    return Explanation(
        title="This address is not allowed",
        meaning=f"{attempt.host} resolves to an address that this server may not connect to. Nothing was sent.",
        causes=("The name resolves to another address than at Start.", "The allowed networks or ports were changed."),
        checks=(
            "Check the settings `SETUP_WIZARD_ALLOWED_NETWORKS` and `SETUP_WIZARD_ALLOWED_PORTS`.",
            "Check which address the name resolves to.",
        ),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
        figures=(Figure("Address", attempt.address, needed="an allowed network and port"),),
    )


def _not_a_node(attempt: Attempt) -> Explanation:
    return Explanation(
        title="This is not a Redis Enterprise node",
        meaning=f"{attempt.address} answers, but not like the bootstrap API. The request was not sent."
        f"{answer(attempt)}",
        causes=("Another service listens on this port.", "A proxy answers instead of the node."),
        checks=("Check the port: by default the node's API uses 9443.",),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
        figures=_status_code(attempt),
    )


def _cluster_mismatch(attempt: Attempt) -> Explanation:
    stated = (attempt.request.get("cluster") or {}).get("name") or attempt.cluster_name
    member, found = attempt.member_address, attempt.found_name
    return Explanation(
        title="The members are in another cluster",
        meaning=f"{member} is a member of {found or 'another cluster'}, but this setup is for {stated}. "
        f"Nothing was sent to {attempt.address}.",
        causes=("The address belongs to a member of another cluster.", "The cluster name is mistyped."),
        checks=(f"On {member}, run `rladmin status` to see its cluster.",),
        part="cluster.nodes",
        remedies=(_rename(found), Remedy("Change the members", "cluster.nodes", {})),
        figures=(Figure("Cluster name", stated, found),) if stated or found else (),
    )


def _rename(found: str) -> Remedy:
    """Offer the name that the member gave, if it can be a cluster's."""
    try:
        name = check_existing_cluster_name(found)
    except RuleError:
        name = ""
    if not name:
        return Remedy("Change the name", "cluster.name", {})
    return Remedy(f"Rename to {name}", "cluster.name", {"cluster.name": name})


def _already_in_cluster(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node is already in a cluster",
        meaning=f"{attempt.address} is a member of a cluster, and its API cannot undo that. It was not changed."
        f"{answer(attempt)}",
        causes=("It was set up before, here or by hand.", "The address belongs to another node."),
        checks=("On the node, run `rladmin status` to see its cluster.",),
        part="address",
        remedies=(Remedy("Choose another node", "address", {}),),
        figures=(Figure("Node status", attempt.node_state or "in a cluster", needed="idle or error"),),
    )


def _secret_unavailable(_: Attempt) -> Explanation:
    return Explanation(
        title="The stored credentials could not be decrypted",
        meaning="The credentials are missing, or no configured key decrypts them. Nothing was sent.",
        causes=(
            "`SETUP_WIZARD_CREDENTIAL_KEYS` was changed without the old key.",
            "The database was restored without its key.",
        ),
        checks=("Make sure that web, worker and supervisor have the same keys.",),
        part="credentials.password",
        remedies=(Remedy("Enter the credentials again", "credentials.password", {}),),
    )


def _rejected(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node rejected the request",
        meaning=f"{attempt.address} rejected the request and was not changed.{answer(attempt)}",
        causes=("This software version does not accept a value in the request.",),
        checks=("Read the node's answer above, and compare it with the request below.",),
        part="node",
        remedies=(Remedy("Change the request", "node.paths.persistent_path", {}),),
        figures=_status_code(attempt),
    )


def _unsupported_action(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node does not support this action",
        meaning=f"The software on {attempt.address} does not have this API endpoint. The node was not changed."
        f"{answer(attempt)}",
        causes=("The software version is too old for this action.",),
        checks=("Check the software version on the node.",),
        part="action",
        remedies=(Remedy("Choose another action", "action", {}),),
        figures=(*_status_code(attempt), *_software(attempt)),
    )


def _redirected(attempt: Attempt) -> Explanation:
    where = f"to “{attempt.answer}”" if attempt.answer else "elsewhere"
    return Explanation(
        title="The address answers with a redirect",
        meaning=f"{attempt.address} redirects {where}. Nodes do not do that, so it was not followed.",
        causes=("A proxy or a login portal answers instead of the node.",),
        checks=("Make sure that this server can reach the node directly.",),
        part="address",
        remedies=(Remedy("Change the address", "address", {}),),
        figures=_status_code(attempt),
    )


def _node_reset(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node was reset during the bootstrap",
        meaning=f"{attempt.address} had started the bootstrap. It no longer reports that bootstrap.",
        causes=("The node or its services were restarted.", "Someone reset it with `rlutil` or installed it again."),
        checks=("On the node, look at the logs in `/var/opt/redislabs/log`.",),
        part="",
        remedies=(START_AGAIN,),
        figures=(Figure("Node status", attempt.node_state or "not known", needed="completed"),),
    )


def _foreign_failed(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The other bootstrap failed",
        meaning=f"A bootstrap of {attempt.address} that someone else started has failed. The node accepts a new one.",
        causes=("This wizard did not start it and does not know why it failed.",),
        checks=("Find out who else is setting up this node.",),
        part="",
        remedies=(START_AGAIN,),
    )


def _abandoned(attempt: Attempt) -> Explanation:
    return Explanation(
        title="No choice was made within seven days",
        meaning=f"This setup of {attempt.address} waited for the operator for a week, then ended.",
        causes=(),
        checks=("Check the current status of the node.",),
        part="",
        remedies=(START_AGAIN,),
    )


def _cancelled(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Cancelled before anything was sent",
        meaning=f"Nothing was changed on {attempt.address}.",
        causes=(),
        checks=(),
        part="",
        remedies=(START_AGAIN,),
    )


def _stopped(attempt: Attempt) -> Explanation:
    return Explanation(
        title="No longer watched",
        meaning=(
            f"The request may have reached {attempt.address}. The node continues by itself: its API has no "
            f"cancel.{_last(attempt)}"
        ),
        causes=(),
        checks=("On the node, run `rladmin status` once it is in a cluster.",),
        part="",
        remedies=(START_AGAIN,),
    )


def _last(attempt: Attempt) -> str:
    return f" Its last status was {attempt.node_state}." if attempt.node_state else ""


def _not_ours(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Someone else started this bootstrap",
        meaning=f"An operator said that the bootstrap of {attempt.address} does not belong to this setup.",
        causes=(),
        checks=("Check the current status of the node. If it is in a cluster, remove it from there first.",),
        part="address",
        remedies=(START_AGAIN,),
    )


def _status_code(attempt: Attempt) -> tuple[Figure, ...]:
    """Show the status code of the node's answer; nothing without an answer."""
    code = attempt.answer_status
    return (Figure("Status code", str(code), needed="200"),) if code else ()


def _software(attempt: Attempt) -> tuple[Figure, ...]:
    version = NodeFacts.from_json(attempt.facts).software_version
    return (Figure("Software", version),) if version else ()


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
