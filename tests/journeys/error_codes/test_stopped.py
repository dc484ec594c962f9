"""Setups that would do harm, each stopped at Review: nothing is sent, and what stops it can be put right."""

import re

import pytest
from playwright.sync_api import expect

from tests.attempts.real_clusters import overlay
from tests.reference_node.conftest import Caller
from tests.wizard.conftest import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
NAME = "redis-prod.example.com"


@pytest.fixture
def refuses_start(setup):
    """Press Start with every tick; the page stays, and the node is still idle."""

    def refuse(node):
        page = setup.page
        for box in page.locator('input[name^="accept:"], #accept_permanent').all():
            box.check()
        for reason in page.locator('input[name^="reason:"]').all():
            reason.fill("to see it stopped")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("heading", name="Not started")).to_be_visible()
        expect(page).to_have_url(re.compile("/review/$"))
        assert Caller(node.address).get().json()["bootstrap_status"]["state"] == "idle"

    return refuse


def test_replacement_of_a_node_that_is_alive_is_stopped(checking_site, setup, joining, refuses_start):
    member, _ = checking_site.three()
    node = checking_site.node()
    joining(node, member, uid="2")

    setup.find("Only a node that is down can be replaced.")
    refuses_start(node)

    setup.fix("Join as a new node")
    setup.succeed_at_once()


def test_join_to_a_busy_cluster_is_stopped_until_it_is_idle(checking_site, setup, joining, refuses_start):
    member, node = checking_site.cluster(NAME, "--control", "0"), checking_site.node()
    member.put_faults(overlay("/v1/actions", {"actions": [{"name": "migrate_shard", "status": "running"}]}))
    joining(node, member)

    setup.find(f"{NAME} is busy: it runs migrate_shard.")
    refuses_start(node)

    member.put_faults()
    setup.check_again()
    setup.succeed_at_once()


def test_recovery_beside_a_live_member_is_stopped(checking_site, setup, creating, refuses_start):
    member, node = checking_site.node(), checking_site.node()
    creating(member, name=NAME)
    setup.succeed_at_once()
    file = member.directory / "persist" / "ccs" / "ccs-redis.rdb"

    setup.fill(node, "recover_cluster", recovery_filename=str(file), name=NAME, username=ADMIN[0])

    setup.find(f"{member.address} is still a member of a cluster under the name or an address of {NAME}.")
    refuses_start(node)

    member.kill()
    setup.check_again()
    setup.succeed_at_once()
