"""Fresh reference nodes, a plan for them, and a worker that does what is due."""

import time
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import stored_runs
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters import checking, engine, looks, plans
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.engine import choices_of
from setup_wizard.clusters.models import NodeLook, Plan, Run
from setup_wizard.clusters.progress import RunProgress
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
def jan(db):
    return assign(User.objects.create_user("jan"), Role.OPERATOR)


@pytest.fixture
def pages(client, maria):
    """A browser in which maria has signed in."""
    client.force_login(maria)
    return client


@pytest.fixture
def plan(pages, three_nodes):
    """A plan with three nodes that have answered."""
    pages.post(reverse("clusters:new"), {"addresses": "\n".join(node.address for node in three_nodes)})
    answer_all()
    return Plan.objects.get()


@pytest.fixture
def start_nodes(tmp_path):
    """Start freshly installed nodes, whose faults can be changed."""
    with ExitStack() as running:

        def start(count, *, options=(), **more):
            options = ("--control", "127.0.0.1:0", *options)
            return [
                running.enter_context(start_node(tmp_path / f"node-{uuid4()}", options=options, **more))
                for _ in range(count)
            ]

        yield start


@pytest.fixture
def three_nodes(start_nodes):
    return start_nodes(3)


@pytest.fixture
def begin(maria):
    """Begin a run that creates a cluster of these nodes; their certificates are approved.

    `own` has values of single nodes by their position, `accept` checks of every node with the reason.
    """

    def begin(nodes, *, own=None, accept=None, credentials=CREDENTIALS, old_machines_off=False, **document):
        planned = []
        for position, node in enumerate(nodes):
            seen = approve(node, maria)
            values = {"address": node.address, "fingerprint": seen.certificate.fingerprint, "addr": seen.endpoint.ip}
            planned.append(values | (own or {}).get(position, {}))
        wanted = {"cluster": {"name": "redis-prod.example.com"}, "accept_new_certificate": True, "nodes": planned}
        plan = plans.add(read_document(wanted | document), by=maria)
        plans.store_credentials(plan, credentials, by=maria)
        reasons = [{"name": name, "reason": reason} for name, reason in (accept or {}).items()]
        return engine.begin_run(
            plan,
            version=plan.version,
            secret_id=plan.pk,
            by=maria,
            overrides={node.address: reasons for node in nodes},
            old_machines_off=old_machines_off,
        )

    return begin


@pytest.fixture
def extend(begin, maria):
    """Begin a run that adds nodes to the cluster of a member."""

    def extend(member, nodes, **more):
        seen = approve(member, maria)
        through = {
            "members": [seen.endpoint.ip],
            "member_fingerprint": seen.certificate.fingerprint,
            "cnm_https_port": seen.endpoint.port,
        }
        return begin(nodes, cluster={}, **through, **more)

    return extend


def answer_all():
    for batch in NodeLook.objects.filter(answered_at=None).values_list("batch", flat=True).distinct():
        looks.answer(batch)


def post(pages, plan, **fields):
    plan.refresh_from_db()
    return pages.post(reverse("clusters:nodes", args=[plan.pk]), {"version": plan.version, **fields}, follow=True)


def approve(node, by):
    seen = probe(Address.parse(node.address))
    trust.approve(seen.endpoint, seen.certificate, by=by)
    return seen


def work(run, *, until, seconds=60):
    """Do what supervisor and worker do, until `until(run)`; return the run."""
    deadline = time.monotonic() + seconds
    while True:
        run.refresh_from_db()
        if until(run):
            return run
        assert time.monotonic() < deadline, f"{run.state} {run.reason}: {[event.message for event in run.events.all()]}"
        for attempt in schedule.due(timezone.now()):
            tick(attempt)
        run_now(run)
        time.sleep(0.02)


def is_paused_or_ended(run):
    return run.status is not RunState.RUNNING


def has_ended(run):
    return run.status.is_final


def offered(run):
    return choices_of(RunProgress(Run.objects.get(pk=run.pk)))


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


def kinds(run):
    """The kinds of a run's events, in order."""
    return list(run.events.values_list("kind", flat=True))


def accepted_once(nodes):
    """Whether each node accepted exactly one bootstrap, by its journal."""
    return [len(node.accepted()) for node in nodes] == [1] * len(nodes)
