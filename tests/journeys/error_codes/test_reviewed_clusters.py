"""Codes of the cluster that a node joins, found by the checks of the review and fixed before Start."""

import pytest

from tests.journeys.error_codes.conftest import GIB, OTHER_INSTALLATIONS
from tests.reference_node.conftest import Caller
from tests.wizard.conftest import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

RACK_AWARE = {"policy": {"rack_aware": True}}


def in_rack(rack):
    return {"node": {"identity": {"rack_id": rack}}}


def test_review_finds_a_member_without_an_answer(checking_site, setup, joining):
    member, node = checking_site.cluster(), checking_site.node()
    joining(node, member, members="127.0.0.250", member_address=member.address)

    setup.find("No connection to the cluster", (f"127.0.0.250:{checking_site.port}", "connection refused", "an answer"))

    setup.fix(f"Use {member.bind}", filled_in=member.bind, check="Addresses that the cluster lists")
    setup.succeed_at_once()


def test_review_finds_a_failed_node_and_replaces_it(checking_site, setup, joining):
    (member, second), fourth = checking_site.three(**in_rack("rack-b")), checking_site.node()
    checking_site.lose(second, member)
    joining(fourth, member)

    setup.find("redis-prod.example.com is degraded: node 2", ("Nodes up", "2 of 3"))

    setup.fix("Replace node 2", filled_in="2", check="Failed nodes")
    setup.succeed_at_once()


def test_review_finds_a_node_with_less_memory_than_the_replaced_one(checking_site, setup, joining):
    member, second = checking_site.three("--memory-bytes", str(16 * GIB))
    checking_site.lose(second, member)
    small, large = (checking_site.node("--memory-bytes", str(size * GIB)) for size in (8, 32))
    joining(small, member, uid="2")

    setup.find("This node has 8 GiB of memory, and node 2 had 16 GiB.", ("Memory", "8 GiB", "16 GiB"))

    setup.fix("Choose a node with 16 GiB or more")
    setup.succeed_at_once(address=large.address)


def test_review_finds_a_node_with_less_flash_than_the_replaced_one(checking_site, setup, joining):
    member, second = checking_site.three("--flash-bytes", str(400 * GIB), node={"bigstore_enabled": True})
    checking_site.lose(second, member)
    small, large = (checking_site.node("--flash-bytes", str(size * GIB)) for size in (200, 400))
    joining(small, member, uid="2", bigstore_enabled=True)

    setup.find("This node has 200 GiB of flash storage", ("Flash storage", "200 GiB", "400 GiB"))

    setup.fix("Choose a node with 400 GiB or more")
    setup.succeed_at_once(address=large.address, bigstore_enabled=True)


def test_review_finds_a_wrong_clock(checking_site, setup, joining):
    member, node = checking_site.cluster(), checking_site.node("--clock-offset", "3600")
    joining(node, member)

    setup.find("Clocks are out of sync", ("Clock", "3,600 s ahead", "within 30 s"))

    checking_site.change(node)
    setup.check_again()
    setup.succeed_at_once()


def test_review_finds_a_missing_rack_and_joins_in_a_used_one(checking_site, setup, joining):
    member = checking_site.cluster(**RACK_AWARE, **in_rack("rack-a"))
    joining(checking_site.node(), member)

    setup.find("is rack-aware, so this node needs a rack", ("Rack", "none", "rack-a", "a rack ID"))

    assert setup.fixes("is rack-aware, so this node needs a rack") == ["Join in a new rack", "Join in rack-a"]
    setup.fix("Join in rack-a", filled_in="rack-a", check="Rack")
    setup.succeed_at_once()


def test_a_failed_node_is_replaced_in_another_rack(checking_site, setup, joining):
    member = checking_site.cluster(**RACK_AWARE, **in_rack("rack-a"))
    second = checking_site.join(member, **in_rack("rack-b"))
    checking_site.join(member, **in_rack("rack-c"))
    checking_site.lose(second, member)
    joining(checking_site.node(), member, uid="2", rack_id="rack-d")

    setup.find(
        "Node 2 was in rack-b, and its replacement belongs there too.",
        ("Rack", "rack-d", "rack-a and rack-c", "rack-b"),
    )

    setup.fix("Override with rack-d", filled_in="yes", check="Rack")
    setup.succeed_at_once()
    nodes = Caller(member.address).get("/v1/nodes", auth=ADMIN).json()
    assert {(node["uid"], node["status"], node["rack_id"]) for node in nodes} == {
        (1, "active", "rack-a"),
        (2, "active", "rack-d"),
        (3, "active", "rack-c"),
    }


@pytest.mark.parametrize(("option", "found"), OTHER_INSTALLATIONS.values(), ids=OTHER_INSTALLATIONS)
def test_review_finds_an_installation_that_differs(checking_site, setup, joining, option, found):
    member, node = checking_site.cluster(), checking_site.node(*option)
    joining(node, member)

    setup.find(*found)

    checking_site.change(node)
    setup.check_again()
    setup.succeed_at_once()
