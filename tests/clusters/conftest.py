"""Fresh reference nodes, a plan for them, and a worker that does what is due."""

import time
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import stored_runs
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters import checking, engine, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import Run
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from setup_wizard.worker import schedule
from tests.reference_node.running import start_node

PASSWORD = "Correct-horse-7-battery"
CREDENTIALS = Credentials(username="admin@example.com", password=Secret(PASSWORD))


@pytest.fixture(autouse=True)
def _checks_in_turn(monkeypatch):
    """Checks run one after the other in this thread: SQLite's database of the tests is in memory."""
    monkeypatch.setattr(stored_runs, "in_background", lambda work: work())
    monkeypatch.setattr(checking, "side_by_side", lambda work, positions: [work(each) for each in positions])


@pytest.fixture
def maria(db):
    return assign(User.objects.create_user("maria"), Role.OPERATOR)


@pytest.fixture
def start_nodes(tmp_path):
    """Start freshly installed nodes."""
    with ExitStack() as running:
        yield lambda count, **options: [
            running.enter_context(start_node(tmp_path / f"node-{uuid4()}", **options)) for _ in range(count)
        ]


@pytest.fixture
def three_nodes(start_nodes):
    return start_nodes(3)


@pytest.fixture
def begin(maria):
    """Begin a run that creates a cluster of these nodes; their certificates are approved."""

    def begin(nodes, **document):
        planned = []
        for node in nodes:
            seen = probe(Address.parse(node.address))
            trust.approve(seen.endpoint, seen.certificate, by=maria)
            planned.append(
                {"address": node.address, "fingerprint": seen.certificate.fingerprint, "addr": seen.endpoint.ip}
            )
        wanted = {"cluster": {"name": "redis-prod.example.com"}, "accept_new_certificate": True, "nodes": planned}
        plan = plans.add(read_document(wanted | document), by=maria)
        plans.store_credentials(plan, CREDENTIALS, by=maria)
        return engine.begin_run(plan, version=plan.version, secret_id=plan.pk, by=maria)

    return begin


def work(run, *, until, seconds=60):
    """Do what supervisor and worker do, until `until(run)`; return the run."""
    ends = time.monotonic() + seconds
    while True:
        run.refresh_from_db()
        if until(run):
            return run
        assert time.monotonic() < ends, f"{run.state} {run.reason}: {[event.message for event in run.events.all()]}"
        for attempt in schedule.due(timezone.now()):
            tick(attempt)
        run_now(run)
        time.sleep(0.02)


def run_now(run):
    """Let a worker look at the run now."""
    Run.objects.filter(pk=run.pk).update(next_at=timezone.now() - timedelta(seconds=1))
    engine.advance(run.pk)


def tick(attempt):
    if lease := attempts_engine.claim(attempt):
        attempts_engine.record(lease, attempts_engine.exchange(lease))


def attempts_of(run):
    """The attempts of a run, in the order of their steps."""
    return [Attempt.objects.filter(pk=step.attempt_id).first() for step in run.steps.all()]


def has_credentials(owner):
    return vault.expires_at(owner.pk) is not None
