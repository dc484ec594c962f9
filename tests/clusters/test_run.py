"""Runs with real nodes, from Start to the end."""

import itertools
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import State
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.engine import lease
from setup_wizard.clusters.models import Run
from tests.clusters.conftest import accepted_once, attempts_of, has_credentials, kinds, run_now, work

pytestmark = pytest.mark.django_db(transaction=True)

UNFIT = {"cluster_test_result": False, "nodes": [{"node_uid": "1", "result": False, "error": "port_range: too small"}]}


def test_run_brings_up_three_nodes_one_after_the_other(begin, three_nodes):
    run = work(begin(three_nodes), until=lambda run: run.status.is_final)

    attempts = attempts_of(run)
    assert run.status is RunState.SUCCEEDED, [event.message for event in run.events.all()]
    assert [attempt.status for attempt in attempts] == [State.SUCCEEDED] * 3
    assert all(later.created_at >= earlier.ended_at for earlier, later in itertools.pairwise(attempts))
    assert accepted_once(three_nodes)
    assert kinds(run).count("node_started") == 3
    assert kinds(run).count("cluster_checked") == 3
    assert not has_credentials(run)


def test_only_the_attempt_under_way_has_a_copy_of_the_credentials(begin, three_nodes):
    run = work(begin(three_nodes), until=lambda run: run.steps.count() == 3)

    owners = set(SealedCredentials.objects.values_list("owner", flat=True))
    latest = run.steps.get(position=2)
    assert owners <= {run.pk, latest.attempt_id}
    work(run, until=lambda run: run.status.is_final)
    assert not SealedCredentials.objects.exists()


def test_end_of_an_attempt_wakes_its_run_at_once(begin, three_nodes, maria):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    Run.objects.filter(pk=run.pk).update(
        next_at=timezone.now() + timedelta(seconds=50), lease_expires_at=timezone.now()
    )

    attempts_engine.choose(Attempt.objects.get().pk, Choice.CANCEL, by=maria)

    run.refresh_from_db()
    assert run.next_at <= timezone.now()


def test_worker_that_looked_before_the_end_of_an_attempt_plans_nothing(begin, three_nodes, maria):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    Run.objects.filter(pk=run.pk).update(next_at=timezone.now(), lease_expires_at=timezone.now())
    held = lease.claim(run.pk)

    attempts_engine.choose(Attempt.objects.get().pk, Choice.CANCEL, by=maria)

    with pytest.raises(lease.RunLeaseLost):
        lease.release(held, look_again=timedelta(seconds=50))


def test_clock_that_was_set_back_does_not_hold_up_a_run(begin, three_nodes):
    run = begin(three_nodes)
    ahead = timezone.now() + timedelta(hours=3)
    Run.objects.filter(pk=run.pk).update(next_at=ahead, lease_expires_at=ahead)

    assert lease.claim(run.pk)


def test_setting_of_a_host_only_warns(begin, start_nodes):
    first, *others = start_nodes(2)
    run = begin([first, *others])
    first.put_faults(f"overlay=/v1/cluster/check,{json.dumps(UNFIT)}")

    run = work(run, until=lambda run: run.status is not RunState.RUNNING)

    assert run.status is RunState.SUCCEEDED, [event.message for event in run.events.all()]
    assert "cluster_warning" in kinds(run)


@pytest.mark.parametrize("status", [401, 404, 405])
def test_cluster_without_the_check_is_not_asked_again(begin, start_nodes, status):
    first, *others = start_nodes(2)
    run = begin([first, *others])
    first.put_faults(f"overlay=/v1/cluster/check,{status}")

    run = work(run, until=lambda run: run.status is not RunState.RUNNING)

    assert run.status is RunState.SUCCEEDED, [event.message for event in run.events.all()]


def test_run_extends_a_cluster_whose_problems_are_known(begin, extend, start_nodes):
    member, *others = start_nodes(3)
    work(begin([member]), until=lambda run: run.status.is_final)
    down = {"cluster_test_result": False, "nodes": [{"node_uid": "1", "result": False, "error": "services: down"}]}
    member.put_faults(f"overlay=/v1/cluster/check,{json.dumps(down)}")

    run = work(extend(member, others), until=lambda run: run.status is not RunState.RUNNING)

    assert run.status is RunState.SUCCEEDED, [event.message for event in run.events.all()]
    assert run.known_problems == [["1", "services: down"]]
    assert accepted_once([member, *others])


@pytest.fixture
def recover(begin, start_nodes):
    """Begin the recovery of a cluster whose nodes were lost; return the run and its nodes."""

    def recover(**options):
        old = start_nodes(3)
        work(begin(old), until=lambda run: run.status.is_final)
        for node in old:
            node.stop()
        new = start_nodes(3)
        saved = next(old[0].directory.rglob("ccs-redis.rdb"))
        (new[0].directory / "ccs-redis.rdb").write_bytes(saved.read_bytes())
        run = begin(
            new,
            recovery_filename=str(new[0].directory / "ccs-redis.rdb"),
            cluster={},
            own={1: {"uid": 2}, 2: {"uid": 3}},
            accept={"old_cluster": "They are off."},
            **options,
        )
        return work(run, until=lambda run: run.status is not RunState.RUNNING), new

    return recover


def test_run_recovers_a_lost_cluster(recover):
    run, new = recover(old_machines_off=True)

    assert run.status is RunState.SUCCEEDED, [event.message for event in run.events.all()]
    assert [attempt.node_uid for attempt in attempts_of(run)] == ["1", "2", "3"]
    assert accepted_once(new)
    reasons = {each["name"]: each["reason"] for each in attempts_of(run)[1].overrides}
    assert reasons["replaced_node"].endswith("(confirmed by maria)")


def test_recovery_replaces_no_node_until_the_old_machines_are_confirmed_off(recover):
    run, _ = recover()

    assert run.why is PauseReason.CHECK_FAILED
    first, second = attempts_of(run)
    assert (first.node_uid, second) == ("1", None)


def test_finished_run_is_not_taken_up_again(begin, start_nodes):
    run = work(begin(start_nodes(1)), until=lambda run: run.status.is_final)
    events = run.events.count()

    run_now(run)

    assert run.events.count() == events
