"""A node replaces only a node that is gone for good, and only when it is large enough."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.preflight import Answering, Level, Unknown
from tests.attempts.join_findings import CLUSTER, GIB, a_node, a_reading, a_setup, findings, judge

DOWN = a_node(2, status="down")
UID = "node.identity.uid"


def replacing(name, *nodes, uid=2, **changes):
    reading = a_reading(*(nodes or (a_node(1), DOWN, a_node(3))))
    return judge(name, a_setup(uid=uid), findings(reading, **changes))


@pytest.mark.parametrize("status", ["active", "provisioning", "decommissioning", "hibernating"])
def test_node_that_is_not_down_cannot_be_replaced(status):
    named = a_node(2, status=status, rack_id="Rack-B")

    found = replacing("replaced_node", a_node(1), named, a_node(3, status="down"))

    assert (found.level, found.can_override, found.part) == (Level.FAILED, False, UID)
    assert f"Node 2 (10.0.0.6, Rack-B) of {CLUSTER} is {status}." in found.message
    assert [remedy.label for remedy in found.remedies] == ["Replace node 3", "Join as a new node"]
    assert found.remedies[0].values == {UID: 3, "node.identity.rack_id": "rack-c"}


def test_number_that_the_cluster_does_not_have_is_questioned():
    found = replacing("replaced_node", uid=7)

    assert (found.level, found.can_override) == (Level.FAILED, True)
    assert "has no node 7, only 1, 2 and 3" in found.message


def test_node_that_was_down_once_is_checked_again_after_a_minute():
    found = replacing("replaced_node")

    assert (found.level, found.needs_consent, found.confirmation) == (Level.NOT_CHECKED, True, "")
    again = timezone.now() + timedelta(seconds=60)
    assert f"check again after {again:%H:%M}"[:-1] in found.message
    assert "first found down" in found.message
    assert found.data["uid"] == "2"


@pytest.mark.parametrize(("ago", "level"), [(59, Level.NOT_CHECKED), (61, Level.WARNING), (3600, Level.WARNING)])
def test_node_is_replaced_that_was_down_twice_a_minute_apart(ago, level):
    first = replacing("replaced_node").data | {"down_since": (timezone.now() - timedelta(seconds=ago)).isoformat()}

    found = replacing("replaced_node", earlier={"replaced_node": first})

    assert found.level is level
    assert ("or earlier. 10.0.0.9:9443 takes its place" in found.message) is (level is Level.WARNING)
    assert found.confirmation == ("The old machine is off and will be reinstalled" if level is Level.WARNING else "")
    assert found.data == first


@pytest.mark.parametrize(
    "change", [{"uid": "3"}, {"cluster": "redis-test.example.com"}, {"down_since": "a while ago"}, {"down_since": None}]
)
def test_earlier_result_about_something_else_does_not_count(change):
    ago = (timezone.now() - timedelta(hours=1)).isoformat()
    earlier = {"replaced_node": {"uid": "2", "cluster": CLUSTER, "down_since": ago} | change}

    assert replacing("replaced_node", earlier=earlier).level is Level.NOT_CHECKED


def test_run_without_an_answer_does_not_forget_when_a_node_was_down():
    first = replacing("replaced_node").data

    silent = judge("replaced_node", a_setup(uid=2), findings(Unknown("No answer."), earlier={"replaced_node": first}))

    assert (silent.level, silent.data) == (Level.NOT_CHECKED, first)


def test_node_that_came_back_in_between_is_not_remembered():
    active = replacing("replaced_node", a_node(1), a_node(2), a_node(3))

    assert active.data == {}


@pytest.mark.parametrize(
    ("statuses", "level", "shown"),
    [
        (["active", "down", "active"], Level.PASSED, "2 of 3"),
        (["active", "down", "down"], Level.FAILED, "1 of 3"),
        (["active", "down", "active", "down"], Level.FAILED, "2 of 4"),
        (["active", "down"], Level.FAILED, "1 of 2"),
    ],
)
def test_replacement_needs_a_majority_of_the_nodes(statuses, level, shown):
    found = replacing("quorum", *(a_node(uid, status=status) for uid, status in enumerate(statuses, 1)))

    # a cluster that was just recovered has one node, and replaces the others
    assert (found.level, found.can_override) == (level, level is Level.FAILED)
    assert found.figures[0].cluster == shown


OLD = "10.0.0.6:9443"


@pytest.mark.parametrize(
    ("answering", "level", "can_override", "words"),
    [
        (Answering(asked=(OLD,)), Level.PASSED, False, f"Nothing answers at {OLD}"),
        (Answering(asked=(OLD,), members=(OLD,)), Level.FAILED, False, "Switch the old machine off"),
        (Answering(asked=(OLD,), others=(OLD,)), Level.FAILED, True, "Something answers"),
        (Answering(asked=(OLD,), nodes=(OLD,)), Level.PASSED, False, "was reinstalled"),
        (Unknown("10.0.0.6 is not allowed."), Level.NOT_CHECKED, False, "not allowed"),
    ],
)
def test_old_address_must_not_answer(answering, level, can_override, words):
    found = replacing("old_address", old_node=answering)

    assert (found.level, found.can_override) == (level, can_override)
    assert words in found.message


@pytest.mark.parametrize("addr", ["10.0.0.9", "10.0.0.7"], ids=["this node", "another member"])
def test_old_address_of_another_machine_says_nothing(addr):
    moved = a_node(2, status="down", addr=addr, addresses=(addr,))
    answering = Answering(asked=(f"{addr}:9443",), members=(f"{addr}:9443",))

    assert replacing("old_address", a_node(1), moved, a_node(3), old_node=answering) is None


@pytest.mark.parametrize(
    ("here", "level"), [(32 * GIB, Level.PASSED), (16 * GIB, Level.PASSED), (16 * GIB - 1, Level.FAILED)]
)
def test_replacement_has_as_much_memory_as_the_old_node(here, level):
    found = replacing("replaced_memory", memory=here)

    assert (found.level, found.can_override) == (level, False)
    assert found.figures[0].needed == "16 GiB"


def test_unknown_memory_is_not_compared():
    assert replacing("replaced_memory", memory=None).level is Level.NOT_CHECKED
    assert replacing("replaced_memory", memory=16).level is Level.NOT_CHECKED  # in another unit


@pytest.mark.parametrize(
    ("enabled", "here", "level"),
    [
        (False, None, None),
        (True, 500 * GIB, Level.PASSED),
        (True, 400 * GIB, Level.FAILED),
        (True, None, Level.NOT_CHECKED),
    ],
)
def test_replacement_has_as_much_flash_as_the_old_node(enabled, here, level):
    old = a_node(2, status="down", flash_enabled=enabled, flash_size=500 * GIB)

    found = replacing("replaced_flash", a_node(1), old, a_node(3), flash=here)

    assert (found and found.level) == level
    if level is Level.FAILED:
        assert [remedy.part for remedy in found.remedies] == ["node.paths.bigstore_path", "address"]


@pytest.mark.parametrize("name", ["old_address", "replaced_memory", "replaced_flash"])
def test_nothing_is_compared_with_nodes_that_the_cluster_did_not_list(name):
    found = judge(name, a_setup(uid=2), findings(a_reading(nodes=None), old_node=Answering()))

    assert found.level is Level.NOT_CHECKED


def test_new_node_has_no_checks_of_a_replacement():
    names = ("replaced_node", "quorum", "old_address", "replaced_memory", "replaced_flash")

    assert [judge(name, a_setup(), findings(a_reading())) for name in names] == [None] * 5
