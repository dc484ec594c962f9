"""Runs that pause because of their credentials, their starter or their cluster, with real nodes."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard import failpoints
from setup_wizard.access.admin import AuditEvent
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters import cluster_check, engine, timing
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.engine import RunChoice
from setup_wizard.clusters.models import Run
from setup_wizard.clusters.setups import Members
from setup_wizard.nodes.address import Address
from setup_wizard.worker.supervisor import Supervisor
from tests.clusters.conftest import (
    CREDENTIALS,
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

UNFIT = {"cluster_test_result": False, "nodes": [{"node_uid": "1", "result": False, "error": "services: down"}]}
BUSY = f"overlay=/v1/actions,{json.dumps({'actions': [{'name': 'migrate_shard', 'status': 'running'}]})}"
SAME_PATHS = {"paths": {"persistent_path": "/var/opt/redislabs/x", "ephemeral_path": "/var/opt/redislabs/x"}}
WRONG_PATH = {"paths": {"persistent_path": "/nowhere/persist"}}


def test_expired_credentials_are_asked_for_again(begin, three_nodes, maria, jan):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    SealedCredentials.objects.filter(owner=run.pk).update(expires_at=timezone.now())
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.CREDENTIALS_EXPIRED
    assert offered(run) == (RunChoice.CREDENTIALS, RunChoice.STOP)

    engine.give_credentials(run.pk, CREDENTIALS, by=jan)

    run = work(run, until=is_paused_or_ended)
    assert run.status is RunState.SUCCEEDED
    assert AuditEvent.objects.filter(action="plan-credentials", user_id=jan.pk).count() == 1
    assert accepted_once(three_nodes)


def test_credentials_that_expire_during_the_checks_pause_the_run_at_once(begin, start_nodes, maria):
    nodes = start_nodes(1)
    run = begin(nodes)
    SealedCredentials.objects.filter(owner=run.pk).update(expires_at=timezone.now() + timedelta(seconds=1.5))
    failpoints.arm(["connect=pause 2"])
    try:
        run_now(run)
    finally:
        failpoints.arm([])

    run.refresh_from_db()
    assert run.why is PauseReason.CREDENTIALS_EXPIRED
    assert kinds(run)[-1] == "paused"
    assert not Attempt.objects.exists()
    engine.give_credentials(run.pk, CREDENTIALS, by=maria)
    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED
    assert accepted_once(nodes)


def test_supervisor_deletes_the_credentials_of_a_run_a_day_after_its_pause(begin, start_nodes, maria):
    run = begin(start_nodes(1))
    engine.choose(run.pk, RunChoice.PAUSE, by=maria)
    run = work(run, until=is_paused_or_ended)
    day = run.paused_at + timedelta(hours=24)
    supervisor = Supervisor(enqueue=lambda _: None, send_canary=lambda: None)

    supervisor.round(day - timedelta(seconds=1))
    kept = SealedCredentials.objects.filter(owner=run.pk).exists()
    supervisor.round(day + timedelta(seconds=60))

    assert kept
    assert not SealedCredentials.objects.exists()
    run.refresh_from_db()
    assert run.status is RunState.PAUSED
    assert RunChoice.CREDENTIALS in offered(run)


def test_credentials_that_the_cluster_refuses_are_replaced(begin, extend, start_nodes, maria):
    member, other = start_nodes(2)
    work(begin([member]), until=has_ended)
    wrong = Credentials(username=CREDENTIALS.username, password=Secret("Wrong-horse-7-battery"))
    run = work(extend(member, [other], credentials=wrong), until=lambda run: is_paused_or_ended(run) or run.fit_since)
    Run.objects.filter(pk=run.pk).update(fit_since=timezone.now() - timing.FIT_WITHIN)
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.CLUSTER_NOT_FIT

    engine.give_credentials(run.pk, CREDENTIALS, by=maria)

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED


@pytest.mark.parametrize("change", ["disabled", "role"])
def test_run_pauses_when_its_starter_may_not_set_up_nodes(begin, three_nodes, maria, jan, change):
    run = work(begin(three_nodes), until=lambda run: Attempt.objects.exists())
    if change == "disabled":
        User.objects.filter(pk=maria.pk).update(is_active=False)
    else:
        maria.groups.clear()
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.NOT_PERMITTED
    assert Attempt.objects.count() == 1

    engine.choose(run.pk, RunChoice.RESUME, by=jan)

    run = work(run, until=is_paused_or_ended)
    assert run.status is RunState.SUCCEEDED
    assert [attempt.requested_by for attempt in attempts_of(run)] == [maria, jan, jan]


def test_unfit_cluster_pauses_the_run_after_two_minutes(begin, three_nodes, maria):
    run = begin(three_nodes)
    three_nodes[0].put_faults(f"overlay=/v1/cluster/check,{json.dumps(UNFIT)}")
    run = work(run, until=lambda run: run.fit_since)
    assert run.status is RunState.RUNNING
    Run.objects.filter(pk=run.pk).update(fit_since=timezone.now() - timing.FIT_WITHIN)

    run = work(run, until=is_paused_or_ended)

    assert run.why is PauseReason.CLUSTER_NOT_FIT
    assert "node 1: services: down" in run.events.last().message
    assert run.steps.count() == 1
    engine.choose(run.pk, RunChoice.RESUME, by=maria, accept={"cluster_check": "Known, mended later."})
    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED


def test_cluster_that_becomes_fit_in_time_is_not_noticed(begin, three_nodes):
    run = begin(three_nodes)
    three_nodes[0].put_faults(f"overlay=/v1/cluster/check,{json.dumps(UNFIT)}")
    run = work(run, until=lambda run: run.fit_since)

    three_nodes[0].put_faults()

    assert work(run, until=is_paused_or_ended).status is RunState.SUCCEEDED
    assert "paused" not in kinds(run)


def test_run_waits_until_the_cluster_is_not_busy(begin, start_nodes):
    first, second = start_nodes(2)
    run = begin([first, second])
    first.put_faults(BUSY)
    run = work(run, until=lambda run: run.fit_since and "cluster_busy" in kinds(run))
    for _ in range(2):
        run_now(run)
    assert not second.accepted()

    first.put_faults()

    run = work(run, until=is_paused_or_ended)
    assert run.status is RunState.SUCCEEDED
    assert kinds(run).count("cluster_busy") == 1
    assert "paused" not in kinds(run)
    assert accepted_once([first, second])


def test_cluster_that_stays_busy_pauses_the_run_after_two_minutes(begin, start_nodes, maria):
    first, second = start_nodes(2)
    run = begin([first, second])
    first.put_faults(BUSY)
    run = work(run, until=lambda run: "cluster_busy" in kinds(run))
    assert run.status is RunState.RUNNING
    Run.objects.filter(pk=run.pk).update(fit_since=timezone.now() - timing.FIT_WITHIN)

    run = work(run, until=is_paused_or_ended)

    assert run.why is PauseReason.CHECK_FAILED
    assert "it runs migrate_shard" in run.why_paused
    assert not second.accepted()
    engine.choose(run.pk, RunChoice.RESUME, by=maria)
    run = work(run, until=lambda run: kinds(run).count("cluster_busy") == 2)
    assert run.status is RunState.RUNNING


def test_check_of_the_cluster_asks_any_member_that_answers(begin, start_nodes):
    first, second = start_nodes(2)
    work(begin([first, second]), until=has_ended)
    members = Members(
        reachable=(Address.parse(first.address), Address.parse(second.address)), fingerprint="of this cluster"
    )
    first.stop()

    found = cluster_check.ask_nodes(members, CREDENTIALS)

    assert [node.uid for node in found] == ["1", "2"]
