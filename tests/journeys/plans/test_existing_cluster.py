"""Plans for a cluster that exists: more nodes, a node for a failed one, and a whole cluster from its file."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD
from tests.journeys.plans.conftest import members
from tests.project.processes import wait_until
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

CLUSTER = "redis-eu.example.com"


def create(operator, nodes, name):
    operator.plan(nodes, name=name)
    operator.start()
    operator.expect_headline(
        f"{len(nodes)} of {len(nodes)} nodes are active" if len(nodes) > 1 else "The node is active"
    )


def open_cluster(operator, name):
    operator.open("/")
    operator.click(operator.page.get_by_role("link", name=name, exact=True).first)
    expect(operator.page.get_by_role("heading", name=name)).to_be_visible()


def test_cluster_is_extended_from_its_page(operator, start_nodes):
    nodes = start_nodes(4, first=60, pace=0.1)
    page = operator.page
    create(operator, nodes[:1], CLUSTER)
    open_cluster(operator, CLUSTER)
    check_for_everybody(page)
    operator.press("^Add nodes$")
    page.get_by_label(re.compile("ddresses")).fill(" ".join(node.address for node in nodes[1:3]))
    operator.press("^Check nodes$")
    operator.wait_for_answers()
    operator.compare(nodes[1:3])
    expect(page.get_by_label("User name", exact=True)).to_have_value("admin@example.com")

    page.get_by_label("Password", exact=True).fill("Mistyped-horse-8")
    operator.review()
    expect(page.locator("#checks")).to_contain_text(re.compile("credentials|password"))
    page.get_by_label("I have read this").check()
    operator.press("^Start$")
    expect(page.get_by_text("Not started")).to_be_visible()
    assert [len(node.accepted()) for node in nodes] == [1, 0, 0, 0]

    operator.click(page.get_by_role("link", name="Back"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    operator.review()
    check_for_everybody(page)
    operator.start()
    operator.expect_headline("2 of 2 nodes are active")
    assert sorted(each["status"] for each in members(nodes[0]).values()) == ["active"] * 3


def test_failed_node_is_replaced_from_the_page_of_the_cluster(operator, start_nodes):
    nodes = start_nodes(4, first=70, pace=0.1)
    page, name = operator.page, "redis-us.example.com"
    create(operator, nodes[:3], name)
    nodes[2].kill()
    wait_until(lambda: members(nodes[0])[3]["status"] == "down", seconds=30)
    open_cluster(operator, name)
    page.locator("summary", has_text="Check now").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("#check input[type=checkbox]").check()
    operator.press("^Check now$")
    expect(page.get_by_text("down", exact=True)).to_be_visible()
    check_for_everybody(page)
    operator.press("^Replace node 3$")
    page.get_by_label("Node address").fill(nodes[3].address)
    page.keyboard.press("Tab")
    operator.approve()
    operator.next("node")
    expect(page.get_by_label("ID of the failed node")).to_have_value("3")


def test_lost_cluster_of_three_is_recovered_by_one_run(operator, start_nodes):
    nodes = start_nodes(6, first=80, pace=0.1)
    lost, fresh = nodes[:3], nodes[3:]
    page, name = operator.page, "redis-lost.example.com"
    create(operator, lost, name)
    file = next(lost[0].directory.rglob("ccs-redis.rdb"))
    wait_until(lambda: len(json.loads(file.read_text())["members"]) == len(lost))
    for node in lost:
        node.kill()
    operator.list_nodes(*(node.address for node in fresh))
    operator.compare(fresh)
    operator.describe(name=name)
    page.locator("summary", has_text="Recovery of a lost cluster").click()
    page.get_by_label("Recovery file").fill(str(file))
    operator.press("^Next")
    expect(page.get_by_text("the ID of the lost node")).to_be_visible()
    ids = [page.get_by_label(f"ID of the lost node that {node.address} replaces") for node in fresh[1:]]
    assert [field.input_value() for field in ids] == ["2", "3"]
    check_for_everybody(page)
    operator.review()
    for tick in page.locator("#checks input[type=checkbox]").all():
        tick.check()
    for typed in page.locator("#checks input[name^='reason:']").all():
        typed.fill("The cluster is lost")
    page.get_by_label("The machines of the old cluster are off, and will be reinstalled").check()
    check_for_everybody(page)
    operator.start()

    operator.expect_headline("3 of 3 nodes are active", seconds=90)

    expect(page.get_by_text("rladmin recover all")).to_be_visible()
    assert [each["status"] for each in members(fresh[0]).values()] == ["active"] * 3
    check_for_everybody(page)
