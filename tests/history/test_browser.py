"""The list of attempts in a real browser: its filters, orders and pages, with and without a script."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def rows(page):
    return page.locator("table.list tbody tr")


def test_a_filter_applies_at_once_and_is_in_the_url(page, come):
    come("maria", "/attempts/")
    page.evaluate("window.sameDocument = true")

    page.get_by_label("State").select_option("Failed")

    expect(rows(page)).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/attempts/\?state=failed$"))
    expect(page.get_by_role("status").filter(has_text="2 attempts")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    page.reload()
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("State")).to_have_value("failed")


def test_typing_searches_and_keeps_the_cursor(page, come):
    come("maria", "/attempts/")

    page.get_by_label("Search").press_sequentially("access_denied", delay=20)

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("The cluster refused the credentials")
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("access_denied")


def test_sorting_and_paging_work_with_the_back_button(page, come):
    come("maria", "/attempts/")

    page.get_by_role("link", name="Node").click()
    expect(rows(page).first).to_contain_text("10.0.0.7")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"\?sort=node&after=[0-9a-f-]{36}$"))
    expect(rows(page).first).not_to_contain_text("10.0.0.7")
    page.go_back()

    expect(rows(page).first).to_contain_text("10.0.0.7")
    expect(page).to_have_url(re.compile(r"\?sort=node$"))


@pytest.mark.parametrize("javascript", [True, False])
def test_more_filters_open_on_request(browser, site, javascript):
    context = browser.new_context(java_script_enabled=javascript)
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page = context.new_page()
    page.goto(f"{site['address']}/attempts/?state=failed")

    page.get_by_role("link", name="More filters").click()
    page.get_by_label("Problem").select_option("Error on the node")
    if not javascript:
        page.get_by_role("button", name="Apply").click()

    expect(page).to_have_url(re.compile(r"state=failed&(.*&)?reason=node_error"))
    expect(rows(page)).to_have_count(1)
    context.close()


def test_a_filter_keeps_the_order(page, come):
    come("maria", "/attempts/")
    page.get_by_role("link", name="Node").click()
    expect(page).to_have_url(re.compile(r"sort=node$"))

    page.get_by_label("State").select_option("Succeeded")

    expect(page).to_have_url(re.compile(r"state=succeeded&sort=node$"))


def test_without_a_script_the_button_filters(browser, site):
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page = context.new_page()
    page.goto(f"{site['address']}/attempts/")

    page.get_by_label("State").select_option("Failed")
    page.get_by_role("button", name="Apply").click()

    expect(rows(page)).to_have_count(2)
    context.close()
