"""The pages of a plan in a real browser."""

from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

from setup_wizard.attempts.preflight import CheckOutcome, Level
from setup_wizard.attempts.preflight.results import Result
from setup_wizard.clusters.checking import NodeChecks
from setup_wizard.clusters.document import PlanDocument, PlannedNode
from setup_wizard.clusters.models import Plan
from setup_wizard.clusters.review import PlanReview

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


@pytest.mark.parametrize("can_move", [True, False], ids=["moves elements", "replaces elements"])
def test_typing_goes_on_while_the_results_of_checks_come_in(plan_page, can_move):
    if not can_move:  # older browsers lose the focus of an element that htmx keeps
        plan_page.evaluate("() => { delete Element.prototype.moveBefore }")
    answers = []
    plan_page.route(
        "**/checks/?seen=*",
        lambda route: route.fulfill(body=answers.pop()) if answers else route.fulfill(status=204),
    )
    plan_page.evaluate(
        "(html) => { const main = document.querySelector('main');"
        " main.insertAdjacentHTML('beforeend', `<form id=start></form>${html}`); htmx.process(main) }",
        checks_of(Level.PENDING),
    )
    reason = plan_page.get_by_label("Reason to accept Paths")
    plan_page.get_by_label("Start anyway").check()
    reason.click()

    plan_page.keyboard.type("Made hand")
    for _ in " hand":
        plan_page.keyboard.press("ArrowLeft")
    answers.append(checks_of(Level.PASSED))
    expect(plan_page.locator("#checks [role=status]")).to_have_text("All checks have ended.")
    plan_page.keyboard.type(" by")

    expect(reason).to_have_value("Made by hand")
    expect(plan_page.get_by_label("Start anyway")).to_be_checked()


def checks_of(level):
    """The checks of a node: a failed one, which can be accepted, and another with this level."""
    found = Result(level=Level.FAILED, message="Both paths are the same.", can_override=True)
    outcomes = [CheckOutcome("paths", "Paths", found), CheckOutcome("clock", "Clock", Result(level=level, message=""))]
    nodes = [NodeChecks(0, "127.0.0.1:9", outcomes, is_checked=True)]
    document = PlanDocument(nodes=[PlannedNode(address="127.0.0.1:9")]).as_json()
    plan = Plan(id=uuid4(), document=document)
    return render_to_string("clusters/_checks.html", {"review": PlanReview(plan, [], nodes, []), "plan": plan})
