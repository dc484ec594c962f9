"""A cluster of nine nodes in three racks."""

import pytest
from playwright.sync_api import expect

from tests.journeys.plans.conftest import racks_of
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_nine_nodes_are_spread_over_three_racks(operator, start_nodes):
    nodes = start_nodes(9, pace=0.1)
    page = operator.page
    operator.list_nodes("127.0.0.20-28:" + str(nodes[0].port))
    operator.compare(nodes)
    operator.describe(name="redis-racks.example.com")
    page.get_by_label("Racks").fill("rack-a, rack-b, rack-c")
    operator.press("^Spread")
    expect(page.get_by_label(f"Rack ID of {nodes[8].address}")).to_have_value("rack-c")
    page.get_by_label("Rack-aware cluster").check()
    operator.review()
    check_for_everybody(page)
    operator.start()

    operator.expect_headline("9 of 9 nodes are active", seconds=180)

    assert sorted(racks_of(nodes[0])) == sorted(["rack-a", "rack-b", "rack-c"] * 3)
    expect(page.get_by_text("3 of 3", exact=True)).to_be_visible()
    check_for_everybody(page)
