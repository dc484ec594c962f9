"""Runs that do not go straight to their end: a failed node, a pause, another operator, a wrong password."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PASSWORD
from tests.journeys.plans.conftest import Planner, members, sign_in
from tests.project.processes import wait_until
from tests.reading import check_for_everybody
from tests.reference_node.running import start_node

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

FAILS_AFTER_START = ("--no-validate", "--install-dir", "/opt/redis")


@pytest.fixture
def failing_second(start_nodes, demo, tmp_path):
    """Three nodes, of which the second fails in the middle of its bootstrap."""
    first, third = start_nodes(2, first=30, pace=0.5)
    bind = "127.0.0.39"
    with start_node(tmp_path / bind, bind=bind, port=demo.node_port, pace=0.1, options=FAILS_AFTER_START) as second:
        yield [first, second, third]


def test_failed_node_is_mended_and_retried(operator, failing_second):
    page, second = operator.page, failing_second[1]
    begin(operator, failing_second)

    operator.expect_headline("Action needed")
    expect(page).to_have_title(re.compile("^Action needed"))
    assert operator.track == ["done", "bad", "todo"]
    check_for_everybody(page)
    second.options = ()
    second.restart()
    operator.press("^Retry$")
    operator.expect_headline("3 of 3 nodes are active")

    assert [len(node.accepted()) for node in failing_second] == [1, 2, 1]
    assert [each["status"] for each in members(failing_second[0]).values()] == ["active"] * 3


def test_run_is_paused_a_node_skipped_and_the_run_stopped(operator, failing_second, start_nodes):
    nodes = [*failing_second, *start_nodes(1, first=30, pace=0.1)]
    page = operator.page
    begin(operator, nodes)
    operator.press("^Pause after this node$")
    operator.expect_headline("Paused")
    check_for_everybody(page)
    operator.press("^Resume$")
    operator.expect_headline("Action needed")
    page.locator("summary", has_text="Skip this node").click()
    page.get_by_label("This node is not in the cluster").check()
    operator.press("^Skip this node$")
    wait_until(lambda: len(nodes[2].accepted()) == 1, seconds=60)  # a run that is paused sooner begins no node
    operator.press("^Pause after this node$")
    operator.expect_headline("Paused")
    assert operator.track == ["done", "skipped", "done", "todo"]
    page.locator("summary", has_text="Stop").click()
    page.get_by_label("The nodes that are left will not be set up").check()
    operator.press("^Stop$")

    operator.expect_headline("Stopped")

    check_for_everybody(page)
    assert [len(node.accepted()) for node in nodes] == [1, 1, 1, 0]


def test_another_operator_takes_a_plan_over_with_the_password(operator, browser, demo, start_nodes):
    nodes = start_nodes(2, first=40, pace=0.1)
    operator.plan(nodes)
    plan = operator.page.url
    add_account(operator, "ben")
    context = browser.new_context()
    ben = Planner(context.new_page(), demo)
    ben.open("/sign-in/")
    ben.page.get_by_label("User name", exact=True).fill("ben")
    ben.page.get_by_label("Password", exact=True).fill(PASSWORD)
    ben.press("^Sign in$")
    expect(ben.page).not_to_have_url(re.compile("sign-in"))

    ben.page.goto(plan)
    expect(ben.page.get_by_role("button", name="Check again")).to_be_visible()
    ben.page.get_by_label("I have read this").check()
    ben.press("^Start$")
    expect(ben.page.get_by_text("entered the password. Enter it again to continue")).to_be_visible()
    ben.page.get_by_label("Password", exact=True).fill(PASSWORD)
    ben.page.get_by_label("Repeat password").fill(PASSWORD)
    ben.review()
    ben.start()

    ben.expect_headline("2 of 2 nodes are active")
    expect(ben.page.get_by_text("started by ben").first).to_be_visible()
    context.close()


def test_plan_works_without_a_script_on_a_phone(browser, demo, client, start_nodes):
    nodes = start_nodes(2, first=50, pace=0.1)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    sign_in(context, client)
    nora = Planner(context.new_page(), demo)
    nora.list_nodes(*(node.address for node in nodes))
    fits(nora.page)
    nora.compare(nodes)
    fits(nora.page)
    nora.describe()
    nora.review()
    fits(nora.page)
    nora.start()
    fits(nora.page)

    nora.expect_headline("2 of 2 nodes are active")

    fits(nora.page)
    context.close()


def begin(operator, nodes):
    operator.plan(nodes)
    accept_warnings(operator.page)
    operator.start()


def accept_warnings(page):
    for tick in page.locator("#checks input[type=checkbox]").all():
        tick.check()
    for typed in page.locator("#checks input[name^='reason:']").all():
        typed.fill("It is what this test is about")


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


def add_account(operator, name):
    """Let the administrator add an operator."""
    page = operator.page
    operator.open("/admin/auth/user/add/")
    page.get_by_label("Username").fill(name)
    page.locator("#id_password1").fill(PASSWORD)
    page.locator("#id_password2").fill(PASSWORD)
    page.get_by_role("checkbox", name=re.compile("^operator")).check()
    page.get_by_role("button", name="Save", exact=True).click()
