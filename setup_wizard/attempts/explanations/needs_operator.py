"""Explanations of attempts that wait for the operator: what is known, what is not, and what to check first."""

from collections.abc import Callable
from dataclasses import replace

from setup_wizard.attempts import sign_ins, timing
from setup_wizard.attempts.durations import took
from setup_wizard.attempts.explanations.phases import answer, silence, what_to_check
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import ADDRESS
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.error_catalogue import START_AGAIN, Explanation, Figure


def _foreign_in_progress(attempt: Attempt) -> Explanation:
    word = f" ({attempt.node_state})" if attempt.node_state else ""
    sent = (
        f"The node refused our request because that bootstrap was already running.{answer(attempt)}"
        if attempt.may_have_sent
        else "Nothing was sent."
    )
    return Explanation(
        title="Someone else started a bootstrap on this node",
        meaning=(
            f"A bootstrap that does not belong to this setup is running on {attempt.address}{word}. {sent} It is not "
            "known who started it and for which cluster. The credentials stored for this setup were deleted."
        ),
        causes=(
            "A colleague, a script or another wizard is setting up the same node.",
            "A gateway sent our request twice. Then the bootstrap is ours, and the cluster will confirm it.",
        ),
        checks=("Find out who else is setting up this node before you send anything.",),
        part="",
        remedies=(),
        figures=(Figure("Node status", attempt.node_state),) if attempt.node_state else (),
    )


def _not_accepted(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node shows no trace of the request",
        meaning=(
            f"The request was sent to {attempt.address} {_times(attempt.submits)}.{answer(attempt) or _NO_ANSWER} "
            f"{timing.SETTLE_TIME.total_seconds():.0f} s later the node still shows "
            f"{attempt.baseline_state or 'the status it had before'}. It did not accept the request, and the request "
            "can no longer arrive."
        ),
        causes=(
            ("The node could not accept a request at that moment. Its answer may say why.",)
            if attempt.answer_status
            else (
                "The connection broke before the node read the request.",
                "A gateway in front of the node dropped it.",
            )
        ),
        checks=("Check whether the node is busy or restarting.",),
        part="",
        remedies=(),
        figures=(
            Figure("Requests sent", str(attempt.submits)),
            Figure("Node status", attempt.node_state or attempt.baseline_state or "not known", needed="initiated"),
        ),
    )


_NO_ANSWER = " No answer came."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _lost_contact(attempt: Attempt) -> Explanation:
    word = f" Its last status was {attempt.node_state}." if attempt.node_state else ""
    if attempt.silent_phase == ADDRESS:
        return Explanation(
            title="The node's address is not allowed any more",
            meaning=(
                f"{attempt.host} resolves to another address than at Start, or to an address that is not allowed."
                f"{word} The node may still be running the bootstrap."
            ),
            causes=("The name resolves to another address.", "The allowed networks or ports were changed."),
            checks=(
                "Check the settings `SETUP_WIZARD_ALLOWED_NETWORKS` and `SETUP_WIZARD_ALLOWED_PORTS`.",
                "Check which address the name resolves to.",
            ),
            part="",
            remedies=(),
        )
    return Explanation(
        title="The node stopped answering",
        meaning=(
            f"{attempt.address} did not finish in time and cannot be reached: {silence(attempt)}.{word} It may still "
            "be running the bootstrap."
        ),
        causes=("The node stopped or lost its network connection.", "Its services take long to restart."),
        checks=(
            "On the node, run `supervisorctl status`: all services should be RUNNING.",
            f"On this server, run `curl -k https://{attempt.address}/v1/bootstrap`",
        ),
        part="",
        remedies=(),
        figures=(
            Figure(attempt.address, silence(attempt, with_text=False), needed="an answer"),
            *_node_status(attempt),
        ),
    )


def _overdue(attempt: Attempt) -> Explanation:
    if attempt.resume_state == State.VERIFYING:
        listed = f"lists it as {attempt.listed_as}" if attempt.listed_as else "does not list it"
        meaning = (
            f"{attempt.address} reports completed, but {attempt.cluster_name or 'its cluster'} {listed}. "
            "The setup succeeds when the cluster lists the node as active."
        )
    else:
        meaning = (
            f"{attempt.address} still shows {attempt.node_state or 'its old status'}. It may need longer than usual."
        )
    return Explanation(
        title="The node did not finish in time",
        meaning=meaning,
        causes=("Slow disks, or a slow connection to the cluster.",),
        checks=what_to_check(attempt),
        part="",
        remedies=(),
        figures=(*_time_taken(attempt), *_node_status(attempt)),
    )


_TEST_ACCOUNT = (
    "Test the account on the cluster's own page, at port 8443. A wrong password there also counts towards the "
    "account's lockout."
)
_CERTIFICATE_CHECK = "Run `openssl x509 -noout -subject -issuer -dates -in client.pem` to see the certificate."
_CERTIFICATE_CAUSES = (
    "The authority that issued it is not the cluster's `mtls_trusted_ca`. Then the refusal is a TLS alert.",
    "No user of the cluster has its subject, or the cluster accepts no client certificates.",
    "It has expired, or was revoked.",
)


def _sign_in(attempt: Attempt) -> str:
    """Name the credentials; a refusal without a status code was a TLS alert."""
    if attempt.username:
        return f"the credentials of {attempt.username}"
    by_alert = attempt.refused_since is not None and not attempt.answer_status
    return f"the client certificate{', by a TLS alert' if by_alert else ''}"


def _credentials_refused(attempt: Attempt) -> Explanation:
    counted = sign_ins.count_refused(sign_ins.Account.of(attempt, attempt.username)).describe(attempt.username)
    return replace(found := _no_credentials(attempt), meaning=f"{found.meaning} {counted}".strip())


def _no_credentials(attempt: Attempt) -> Explanation:
    if attempt.refused_since is None:
        waiting = attempt.events.filter(kind="needs_operator").last()  # says whether they are gone, or held back
        return Explanation(
            title="Enter the credentials again",
            meaning=(
                f"{waiting.message.rstrip('.')}."
                if waiting
                else f"The next request to {attempt.address} needs {_sign_in(attempt)}."
            ),
            causes=("Stored credentials are deleted while a setup waits.", "The encryption keys were changed."),
            checks=(_TEST_ACCOUNT if attempt.username else _CERTIFICATE_CHECK,),
            part="",
            remedies=(),
        )
    if not attempt.may_have_sent:
        return Explanation(
            title="The cluster refused the credentials",
            meaning=f"{attempt.member_address} refused {_sign_in(attempt)}. Nothing was sent to {attempt.address}.",
            causes=_CERTIFICATE_CAUSES
            if not attempt.username
            else (
                "The password or the user name is mistyped.",
                "The account is locked or deleted.",
                "The cluster accepts client certificates only, as clusters from 8.2 can.",
            ),
            checks=(_TEST_ACCOUNT if attempt.username else _CERTIFICATE_CHECK,),
            part="credentials.password" if attempt.username else "credentials.client_cert",
            remedies=(),
            figures=_refused_account(attempt, attempt.member_address),
        )
    return Explanation(
        title="The node does not accept the credentials",
        meaning=(
            f"{attempt.address} has joined a cluster and does not accept {_sign_in(attempt)}. "
            f"Someone else's bootstrap may have made it a member, or the account was changed.{answer(attempt)}"
        ),
        causes=(
            *_CERTIFICATE_CAUSES,
            "Another bootstrap of this node came first.",
        )
        if not attempt.username
        else (
            "The administrator's password was changed during the setup.",
            "Another bootstrap of this node came first.",
            "The account is locked.",
            "The cluster accepts client certificates only, as clusters from 8.2 can. Then sign in with one.",
        ),
        checks=("Check whether the cluster lists the node.",),
        part="",
        remedies=(),
        figures=_refused_account(attempt, attempt.address),
    )


def _foreign_cluster(attempt: Attempt) -> Explanation:
    expected = attempt.name_from_member or attempt.cluster_name
    said = ""
    if attempt.refused_since is None:
        found = f"its cluster is {attempt.found_name}, " + (
            f"not {expected}" if expected else "and this setup does not know which cluster to expect"
        )
    else:
        found = f"its cluster does not accept {_sign_in(attempt)}"
        said = answer(attempt)
    return Explanation(
        title="The node is in another cluster",
        meaning=(
            f"{attempt.address} reports completed, but {found}.{said} So this setup cannot confirm that it succeeded. "
            "To remove the node from that cluster, use the cluster itself."
        ),
        causes=(
            "Someone else set up the node for another cluster.",
            "The administrator's password was changed. Then enter the credentials again.",
        ),
        checks=("On the node, run `rladmin status` to see its cluster.",),
        part="",
        remedies=(),
        figures=(
            (Figure("Cluster name", attempt.found_name or "not known", needed=expected),)
            if attempt.refused_since is None
            else _refused_account(attempt, attempt.address)
        ),
    )


def _fault(attempt: Attempt) -> Explanation:
    state = (
        f"The request may have reached {attempt.address}, which continues by itself."
        if attempt.may_have_sent
        else f"{attempt.address} was not changed."
    )
    return Explanation(
        title="An internal task of this setup failed",
        meaning=f"It failed {attempt.failed_ticks} times in a row. The node is not the cause. {state}",
        causes=("A bug in this wizard, or a full disk or memory on its server.",),
        checks=("Search the worker's log for this attempt's ID.",),
        part="",
        remedies=() if attempt.may_have_sent else (START_AGAIN,),
        figures=(Figure("Failed steps in a row", str(attempt.failed_ticks)),),
    )


def _trust(attempt: Attempt) -> Explanation:
    return Explanation(
        title="The node's new certificate is not approved",
        meaning=(
            f"{attempt.address} now shows another certificate than the approved one. Until you approve it, no "
            "credentials are sent to the node and its answers are ignored."
        ),
        causes=(
            "The node created a new certificate during its bootstrap.",
            "Someone replaced the certificate.",
            "Another machine on the network pretends to be the node.",
        ),
        checks=("Print the fingerprint on the node and compare it with the new one.",),
        part="",
        remedies=(),
    )


def _superseded(attempt: Attempt) -> Explanation:
    return Explanation(
        title="Someone started another bootstrap on the node",
        meaning=(
            f"{attempt.address} had accepted this setup's request, then started another bootstrap. That one does not "
            "belong to this setup."
        ),
        causes=("A colleague, a script or another wizard started a bootstrap on the same node.",),
        checks=("Find out who else is setting up this node.",),
        part="",
        remedies=(),
    )


def _node_status(attempt: Attempt) -> tuple[Figure, ...]:
    return (Figure("Node status", attempt.node_state, needed="completed"),) if attempt.node_state else ()


def _time_taken(attempt: Attempt) -> tuple[Figure, ...]:
    """Show how long the node has taken until it was reported, and how long it had."""
    since, waiting, limit = attempt.started_at, attempt.waiting_since, attempt.deadline_at
    time = took(since, waiting)
    return (Figure("Time", time, needed=f"at most {took(since, limit)}" if limit else ""),) if time else ()


def _refused_account(attempt: Attempt, by: str) -> tuple[Figure, ...]:
    account = attempt.username or "the client certificate"
    return (Figure("Account", account, f"refused by {by}" if by else "refused"),)


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
