"""The pages of a plan in a real browser."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PASSWORD = "Correct-horse-7-battery"


@pytest.fixture
def plan_page(context, page, site):
    """The second page of a new plan with two nodes that do not answer."""
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page.goto(f"{site['address']}/plans/new/")
    page.get_by_label("Addresses").fill("127.0.0.1:9, 127.0.0.2:9")
    page.get_by_role("button", name="Check nodes").last.click()
    page.wait_for_url("**/nodes/")
    page.goto(page.url.replace("/nodes/", "/cluster/"))
    return page


def test_spread_keeps_the_typed_password(plan_page, complaints):
    sent = []
    plan_page.on("request", lambda request: sent.append(request.post_data or ""))
    plan_page.get_by_label("Cluster name").fill("redis-prod.example.com")
    plan_page.get_by_label("External address of 127.0.0.2:9").fill("10.0.0.2")
    plan_page.locator("#id_password").fill(PASSWORD)
    plan_page.locator("#id_password_again").fill(PASSWORD)
    plan_page.get_by_label("Racks").fill("rack-a, rack-b")

    plan_page.get_by_role("button", name="Spread over these racks").click()

    expect(plan_page.get_by_label("Rack ID of 127.0.0.2:9")).to_have_value("rack-b")
    assert not any("do=spread" in body and PASSWORD in body for body in sent)
    for field in ("#id_password", "#id_password_again"):
        expect(plan_page.locator(field)).to_have_value(PASSWORD)
    expect(plan_page.get_by_label("Cluster name")).to_have_value("redis-prod.example.com")
    expect(plan_page.get_by_label("External address of 127.0.0.2:9")).to_have_value("10.0.0.2")
    assert not complaints
