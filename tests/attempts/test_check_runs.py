"""One run of the checks: its sources, its sign-in and its budget of time."""

import os
import signal
import time
from functools import partial

import pytest

from setup_wizard.attempts.models import SentSignIn
from setup_wizard.attempts.preflight import CheckRun, Level, NodeSetup, gathering, running, sources
from setup_wizard.attempts.preflight.check import Source
from setup_wizard.attempts.preflight.running import BUDGET
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Credentials, Identity, NodeIdentity
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.conftest import PASSWORD, follow
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db
WRONG = ":".join(["AB"] * 32)


@pytest.fixture
def member(start, tmp_path):
    """The only node of redis-prod.example.com, without a record of the sign-ins that brought it there."""
    with start_node(tmp_path / "member", bind="127.0.0.2", pace=0.02) as node:
        follow(start(node))
        SentSignIn.objects.all().delete()
        yield node


@pytest.fixture
def join(maria, fresh_node, member):
    """Set up a join whose certificates are approved."""

    def setup(password=PASSWORD, **changes):
        node, other = (probe(Address.parse(each.address)) for each in (fresh_node, member))
        for seen in (node, other):
            trust.approve(seen.endpoint, seen.certificate, by=maria)
        request = BootstrapRequest(
            action=Action.JOIN,
            cluster=ClusterIdentity(nodes=(other.endpoint.ip,)),
            node=NodeIdentity(identity=Identity(addr=node.endpoint.ip)),
            cnm_https_port=other.endpoint.port,
        )
        given = {
            "address": node.address,
            "request": request,
            "fingerprint": node.certificate.fingerprint,
            "members": (other.address,),
            "member_fingerprint": other.certificate.fingerprint,
            "credentials": Credentials(username="admin@example.com", password=Secret(password)),
        }
        return NodeSetup(**given | changes)

    return setup


def run(setup, by):
    checking = CheckRun(setup, by)
    outcomes = checking.run()
    checking.finish()
    return {each.name: each.result for each in outcomes}


def test_a_join_signs_in_once_and_once_more_through_its_node(join, maria):
    results = run(join(), maria)

    assert {results[name].level for name in ("sign_in", "administrator", "validation")} == {Level.PASSED}
    assert [row.outcome for row in SentSignIn.objects.all()].count("accepted") >= 1
    assert not SentSignIn.objects.exclude(outcome="accepted").exists()


def test_a_refused_sign_in_is_sent_once_and_the_node_is_not_asked(join, maria):
    results = run(join(password="Wrong-horse-8"), maria)

    assert results["sign_in"].level is Level.FAILED
    assert results["validation"].level is Level.NOT_CHECKED
    assert [row.outcome for row in SentSignIn.objects.all()] == ["refused"]


def test_no_password_is_sent_to_a_member_that_is_not_approved(join, maria):
    results = run(join(member_fingerprint=WRONG), maria)

    assert results["member_certificate"].level is Level.FAILED
    assert results["validation"].level is Level.NOT_CHECKED
    assert not SentSignIn.objects.exists()


def test_checks_change_nothing_on_the_node(join, maria, fresh_node):
    run(join(), maria)

    assert fresh_node.accepted() == []
    assert probe(Address.parse(fresh_node.address)).answer.status.word == "idle"


def test_all_checks_end_within_their_budget_when_every_node_hangs(join, maria, fresh_node, member):
    setup = join()
    for node in (fresh_node, member):
        os.kill(node.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        results = run(setup, maria)
        took = time.monotonic() - started
    finally:
        for node in (fresh_node, member):
            os.kill(node.pid, signal.SIGCONT)

    assert took < 3 * BUDGET  # benchmarks/preflight.py measures it
    assert results["reachable"].level is Level.FAILED
    assert results["memory"].level is Level.NOT_CHECKED
    assert results["sign_in"].level is Level.NOT_CHECKED


def test_nodes_are_not_blamed_when_the_time_was_over_before_they_were_asked(join, maria, monkeypatch):
    setup = join()
    monkeypatch.setattr(running, "BUDGET", 0.0)
    monkeypatch.setattr(gathering, "GRACE", 5.0)

    results = run(setup, maria)

    assert results["reachable"].message.startswith(f"{setup.address} was not asked: the time was used up")
    assert results["sign_in"].message.startswith(f"{setup.members[0]} was not asked: the time was used up")
    assert not any("Cannot connect" in each.message or "resolved" in each.message for each in results.values())


def test_source_that_waits_for_a_hanging_one_is_not_said_to_hang(join, maria, monkeypatch):
    def hang(_inquiry):
        yield partial(time.sleep, 2)

    setup = join()
    monkeypatch.setitem(sources.ASK, Source.CLUSTER, hang)
    monkeypatch.setattr(running, "BUDGET", 2.0)

    results = run(setup, maria)

    assert results["sign_in"].message == "There was no answer in time."
    assert results["validation"].message == "The time was used up by other checks. Check again."
