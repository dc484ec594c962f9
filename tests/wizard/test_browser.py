"""The steps in a real browser, where answers come late."""

import re
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_next_ends_a_probe_whose_answer_would_remove_the_checkboxes(context, page, site, fresh_node, second_node):
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page.goto(f"{site['address']}/setup/new/")
    address = page.get_by_label("Node address")
    address.fill(fresh_node.address)
    address.blur()
    expect(page.get_by_role("heading", name=re.compile("ertificate"))).to_be_visible()
    held, ended = [], []
    page.route("**/probe/", lambda route: held.append(route))  # noqa: PLW0108 - playwright sets an attribute on it
    for event in ("requestfinished", "requestfailed"):
        page.on(event, lambda request: ended.append(request) if request.url.endswith("/probe/") else None)

    address.fill(second_node.address)
    page.get_by_role("button", name=re.compile("^Next")).click()
    expect(page.locator(".problem")).to_contain_text(f"{second_node.address} has")
    for route in held:
        route.continue_()
    while not ended:
        page.wait_for_timeout(50)

    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")  # until the script has dealt with it
    expect(page.locator("input[name=fingerprints_match]")).to_be_visible()
    expect(page.locator("input[name=accept_new_certificate]")).to_be_visible()


def test_a_resized_text_box_is_replaced_without_a_complaint_of_the_csp(context, page, site, complaints):
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page.goto(f"{site['address']}/setup/new/")
    address = page.get_by_label("Node address")
    address.evaluate("(field) => (field.style.height = '60px')")  # browsers do so when somebody resizes a text area

    address.fill("not an address")
    with page.expect_response(lambda response: response.request.method == "POST" and response.status == 422):
        page.get_by_role("button", name=re.compile("^Next")).click()
    expect(page.locator(".problem")).to_be_visible()

    assert [text for text in complaints if "422" not in text] == []


def test_start_asks_for_answers_until_every_check_has_one(context, page, site):
    checks = SimpleNamespace(is_blocked=False, pending=[], needs_consent=True)
    note = render_to_string("wizard/_start_state.html", {"review": SimpleNamespace(checks=checks, setup=True)})
    box = '<section id="checks"><input type="checkbox" name="accept:quorum"></section>'
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page.goto(f"{site['address']}/setup/new/")
    page.locator("main").evaluate("(main, html) => { main.innerHTML = html }", box + note)

    expect(page.get_by_text("Start needs your answer to a check.")).to_be_visible()
    page.locator("#checks input").check()
    expect(page.get_by_text("Start needs your answer to a check.")).to_be_hidden()
