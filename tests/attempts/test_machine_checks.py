"""Checks of the machine and of the name, each judged from what was found."""

from dataclasses import replace

import pytest

from setup_wizard.attempts import preflight
from setup_wizard.attempts.preflight import Answering, Level
from setup_wizard.attempts.preflight.judging import applying
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, NodeIdentity, Paths
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.clock_offset import ClockOffset
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db
GIB = 1024**3
NAME = "redis-prod.example.com"


@pytest.fixture
def judge(fresh_node):
    """Judge one check of a create, or of another action, on a node with these facts."""
    seen = probe(Address.parse(fresh_node.address))

    def judge(check, facts=None, *, clock=None, action=Action.CREATE, paths=Paths(), **findings):  # noqa: B008 - frozen
        answer = replace(seen.answer, node=NodeFacts.from_json(facts or {}))
        request = BootstrapRequest(
            action=action,
            cluster=ClusterIdentity(name=NAME),
            node=NodeIdentity(paths=paths),
            recovery_filename="/f.rdb",
        )
        setup = preflight.NodeSetup(address=seen.address, request=request, fingerprint=seen.certificate.fingerprint)
        found = preflight.Findings(node=replace(seen, answer=answer, clock=clock), **findings)
        checks = [each for each in applying(setup) if each.name == check]
        return next((each.result for each in preflight.judge(setup, found, checks)), None)

    return judge


@pytest.mark.parametrize(
    ("name", "facts", "level", "text"),
    [
        ("memory", {"total_memory": 2 * GIB}, "failed", "2 GiB of memory. Even a trial needs 4 GiB."),
        ("memory", {"total_memory": 4.1 * GIB}, "warning", "4.1 GiB of memory. Production needs 8 GiB."),
        ("memory", {"total_memory": 7.7 * GIB}, "passed", "7.7 GiB of memory."),
        ("cores", {"cores": 1}, "warning", "1 core. Production needs 2."),
        ("cores", {"cores": 4}, "passed", "4 cores."),
        ("disk", {"persistent_storage_size": 5 * GIB}, "failed", "Even a trial needs 10 GiB."),
    ],
)
def test_a_machine_is_compared_with_the_documented_sizes(judge, name, facts, level, text):
    result = judge(name, facts)

    assert result.level == level
    assert text in result.message
    assert result.can_override is (level == "failed")
    assert bool(result.figures) is (level != "passed")


@pytest.mark.parametrize("facts", [{}, {"total_memory": 24137, "cores": 0, "persistent_storage_size": 12}])
def test_a_size_without_a_meaning_is_not_judged(judge, facts):
    assert [judge(name, facts) for name in ("memory", "cores", "disk")] == [None, None, None]


@pytest.mark.parametrize(
    ("seconds", "uncertainty", "level"),
    [(0.4, 0.5, "passed"), (2.4, 0.5, "passed"), (2.6, 0.5, "warning"), (-3600, 1, "warning")],
)
def test_clocks_may_differ_by_two_seconds_and_the_round_trip(judge, seconds, uncertainty, level):
    result = judge("clocks", clock=ClockOffset(seconds, uncertainty))

    assert result.level == level


def test_two_paths_must_differ(judge):
    same = Paths(persistent_path="/data", ephemeral_path="/data/")

    assert judge("paths", paths=same).level is Level.FAILED
    assert judge("paths", paths=Paths(persistent_path="/data", ephemeral_path="/tmp/data")) is None


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Answering(), "passed"),
        (Answering(nodes=("10.0.0.5:9443",)), "passed"),
        (Answering(members=("10.0.0.5:9443",)), "failed"),
        (Answering(others=("10.0.0.5:9443",)), "failed"),
    ],
)
def test_a_name_under_which_somebody_answers_has_to_be_accepted(judge, found, level):
    result = judge("name_taken", name=found)

    assert (result.level, result.can_override) == (level, level == "failed")


def test_a_recovery_beside_a_live_member_is_blocked(judge):
    alive = Answering(asked=("10.0.0.6:9443",), members=("10.0.0.6:9443",))

    result = judge("old_cluster", action=Action.RECOVER, name=Answering(), old_node=alive)

    assert result.blocks
    assert "10.0.0.6:9443" in result.message
    assert judge("old_cluster", action=Action.RECOVER, name=Answering(), old_node=Answering()).level is Level.WARNING


def test_a_recovery_needs_the_version_and_the_memory_of_the_lost_nodes(judge, maria):
    old = NodeFacts(software_version="7.22.0-216", total_memory=16 * GIB)
    add_attempt(maria, cluster=NAME, facts=old.as_json())

    result = judge("old_machine", {"software_version": "8.0.2-17", "total_memory": 8 * GIB}, action=Action.RECOVER)

    assert (result.level, result.can_override) == (Level.FAILED, True)
    assert "7.22.0-216" in result.message
    assert "16 GiB" in result.message
    same = {"software_version": "7.22.0-216", "total_memory": 16 * GIB}
    assert judge("old_machine", same, action=Action.RECOVER) is None


def test_a_recovery_needs_the_paths_of_the_lost_nodes(judge, maria):
    asked = {"node": {"paths": {"persistent_path": "/data/persist/"}}}
    usual = NodeFacts(persistent_storage_path="/var/opt/redislabs/persist", ephemeral_storage_path="/data/tmp")
    add_attempt(maria, cluster=NAME, facts=usual.as_json(), request=asked)
    here = {"persistent_storage_path": "/srv/persist", "ephemeral_storage_path": "/data/tmp"}

    result = judge("old_paths", here, action=Action.RECOVER)

    assert result.level is Level.WARNING
    assert [(each.label, each.here, each.needed) for each in result.figures] == [
        ("Persistent storage", "/srv/persist", "/data/persist")
    ]
    [remedy] = result.remedies
    assert remedy.values == {"node.paths.persistent_path": "/data/persist"}
    assert judge("old_paths", here, action=Action.RECOVER, paths=Paths(persistent_path="/data/persist")) is None


def test_a_recovery_asks_for_what_no_node_reports(judge, maria):
    for number in (5, 6, 7):
        add_attempt(maria, f"10.0.0.{number}:9443", cluster=NAME)

    result = judge("old_nodes", action=Action.RECOVER)

    assert result.level is Level.WARNING
    assert "3 were set up from here" in result.message
    assert "`redislabs`" in result.message
    assert judge("old_nodes") is None


def test_a_removed_node_has_to_be_installed_again(judge, maria, fresh_node):
    shown = probe(Address.parse(fresh_node.address)).certificate.fingerprint
    assert judge("was_member") is None
    add_attempt(maria, fresh_node.address, new_fingerprint=shown, cluster=NAME)

    result = judge("was_member")

    assert (result.level, result.can_override) == (Level.FAILED, True)
    assert "rl_uninstall.sh" in result.message
