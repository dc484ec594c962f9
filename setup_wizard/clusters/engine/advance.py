"""Take a run one decision further: in a worker, under a lease, each decision by compare-and-set."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import preflight, vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.status import ACTIVE, NodeProblem, find_node
from setup_wizard.clusters import timing
from setup_wizard.clusters.cluster_check import NotAnswered, ask_fitness, ask_nodes
from setup_wizard.clusters.decisions import Next, PauseReason, RunDecision, RunState, decide
from setup_wizard.clusters.document import OLD_MACHINES_OFF, InvalidPlan, PlanKind
from setup_wizard.clusters.engine.lease import (
    NewRunEvent,
    RunLeaseLost,
    check_held,
    claim,
    now,
    release,
    write,
)
from setup_wizard.clusters.models import CLUSTER_CHECK, Run, RunStep
from setup_wizard.clusters.progress import NodeInRun, RunProgress
from setup_wizard.clusters.setups import members_of, setup_of
from setup_wizard.failpoints import Point, reach
from setup_wizard.monitoring import health
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.errors import AddressForbidden, NodeError
from setup_wizard.nodes.probe import probe

logger = logging.getLogger(__name__)

CONFIRMED_WITH_OLD_MACHINES_OFF = ("replaced_node", "quorum")
"""Checks that need no further consent once the operator has confirmed that all old machines are off."""
MAX_DECISIONS = 10
"""In one task; the next task continues."""
EXPIRED = "The stored credentials have expired"


def advance(run_id: UUID) -> None:
    """Claim the run if it is due, and carry out decisions until there is nothing to do."""
    run = claim(run_id)
    if run is None:
        return
    try:
        _advance(run)
    except RunLeaseLost:
        return  # an operator, an attempt or another worker changed it; they planned the next look
    except Exception as problem:
        if not health.is_outage(problem):  # in an outage nothing can be written; the lease ends by itself
            _save_failure(run, problem)
        raise


def _advance(run: Run) -> None:
    look_again = timedelta(0)
    for _ in range(MAX_DECISIONS):
        progress = RunProgress(run)
        decision = decide(progress.view)
        look_again = _carry_out(run, progress, decision)
        if look_again or run.status.is_final:
            break
    if not run.status.is_final:
        release(run, look_again=look_again)


def _save_failure(run: Run, problem: Exception) -> None:
    """Pause the run after a bug of ours; only the name of the exception is written, it could contain a secret."""
    found = Run.objects.filter(pk=run.pk, lease_token=run.lease_token, state=RunState.RUNNING).first()
    if found is not None:
        message = f"An error of this program ({type(problem).__name__}). Its log has the details. Resume to try again."
        with suppress(RunLeaseLost):
            _pause(found, PauseReason.FAULT, message)
            release(found, look_again=timing.IDLE_EVERY)


def _carry_out(run: Run, progress: RunProgress, decision: RunDecision) -> timedelta:
    """Carry out a decision; return the time until the run is looked at again, zero for at once."""
    match decision.next:
        case Next.CHOOSE_NODE:
            _choose_node(run, progress.nodes[decision.position or 0])
        case Next.BEGIN:
            return _begin(run, progress, progress.nodes[decision.position or 0])
        case Next.CHECK_CLUSTER:
            return _check_cluster(run, progress)
        case Next.CHECK_SKIPPED:
            return _check_skipped(run, progress, progress.nodes[decision.position or 0])
        case Next.PAUSE:
            _pause(run, decision.reason, _why_paused(progress, decision))
        case Next.RESUME:
            write(run, NewRunEvent("resumed", "Resumed: the attempt goes on"), **_running(run))
        case Next.SUCCEED:
            _succeed(run, progress)
        case Next.NOTHING:
            return _time_to_next_look(run)
    return timedelta(0)


def _time_to_next_look(run: Run) -> timedelta:
    is_watching = run.status is RunState.RUNNING or run.why.is_about_attempt
    return timing.WATCH_EVERY if is_watching else timing.IDLE_EVERY


def _choose_node(run: Run, node: NodeInRun) -> None:
    """Store the id of the next attempt before it is begun."""
    number = node.step.number + 1 if node.step else 1
    with transaction.atomic():
        check_held(run)
        RunStep.objects.create(run=run, position=node.position, number=number)
        reach(Point.RUN_STEP_COMMIT)
    reach(Point.RUN_STEP_COMMITTED)


@sensitive_variables()
def _begin(run: Run, progress: RunProgress, node: NodeInRun) -> timedelta:
    """Check the node and its cluster, then begin the attempt; its id makes a second begin harmless."""
    assert node.step is not None  # noqa: S101 - a chosen node has a step
    try:
        credentials = vault.open_for(run.pk)
    except vault.SecretUnavailable:
        _pause(run, PauseReason.CREDENTIALS_EXPIRED, EXPIRED)
        return timedelta(0)
    try:
        setup = setup_of(progress.content, node.position, members_of(progress.content, progress.done), credentials)
    except (InvalidPlan, AddressInvalid) as error:
        _pause(run, PauseReason.CHECK_FAILED, f"{node.planned.address} cannot be set up as planned. {_words_of(error)}")
        return timedelta(0)
    reviewed = _check_node(run, setup, node)
    last_seq = run.last_seq

    def note(attempt_id: UUID) -> None:
        message = f"Node {node.position + 1} of {len(progress.nodes)}: {node.planned.address} was started"
        data: dict[str, object] = {"attempt": str(attempt_id), "position": node.position}
        check_held(run)
        write(run, NewRunEvent("node_started", message, data), fit_since=None)

    try:
        attempts_engine.begin(
            setup,
            reviewed,
            secret_id=run.pk,
            by=run.operator,
            attempt_id=node.step.attempt_id,
            together_with=note,
            keep_secret=True,
        )
    except attempts_engine.NodeBusy as busy:
        _pause(run, PauseReason.CHECK_FAILED, f"Another setup of {busy.attempt.address} is running")
        return timedelta(0)
    except attempts_engine.PreflightFailed as failed:
        refused = failed.refused or [each for each in failed.outcomes if not reviewed.allows(each)]
        if [each.name for each in refused] == [preflight.CLUSTER_BUSY] and _waits_while_busy(run, refused[0]):
            return timing.BUSY_EVERY
        message = " ".join(each.result.message for each in refused)
        results = [
            {"name": each.name, "message": each.result.message, "can_accept": not each.result.blocks}
            for each in refused
        ]
        _pause(run, PauseReason.CHECK_FAILED, f"{node.planned.address}: {message}", results)
        return timedelta(0)
    except vault.SecretUnavailable:  # they expired during the checks
        run.last_seq = last_seq  # the event of the start may have been undone
        _pause(run, PauseReason.CREDENTIALS_EXPIRED, EXPIRED)
        return timedelta(0)
    reach(Point.RUN_BEGUN)
    return timing.WATCH_EVERY


def _waits_while_busy(run: Run, outcome: preflight.CheckOutcome) -> bool:
    """Give a busy cluster some time before the run pauses; the first time is an event, the next ones are not."""
    if run.fit_since is None:
        message = f"Waiting up to {timing.FIT_WITHIN.seconds // 60} minutes: {outcome.result.message}"
        write(run, NewRunEvent("cluster_busy", message), fit_since=now())
    return run.fit_since is not None and now() - run.fit_since <= timing.FIT_WITHIN


def _words_of(error: InvalidPlan | AddressInvalid) -> str:
    if isinstance(error, AddressInvalid):
        return str(error)
    return " ".join(text for texts in error.fields.values() for text in texts)


@sensitive_variables()
def _check_node(run: Run, setup: preflight.NodeSetup, node: NodeInRun) -> preflight.Reviewed:
    """Run the checks again; the attempt lets the node validate the request by itself."""
    checks = [check for check in preflight.applying(setup) if preflight.Source.VALIDATION not in check.needs]
    checking = preflight.CheckRun(setup, run.operator, checks=checks)
    outcomes = checking.run()
    checking.finish()
    accepted = {each["name"]: each["reason"] for each in run.plan.overrides.get(node.planned.address, [])}
    if run.plan.kind is PlanKind.RECOVER and run.old_machines_off:
        confirmed = f"{OLD_MACHINES_OFF} (confirmed by {run.started_by.get_username()})"
        accepted = {**dict.fromkeys(CONFIRMED_WITH_OLD_MACHINES_OFF, confirmed), **accepted}
    return preflight.Reviewed(
        findings=checking.findings,
        outcomes=outcomes,
        reasons=accepted,
        permanent=run.accepted_permanent,
    )


@sensitive_variables()
def _check_cluster(run: Run, progress: RunProgress) -> timedelta:
    """Ask the cluster whether it is fit; it has some time to become so after a node came in."""
    try:
        credentials = vault.open_for(run.pk)
    except vault.SecretUnavailable:
        _pause(run, PauseReason.CREDENTIALS_EXPIRED, EXPIRED)
        return timedelta(0)
    answer = ask_fitness(members_of(progress.content, progress.done), credentials)
    done = len(progress.done)
    if run.known_problems is None and not isinstance(answer, NotAnswered):  # of a cluster that was there before
        write(run, known_problems=[[each.uid, each.text] for each in answer], fit_since=None)
        return timedelta(0)
    new = [] if isinstance(answer, NotAnswered) else _new_problems(run, progress, answer)
    serious = [each for each in new if not each.is_about_host]
    if not isinstance(answer, NotAnswered) and not serious:
        warnings = [NewRunEvent("cluster_warning", f"Node {each.uid}: {each.text}") for each in new]
        nodes = "1 node" if done == 1 else f"{done} nodes"
        passed = NewRunEvent("cluster_checked", f"The cluster's check passed: {nodes} of this run")
        write(run, *warnings, passed, fit_nodes=done, fit_since=None)
        return timedelta(0)
    if run.fit_since is None:
        write(run, fit_since=now())
    elif now() - run.fit_since > timing.FIT_WITHIN:
        what = answer.message if isinstance(answer, NotAnswered) else "; ".join(map(_describe, serious))
        message = f"The cluster's check does not pass: {what}"
        problems = [[each.uid, each.text] for each in serious]
        results = [{"name": CLUSTER_CHECK, "message": message, "can_accept": True, "problems": problems}]
        _pause(run, PauseReason.CLUSTER_NOT_FIT, message, results if serious else [])
        return timedelta(0)
    return timing.FIT_EVERY


def _new_problems(run: Run, progress: RunProgress, found: tuple[NodeProblem, ...]) -> list[NodeProblem]:
    """Leave out what was there before, and the lost nodes of a recovery that are replaced later."""
    known = {tuple(each) for each in run.known_problems or []}
    lost = {str(node.planned.uid) for node in progress.nodes if node.planned.uid and not node.is_done}
    return [each for each in found if (each.uid, each.text) not in known and each.uid not in lost]


def _describe(problem: NodeProblem) -> str:
    return f"node {problem.uid}: {problem.text}" if problem.uid else problem.text


@sensitive_variables()
def _check_skipped(run: Run, progress: RunProgress, node: NodeInRun) -> timedelta:
    """Leave a node out once its attempt has ended and the cluster lists it as active or not at all."""
    assert node.step is not None  # noqa: S101 - a skipped node has a step
    if node.attempt and node.attempt.is_open:
        return timing.WATCH_EVERY
    if node.sent and not _is_active_or_free(run, progress, node.sent[-1]):
        if run.status is RunState.RUNNING:
            message = f"{node.planned.address} may still come into the cluster: its request may have been sent"
            _pause(run, PauseReason.SKIP_UNCERTAIN, message)
        return timing.WATCH_EVERY
    with transaction.atomic():
        write(run, NewRunEvent("skipped", f"{node.planned.address} was skipped"), fit_nodes=0, **_running(run))
        RunStep.objects.filter(pk=node.step.pk).update(skipped_at=now())
    return timedelta(0)


@sensitive_variables()
def _is_active_or_free(run: Run, progress: RunProgress, attempt: Attempt) -> bool:
    """Whether the cluster lists the node as active, or does not list it and the node says that it is free."""
    try:
        nodes = ask_nodes(members_of(progress.content, progress.done), vault.open_for(run.pk))
    except vault.SecretUnavailable:
        return False
    if isinstance(nodes, NotAnswered):
        return False
    own = find_node(nodes, attempt.node_uid, frozenset(_addresses(attempt)))
    return own.status == ACTIVE if own else _is_free(attempt)


def _is_free(attempt: Attempt) -> bool:
    try:
        found = probe(Address.parse(attempt.address))
    except (NodeError, AddressForbidden):
        return False
    return found.answer is not None and found.answer.status.state.accepts_bootstrap


def _addresses(attempt: Attempt) -> list[str]:
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    return [text for text in (identity.get("addr"), attempt.address.rpartition(":")[0].strip("[]")) if text]


def _why_paused(progress: RunProgress, decision: RunDecision) -> str:
    node = progress.nodes[decision.position] if decision.position is not None else None
    where = node.planned.address if node else ""
    return {
        PauseReason.REQUESTED: "Paused before the next node",
        PauseReason.ATTEMPT_FAILED: f"The setup of {where} failed",
        PauseReason.ATTEMPT_NEEDS_OPERATOR: f"The setup of {where} needs an operator",
        PauseReason.CREDENTIALS_EXPIRED: EXPIRED,
        PauseReason.NOT_PERMITTED: "The person who started this may no longer set up nodes",
    }.get(decision.reason, "Paused")


def _pause(run: Run, reason: PauseReason, message: str, results: Sequence[Mapping[str, object]] = ()) -> None:
    """Pause the run; a pause that an operator asked for still comes when the run goes on by itself."""
    moment = now()
    asked = run.pause_requested and reason is not PauseReason.REQUESTED
    with transaction.atomic():
        write(
            run,
            NewRunEvent("paused", message, {"reason": reason.value}),
            state=RunState.PAUSED,
            reason=reason.value,
            paused_at=moment,
            pause_requested=asked,
            fit_since=None,
            results=[dict(each) for each in results],
        )
        vault.keep_until(run.pk, moment + timing.PAUSED_CREDENTIALS_LIFE)


def _running(run: Run) -> dict[str, Any]:
    vault.keep_until(run.pk, now() + timing.RUNNING_CREDENTIALS_LIFE)
    return {"state": RunState.RUNNING, "reason": "", "paused_at": None, "fit_since": None}


def _succeed(run: Run, progress: RunProgress) -> None:
    skipped = sum(not node.is_done for node in progress.nodes)
    count = len(progress.done)
    total = len(progress.nodes)
    if total == 1:
        message = "The node is active"
    else:
        message = f"{count} of {total} nodes are active" if skipped else f"All {count} nodes are active"
    with transaction.atomic():
        write(run, NewRunEvent("succeeded", message), state=RunState.SUCCEEDED, reason="", ended_at=now())
        vault.discard(run.pk)
        reach(Point.RUN_COMMIT)
    logger.info("Run succeeded", extra={"fields": {"run": str(run.pk), "kind": "run_succeeded"}})
