"""Codes of the cluster that a node joins; a cause that the review would show begins after it."""

import pytest

from tests.journeys.error_codes.conftest import GIB, OTHER_INSTALLATIONS
from tests.reference_node.conftest import Caller
from tests.wizard.conftest import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


def test_connect_error_through_a_foreign_address_changes_the_members(site, setup, joining):
    member, node = site.cluster(), site.node()
    joining(node, member, members="127.0.0.250", member_address=member.address)

    setup.fail("No connection to the cluster", (f"127.0.0.250:{site.port}", "connection refused", "an answer"))

    setup.press("Change the members")
    setup.succeed(members=member.bind)


def test_repair_required_replaces_the_failed_node(site, setup, joining):
    (member, second), fourth = site.three(node={"identity": {"rack_id": "rack-b"}}), site.node()
    joining(fourth, member)
    site.lose(second, member)

    setup.fail("Replace the failed node first", ("Node 2", "failed, in rack-b", "a replacement"))

    setup.press("Replace node 2", filled_in="2")
    setup.succeed()


def test_insufficient_node_memory_leads_to_a_larger_node(site, setup, joining):
    member, second = site.three("--memory-bytes", str(16 * GIB))
    site.lose(second, member)
    small, large = site.node("--memory-bytes", str(16 * GIB)), site.node("--memory-bytes", str(32 * GIB))
    joining(small, member, uid="2")
    site.change(small, "--memory-bytes", str(8 * GIB))

    setup.fail("Not enough memory", ("Memory", "16 GiB before Start", "16 GiB"))

    setup.press("Choose a node with 16 GiB or more")
    setup.succeed(address=large.address)


def test_insufficient_node_flash_leads_to_a_larger_node(site, setup, joining):
    member, second = site.three("--flash-bytes", str(400 * GIB), node={"bigstore_enabled": True})
    site.lose(second, member)
    small, large = site.node("--flash-bytes", str(400 * GIB)), site.node("--flash-bytes", str(400 * GIB))
    joining(small, member, uid="2", bigstore_enabled=True)
    site.change(small, "--flash-bytes", str(200 * GIB))

    setup.fail("Not enough flash storage", ("Flash storage", "400 GiB before Start", "400 GiB"))

    setup.press("Choose a node with 400 GiB of flash or more")
    setup.succeed(address=large.address, bigstore_enabled=True)


def test_time_not_sync_starts_again_once_the_clock_is_set(site, setup, joining):
    member, node = site.cluster(), site.node()
    joining(node, member)
    site.change(node, "--clock-offset", "3600")

    setup.fail("Clocks are out of sync", ("Clock", "3,600 s ahead", "within 30 s"))

    site.change(node)
    setup.press("Start again")
    setup.succeed()


def test_rack_id_required_joins_in_a_rack(site, setup, joining):
    member = site.cluster(node={"identity": {"rack_id": "rack-a"}})
    node = site.node()
    joining(node, member)
    policy = Caller(member.address).ask("PUT", "/v1/cluster/policy", json={"rack_aware": True}, auth=ADMIN)
    assert policy.ok

    setup.fail("The node needs a rack", ("Rack", "none", "rack-a", "a rack ID"))

    assert setup.buttons == ["Join in a new rack", "Join in rack-a", "Start again"]
    setup.press("Join in rack-a", filled_in="rack-a")
    setup.succeed()


@pytest.mark.parametrize(("option", "explanation"), OTHER_INSTALLATIONS.values(), ids=OTHER_INSTALLATIONS)
def test_a_node_that_is_installed_again_joins(site, setup, joining, option, explanation):
    member, node = site.cluster(), site.node(*option)
    joining(node, member)

    setup.fail(*explanation)

    site.change(node)
    setup.press("Start again")
    setup.succeed()
