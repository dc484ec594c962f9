"""`make demo`, from its link to a running cluster of three, on the pages of a plan."""

import re

import pytest
from playwright.sync_api import expect

from tests.faults.conftest import accepted
from tests.journeys.plans.conftest import CLUSTER, Planner, members
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MOST_CLICKS = 10


@pytest.fixture
def newcomer(page, demo):
    """Somebody who opens the link of the demo."""
    page.goto(demo.link)
    return Planner(page, demo)


def test_demo_leads_to_a_cluster_of_three_in_ten_clicks(newcomer, demo, complaints):
    page = newcomer.page
    newcomer.click(page.get_by_role("link", name="Set up a cluster"))
    choose_known_nodes(newcomer)
    password = describe_cluster(newcomer)
    newcomer.review()
    assert password not in page.content()
    next_is_in_view(page, "Start")
    check_for_everybody(page)
    newcomer.start()
    watch(newcomer)

    listed = members(demo.nodes[0]["address"], ("admin@example.com", password))
    assert [node["status"] for node in listed.values()] == ["active"] * 3
    assert [len(accepted(node)) for node in demo.nodes] == [1, 1, 1]
    assert newcomer.clicks <= MOST_CLICKS
    assert complaints == []


def choose_known_nodes(newcomer):
    """Free nodes are ticked; the file of the demo holds their fingerprints, and Next compares them."""
    page, file = newcomer.page, newcomer.demo.path / "var" / "demo" / "fingerprints"
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    check_for_everybody(page)
    newcomer.press("^Check nodes$")
    newcomer.wait_for_answers()
    expect(page.get_by_text("Ready to set up")).to_have_count(3)
    expect(page.get_by_text("cat var/demo/fingerprints")).to_be_visible()
    next_is_in_view(page, "Next")
    check_for_everybody(page)
    newcomer.paste(file.read_text())
    newcomer.press("^Next")
    expect(page).to_have_url(re.compile("/cluster/$"))


def describe_cluster(newcomer):
    page = newcomer.page
    next_is_in_view(page, "Next")
    page.get_by_label("Cluster name").fill(CLUSTER)
    newcomer.click(page.get_by_label("Trust the new certificate"))
    page.get_by_label("User name", exact=True).fill("admin@example.com")
    newcomer.press("^Generate")
    check_for_everybody(page)
    return page.get_by_label("Password", exact=True).input_value()


def watch(newcomer):
    """The track, the headline, the title and the icon of the tab follow the run without a touch."""
    page = newcomer.page
    newcomer.expect_headline("Node 1 of 3")
    expect(page).to_have_title(re.compile(r"^Node 1 of 3 .* · redis-prod"))
    check_for_everybody(page)
    running = page.locator("#icon").get_attribute("href")
    newcomer.expect_headline("Node 3 of 3", seconds=120)
    expect(page).to_have_title(re.compile(r"^Node 3 of 3"))
    newcomer.expect_headline("3 of 3 nodes are active", seconds=60)
    expect(page).to_have_title(re.compile(r"^3 of 3 nodes are active"))
    expect(page.locator("#icon")).not_to_have_attribute("href", running)
    assert newcomer.track == ["done"] * 3
    check_for_everybody(page)


def next_is_in_view(page, name):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name=re.compile(f"^{name}"))).to_be_in_viewport(ratio=1)
