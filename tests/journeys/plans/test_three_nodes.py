"""`make demo`, from its link to a running cluster, on the pages of a plan."""

import re

import pytest
from playwright.sync_api import expect

from tests.demos import Demo
from tests.faults.conftest import accepted
from tests.journeys.plans.conftest import members
from tests.journeys.plans.newcomer import USERNAME, Newcomer
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MOST_CLICKS, FIELDS = 10, 3
NEXT = {"checked": "Next", "cluster": "Next", "review": "Start"}
"""The buttons that lead on, which are in view on their pages."""


def test_demo_leads_to_a_cluster_of_three_in_ten_clicks(page, demo, complaints):
    newcomer = Newcomer(page, demo)
    for step in newcomer.steps():
        if step in NEXT:
            next_is_in_view(page, NEXT[step])
        if step == "first":  # the nodes go on while the page is examined
            expect(page).to_have_title(re.compile(r"^Node 1 of 3 .* · redis-prod"))
            running = page.locator("#icon").get_attribute("href")
        if step not in {"pasted", "named", "next", "last"}:
            check_for_everybody(page)
        if step == "checked":
            expect(page.get_by_text("cat var/demo/fingerprints")).to_be_visible()
        elif step == "review":
            assert newcomer.password not in page.content()
        elif step == "last":
            expect(page).to_have_title(re.compile(r"^Node 3 of 3"))

    expect(page).to_have_title(re.compile(r"^3 of 3 nodes are active"))
    expect(page.locator("#icon")).not_to_have_attribute("href", running)
    check_the_cluster(newcomer)
    assert complaints == []


@pytest.mark.slow
def test_demo_of_nine_nodes_takes_no_more_clicks(page, tmp_path):
    demo = Demo(tmp_path / "demo", nodes=9).start()
    try:
        newcomer = Newcomer(page, demo)
        assert list(newcomer.steps()).count("next") == 7
        check_the_cluster(newcomer)
    finally:
        demo.clean_up()


def check_the_cluster(newcomer):
    """All nodes are in it, each after one bootstrap; there were at most ten clicks, and one password."""
    nodes = newcomer.demo.nodes
    listed = members(nodes[0]["address"], (USERNAME, newcomer.password))
    assert [node["status"] for node in listed.values()] == ["active"] * len(nodes)
    assert [len(accepted(node)) for node in nodes] == [1] * len(nodes)
    assert newcomer.track == ["done"] * len(nodes)
    assert newcomer.clicks <= MOST_CLICKS
    assert newcomer.fields == FIELDS


def next_is_in_view(page, name):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name=re.compile(f"^{name}"))).to_be_in_viewport(ratio=1)
