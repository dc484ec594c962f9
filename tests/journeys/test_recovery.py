"""A cluster of three is lost as a whole, and comes back: a fresh node recovers it, another takes a lost one's place."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD
from tests.project.processes import wait_until
from tests.reading import check_for_everybody
from tests.reference_node.conftest import Caller
from tests.reference_node.running import start_node
from tests.wizard.conftest import ADMIN, bootstrap, wait_until_member

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def nodes(demo, tmp_path):
    """Start nodes beside those of the demo, on the port that it allows; all of them end with the test."""
    started = []

    def start(number):
        address = f"127.0.0.{10 + number}"
        started.append(start_node(tmp_path / f"node-{number}", bind=address, port=demo.node_port, pace=0.1))
        return started[-1]

    yield start
    for node in started:
        node.kill()


@pytest.fixture
def lost(nodes, tmp_path):
    """The file of redis-prod.example.com, whose three nodes are gone."""
    first, *others = [nodes(number) for number in (1, 2, 3)]
    bootstrap(first, "create_cluster", {"cluster": {"name": "redis-prod.example.com"}, "node": layout(first)})
    wait_until_member(first)
    for node in others:
        cluster = {"nodes": [first.bind]}
        bootstrap(node, "join_cluster", {"cluster": cluster, "cnm_https_port": first.port, "node": layout(node)})
        wait_until_member(node)
    file = first.directory / "persist" / "ccs" / "ccs-redis.rdb"
    # the first hears of the last one a moment after that one has completed
    wait_until(lambda: len(json.loads(file.read_text())["members"]) == len([first, *others]))
    for node in (first, *others):
        node.kill()
    return file


def layout(node):
    folders = {name: str(node.directory / name) for name in ("persist", "tmp")}
    paths = {"persistent_path": folders["persist"], "ephemeral_path": folders["tmp"]}
    return {"paths": paths, "identity": {"addr": node.bind}}


def test_a_lost_cluster_is_recovered_and_a_lost_node_is_replaced(operator, demo, lost, nodes, complaints):
    fourth, fifth = nodes(4), nodes(5)
    operator.page.goto(demo.link)
    operator.open()

    recover(operator, fourth, lost)
    replace(operator, fifth)

    listed = {node["uid"]: node["status"] for node in Caller(fifth.address).get("/v1/nodes", auth=ADMIN).json()}
    assert sorted(listed.values()) == ["active", "active", "down"]
    assert complaints == []


def recover(operator, node, file):
    """Every page says what it needs, and the last one what is left to do."""
    page = operator.page
    page.get_by_label("Node address", exact=True).fill(node.address)
    page.get_by_label("Node address", exact=True).press("Enter")  # a card's button may have the same words
    expect(page).to_have_url(re.compile("/setup/new/"))
    tick_while_the_node_is_asked_again(operator)
    check_for_everybody(page)
    operator.next("node")
    check_for_everybody(page)
    operator.next("cluster")
    page.get_by_label("Recovery file").fill(str(file))
    page.get_by_label("Name of the lost cluster").fill("redis-prod.example.com")
    page.get_by_label("User name", exact=True).fill("admin@example.com")
    operator.sign_in_to_the_cluster(PASSWORD)
    check_for_everybody(page)
    operator.next("review")
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    check_for_everybody(page)
    operator.start()

    operator.watch(until="The cluster is back, on one node")

    assert [mark for _, mark, _ in operator.stages] == ["done"] * 6
    expect(page.get_by_role("button", name="Replace node")).to_have_count(2)
    expect(page.get_by_text("rladmin recover all")).to_be_visible()
    check_for_everybody(page)


def tick_while_the_node_is_asked_again(operator):
    """Another action probes the node again; the late answer keeps the tick for the same certificate."""
    page, held = operator.page, []
    expect(page.get_by_label("The fingerprints match")).to_be_visible()  # the page's own question is answered
    page.route("**/probe/", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    with page.expect_request("**/probe/"):
        page.get_by_label("Recover a cluster").check()
    operator.approve()
    page.get_by_label("Trust the new certificate").check()
    with page.expect_response("**/probe/"):
        for route in held:
            route.continue_()
    page.unroute("**/probe/")
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    expect(page.get_by_label("The fingerprints match")).to_be_checked()
    expect(page.get_by_label("Trust the new certificate")).to_be_checked()


def replace(operator, node):
    """The number, the members and the user name are filled in; the address and the password are asked for."""
    page = operator.page
    operator.press("^Replace node 2$")
    page.get_by_label("Node address").fill(node.address)
    page.keyboard.press("Tab")
    operator.approve()
    operator.next("node")
    expect(page.get_by_label("ID of the failed node")).to_have_value("2")
    operator.next("cluster")
    expect(page.get_by_label("User name", exact=True)).to_have_value("admin@example.com")
    operator.sign_in_to_the_cluster(PASSWORD)
    operator.next("review")
    operator.accept_checks("The old machines are lost")
    operator.start()

    operator.watch(until="The node has joined the cluster")

    expect(page.get_by_role("button", name=re.compile("Replace node 3"))).to_be_visible()
