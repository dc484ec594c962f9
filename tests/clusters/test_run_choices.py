"""What an operator can choose when a run pauses, with real nodes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard import failpoints
from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.clusters import engine
from setup_wizard.clusters.audit_actions import PlanAudit
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.document import InvalidPlan
from setup_wizard.clusters.engine import RunChoice, lease
from setup_wizard.clusters.engine.advance import _begin
from setup_wizard.clusters.models import Run, RunStep
from setup_wizard.clusters.progress import RunProgress
from setup_wizard.clusters.run_page import RunPage
from tests.clusters.conftest import (
    accepted_once,
    attempts_of,
    has_ended,
    is_paused_or_ended,
    kinds,
    offered,
    run_now,
    work,
)

pytestmark = pytest.mark.django_db(transaction=True)

SAME_PATHS = {"paths": {"persistent_path": "/var/opt/redislabs/x", "ephemeral_path": "/var/opt/redislabs/x"}}
WRONG_PATH = {"paths": {"persistent_path": "/nowhere/persist"}}


@pytest.fixture
def failing(begin, start_nodes):
    """A run whose second node fails in the middle, with its nodes."""
    # the cluster's list names nodes by their IP address
    nodes = [*start_nodes(1), *start_nodes(1, bind="127.0.0.77", options=("--no-validate",)), *start_nodes(1)]
    run = begin(nodes, own={1: WRONG_PATH})
    return work(run, until=is_paused_or_ended), nodes


def test_second_of_three_fails_and_succeeds_with_a_changed_value(failing, maria):
    run, nodes = failing
    assert run.why is PauseReason.ATTEMPT_FAILED
    assert attempts_of(run)[1].error_code == "path_error"

    paths = {"persistent_path": "/var/opt/redislabs/persist"}
    engine.retry(run.pk, {nodes[1].address: {"paths": paths}}, all_left=False, by=maria)
    run = work(run, until=is_paused_or_ended)

    assert run.status is RunState.SUCCEEDED
    assert [(step.position, step.number) for step in run.steps.all()] == [(0, 1), (1, 1), (1, 2), (2, 1)]
    assert [len(node.accepted()) for node in nodes] == [1, 2, 1]


def test_audit_entry_of_a_retry_names_the_node(failing, maria):
    run, nodes = failing

    engine.retry(run.pk, {}, all_left=False, by=maria)

    entry = AuditEvent.objects.get(action=PlanAudit.RETRY)
    assert entry.note == nodes[1].address
    assert entry.target_name == str(run.plan)


def test_retry_changes_every_node_that_is_left(failing, maria):
    run, nodes = failing
    changed = {nodes[1].address: {"paths": {"persistent_path": "/var/opt/redislabs/other"}}}

    engine.retry(run.pk, changed, all_left=True, by=maria)

    run.plan.refresh_from_db()
    assert [node.paths.persistent_path for node in run.plan.content.nodes] == ["", *["/var/opt/redislabs/other"] * 2]


def test_retry_with_values_that_break_a_rule_changes_nothing(failing, maria):
    run, nodes = failing

    with pytest.raises(InvalidPlan):
        engine.retry(run.pk, {nodes[1].address: {"rack_id": "no rack!"}}, all_left=True, by=maria)

    run.refresh_from_db()
    assert run.status is RunState.PAUSED
    assert run.steps.count() == 2


def test_failed_node_is_skipped_and_the_next_one_joins(failing, maria):
    run, nodes = failing
    assert RunChoice.SKIP in offered(run)

    engine.choose(run.pk, RunChoice.SKIP, by=maria)
    run = work(run, until=is_paused_or_ended)

    assert run.status is RunState.SUCCEEDED
    assert [attempt.status for attempt in attempts_of(run)] == [State.SUCCEEDED, State.FAILED, State.SUCCEEDED]
    assert run.events.last().message == "2 of 3 nodes are active"
    assert accepted_once(nodes)


def test_node_that_refused_the_request_is_skipped_at_once(begin, start_nodes, maria):
    nodes = [*start_nodes(1), *start_nodes(1, faults=["answer=400:post"]), *start_nodes(1)]
    run = work(begin(nodes), until=is_paused_or_ended)
    refused = attempts_of(run)[1]
    assert (refused.why, refused.may_have_sent) == (Reason.REJECTED, True)
    Attempt.objects.filter(pk=refused.pk).update(node_state="not read since the refusal")
    assert RunChoice.SKIP in offered(run)

    engine.choose(run.pk, RunChoice.SKIP, by=maria)

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED
    assert [len(node.accepted()) for node in nodes] == [1, 0, 1]


def test_skip_waits_while_the_node_cannot_be_asked(failing, maria):
    run, nodes = failing
    nodes[1].stop()

    engine.choose(run.pk, RunChoice.SKIP, by=maria)
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.SKIP_UNCERTAIN
    assert offered(run) == (RunChoice.SKIP, RunChoice.STOP)
    engine.choose(run.pk, RunChoice.SKIP, by=maria)
    run = work(run, until=is_paused_or_ended)

    assert run.status is RunState.SUCCEEDED


def test_uncertain_skip_goes_on_when_the_node_is_free(failing, maria):
    run, nodes = failing
    nodes[1].stop()
    engine.choose(run.pk, RunChoice.SKIP, by=maria)
    work(run, until=is_paused_or_ended)

    nodes[1].restart()

    assert work(run, until=has_ended).status is RunState.SUCCEEDED


def test_first_node_of_a_new_cluster_cannot_be_skipped(begin, start_nodes):
    nodes = start_nodes(2)
    run = begin(nodes)
    nodes[0].stop()

    run = work(run, until=is_paused_or_ended)

    assert run.why is PauseReason.CHECK_FAILED
    assert RunChoice.SKIP not in offered(run)


def test_node_that_does_not_answer_before_its_turn_pauses_the_run(begin, three_nodes, maria):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    three_nodes[1].stop()
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.CHECK_FAILED
    assert three_nodes[1].address in run.events.last().message
    assert [node.mark for node in RunPage(run).track] == ["done", "waits", "todo"]

    three_nodes[1].restart()
    engine.choose(run.pk, RunChoice.RESUME, by=maria)

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED
    assert accepted_once(three_nodes)


def test_failed_check_is_accepted_with_a_reason(begin, start_nodes, maria):
    nodes = start_nodes(2)
    run = work(begin(nodes, own={1: SAME_PATHS}), until=is_paused_or_ended)
    [result] = run.results
    assert (run.why, result["name"], result["can_accept"]) == (PauseReason.CHECK_FAILED, "paths", True)
    with pytest.raises(engine.ChoiceRefused, match=r"^Cannot be accepted now: memory\.$"):
        engine.choose(run.pk, RunChoice.RESUME, by=maria, accept={"memory": "Not offered."})
    with pytest.raises(engine.ChoiceRefused, match=r"^Enter a reason to accept: paths\.$"):
        engine.choose(run.pk, RunChoice.RESUME, by=maria, accept={"paths": " "})

    engine.choose(run.pk, RunChoice.RESUME, by=maria, accept={"paths": "Made by hand."})
    run = work(run, until=is_paused_or_ended)

    accepted = [{"name": "paths", "reason": "Made by hand."}]
    assert run.plan.overrides[nodes[1].address] == accepted
    assert attempts_of(run)[1].overrides == accepted


def test_pause_and_resume_between_two_nodes(begin, three_nodes, maria):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    engine.choose(run.pk, RunChoice.PAUSE, by=maria)
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.REQUESTED
    assert [attempt.status for attempt in attempts_of(run)] == [State.SUCCEEDED]
    assert vault.expires_at(run.pk) < timezone.now() + timedelta(hours=25)

    run_now(run)
    engine.choose(run.pk, RunChoice.RESUME, by=maria)

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED


def test_pause_is_offered_while_a_node_has_not_begun(begin, start_nodes):
    run = begin(start_nodes(2))
    assert RunChoice.PAUSE in offered(run)

    work(run, until=lambda run: Attempt.objects.count() == 2)

    assert offered(run) == (RunChoice.STOP,)


def test_node_that_was_chosen_before_a_pause_is_shown_as_not_begun(begin, three_nodes, maria):
    run = begin(three_nodes)
    RunStep.objects.create(run=run, position=0, number=1)
    engine.choose(run.pk, RunChoice.PAUSE, by=maria)
    run = work(run, until=is_paused_or_ended)

    assert not Attempt.objects.exists()
    assert [node.mark for node in RunPage(run).track] == ["todo"] * 3


def test_requested_pause_outlives_an_attempt_that_waits(begin, three_nodes, maria):
    run = work(begin(three_nodes, accept_new_certificate=False), until=lambda run: Attempt.objects.exists())
    engine.choose(run.pk, RunChoice.PAUSE, by=maria)
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.ATTEMPT_NEEDS_OPERATOR

    approve_new_certificate(maria)
    run = work(run, until=lambda run: run.why is PauseReason.REQUESTED)

    assert run.steps.count() == 1


def approve_new_certificate(by):
    attempt = Attempt.objects.get(state=State.NEEDS_OPERATOR)
    attempts_engine.approve_certificate(attempt.pk, attempt.seen_certificate["fingerprint"], by=by)


def test_run_goes_on_by_itself_when_the_attempt_that_waited_succeeds(begin, three_nodes, maria):
    run = work(begin(three_nodes, accept_new_certificate=False), until=is_paused_or_ended)
    assert run.why is PauseReason.ATTEMPT_NEEDS_OPERATOR
    assert offered(run) == (RunChoice.STOP,)

    approve_new_certificate(maria)

    assert work(run, until=has_ended).status is RunState.SUCCEEDED
    assert accepted_once(three_nodes)


@pytest.mark.parametrize("choice", [RunChoice.PAUSE, RunChoice.STOP])
def test_choice_between_the_id_and_the_start_of_an_attempt_holds(begin, three_nodes, maria, choice):
    run = begin(three_nodes)
    RunStep.objects.create(run=run, position=0, number=1)
    held = lease.claim(run.pk)
    progress = RunProgress(held)

    engine.choose(run.pk, choice, by=maria)

    with pytest.raises(lease.RunLeaseLost):
        _begin(held, progress, progress.nodes[0])
    run_now(run)
    run.refresh_from_db()
    assert is_paused_or_ended(run)
    assert not Attempt.objects.exists()


def test_two_workers_begin_one_attempt(begin, three_nodes):
    run = begin(three_nodes)
    RunStep.objects.create(run=run, position=0, number=1)
    first = lease.claim(run.pk)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now())
    second = lease.claim(run.pk)

    for held in (second, first):
        progress = RunProgress(held)
        _begin(held, progress, progress.nodes[0])

    assert Attempt.objects.count() == 1
    assert kinds(run).count("node_started") == 1


def test_stop_keeps_what_is_done_and_forgets_the_credentials(begin, three_nodes, maria):
    run = work(begin(three_nodes), until=lambda run: run.steps.count() == 2 and Attempt.objects.count() == 2)

    engine.choose(run.pk, RunChoice.STOP, by=maria)
    second = Attempt.objects.last() if Attempt.objects.last().is_open else Attempt.objects.first()
    work(run, until=lambda run: not Attempt.objects.filter(state__in=["queued", "checking", "in_progress"]).exists())
    run_now(run)

    run.refresh_from_db()
    assert run.status is RunState.STOPPED
    assert vault.expires_at(run.pk) is None
    assert Attempt.objects.count() == 2
    assert second.pk in set(run.steps.values_list("attempt_id", flat=True))


def test_bug_in_the_product_pauses_the_run(begin, three_nodes, maria):
    run = begin(three_nodes)
    failpoints.arm(["run.step.committed=raise"])
    try:
        with pytest.raises(failpoints.FailpointReached):
            run_now(run)
    finally:
        failpoints.arm([])
    run.refresh_from_db()
    assert run.why is PauseReason.FAULT

    engine.choose(run.pk, RunChoice.RESUME, by=maria)

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED
    assert accepted_once(three_nodes)


def test_run_that_has_ended_refuses_every_choice(begin, start_nodes, maria):
    run = work(begin(start_nodes(1)), until=has_ended)

    for choice in RunChoice:
        with pytest.raises(engine.ChoiceRefused, match="not possible now"):
            engine.choose(run.pk, choice, by=maria)
