"""The list and the admin site in a real browser: accessible, smooth, without complaints of the CSP."""

import csv
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.reading import check_for_everybody

pytestmark = pytest.mark.browser


PAGES = [
    ("maria", "/clusters/", "Clusters", "Known clusters"),
    ("maria", "/plans/new/", "Nodes of the cluster", "One per line"),
    ("maria", "/clusters/{cluster}/", "redis-us.example.com", "10.0.4.2"),
    ("maria", "/plans/{run}/", "redis-eu.example.com", "Started by maria: 2 nodes"),
    ("maria", "/attempts/", "Attempts", "10.0.0.7:9443"),
    ("maria", "/attempts/?q=nowhere", "Attempts", "No attempt matches."),
    ("maria", "/attempts/figures/", "Figures", "access_denied"),
    ("rosa", "/attempts/{refused}/review/", "Review", "maria knows"),
    ("maria", "/attempts/compare/?a={refused}&b={waiting}", "Compare two attempts", "differs"),
    ("maria", "/password/", "Change your password", "At least 12 characters"),
    ("rosa", "/password/", "Your account has no password", "You signed in as rosa"),
    ("maria", "/account/", "Your account", "Sets up nodes and clusters"),
    ("maria", "/help/", "Help", "What each error code of a node means"),
    ("maria", "/help/clusters/", "Set up a whole cluster", "On this page"),
    ("maria", "/help/error-codes/", "Error codes", "On this page"),
    ("maria", "/help/failure-modes/", "What can go wrong", "On this page"),
    ("nils", "/attempts/", "Your account has no role yet", "ada"),
    ("rosa", "/attempts/{refused}/", "Join 10.0.0.7:9443 to redis-test.example.com", "maria knows"),
    ("maria", "/attempts/{waiting}/", "Someone started another bootstrap", "End: someone else's bootstrap"),
    ("maria", "/attempts/{unfinished}/", "The cluster is not rack-aware", "rladmin tune node 1 quorum_only enabled"),
    ("maria", "/attempts/{member}/", "The node is already in a cluster", "Find its cluster"),
    ("maria", "/notifications/", "Notifications", "E-mail is off"),
    ("ada", "/notifications/webhooks/", "Webhooks", "Operations"),
    ("ada", "/notifications/webhooks/new/", "Add a webhook", "It begins with https://"),
    ("ada", "{webhook}", "Operations", "The receiver answered 503."),
    ("ada", "{webhook}change/", "Change a webhook", "Leave it empty to keep the present one"),
    ("ada", "/admin/", "Review and administration", "Users"),
    ("rosa", "/admin/health/", "Health and version", "Setups pause until it is back"),
    ("rosa", "/admin/attempts/attempt/", "Attempts", "10.0.0.7:9443"),
    ("rosa", "/admin/attempts/attempt/{refused}/change/", "Join 10.0.0.7:9443 to", "maria knows"),
    ("rosa", "/admin/nodes/trustedcertificate/", "Approved certificates", "10.0.0.7:9443"),
    ("ada", "/admin/nodes/trustedcertificate/", "Approved certificates", "10.0.0.7:9443"),
    ("ada", "/admin/auth/user/", "Users and roles", "nils"),
    ("ada", "/admin/access/apitoken/", "API tokens", "0 API tokens"),
    ("ada", "/admin/access/apitoken/add/", "New API token", "It is shown once."),
    ("ada", "/admin/auth/user/1/change/", "Change user", "operator"),
    ("ada", "/admin/auth/group/2/change/", "Change group", "May read attempts"),
]


@pytest.mark.parametrize("opened", PAGES, ids=lambda opened: opened[1])
def test_each_page_is_accessible_and_obeys_the_csp(page, come, complaints, opened):
    who, address, heading, datum = opened
    come(who, address)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(page.get_by_text(datum).first).to_be_visible()
    # but for the menu of the bar, which lies over the page
    page.evaluate("document.querySelectorAll('main details').forEach((details) => (details.open = true))")
    # said before axe is let in, which offends the policy itself
    assert [text for text in complaints if "403" not in text] == []

    check_for_everybody(page)


def test_the_first_page_of_the_administration_fills_a_phone(page, come):
    page.set_viewport_size({"width": 360, "height": 800})
    come("ada", "/admin/")

    assert page.locator("#content-main").bounding_box()["width"] > 300


CUT = """() => {
    const edge = document.querySelector("#content-main, .status").getBoundingClientRect().right + 1;
    const parts = [...document.querySelectorAll("#content :is(input, label, tbody th, td, .help, .readonly)")];
    return parts.filter((part) => part.getBoundingClientRect().right > edge || part.scrollWidth > part.clientWidth + 40)
      .map((part) => part.outerHTML.slice(0, 80));
}"""


@pytest.mark.parametrize(
    "address",
    [
        "/admin/nodes/trustedcertificate/1/change/",
        "/admin/auth/user/1/change/",
        "/admin/auth/user/add/",
        "/admin/health/",
    ],
)
def test_nothing_of_the_administration_is_cut_on_a_phone(page, come, address):
    page.set_viewport_size({"width": 360, "height": 800})
    come("ada", address)

    assert page.evaluate(CUT) == []


def test_durations_stand_under_their_headings_on_a_phone(page, come):
    page.set_viewport_size({"width": 360, "height": 800})
    come("maria", f"/attempts/figures/?days=7&to={datetime.now(UTC).date() - timedelta(days=28)}")
    table = page.locator(".durations")
    expect(table.get_by_text("too few attempts").first).to_be_visible()

    lasts = table.evaluate(
        "(table) => [...table.rows].map((row) => row.lastElementChild.getBoundingClientRect().right)"
    )

    assert len(lasts) == 2
    assert max(lasts) - min(lasts) < 1
    assert max(lasts) <= 360


def test_a_fingerprint_pushes_no_column_out_of_sight(page, come):
    page.set_viewport_size({"width": 1280, "height": 800})
    come("ada", "/admin/nodes/trustedcertificate/")

    expect(page.locator("#result_list thead th").last).to_be_in_viewport(ratio=1)


BAR_PAGES = ["/clusters/", "/attempts/", "/password/", "/api/v1/docs", "/admin/", "/admin/auth/user/"]


@pytest.mark.parametrize("address", BAR_PAGES)
def test_the_bar_of_an_administrator_is_one_row_on_a_phone(page, come, address):
    page.set_viewport_size({"width": 360, "height": 800})
    come("ada", address)

    bar = page.locator("header.bar")
    expect(bar.locator(".brand svg")).to_be_visible()
    expect(bar.get_by_role("link", name="Cluster setup")).to_be_visible()
    for name in ("Clusters", "Set up", "Attempts", "Admin"):
        expect(bar.get_by_role("link", name=name, exact=True)).to_be_in_viewport()
    expect(bar.locator("#account summary")).to_be_in_viewport()
    assert bar.bounding_box()["height"] <= 60
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("address", ["/attempts/", "/admin/"])
def test_the_account_menu_works_by_keyboard_without_a_script(browser, site, address):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": site["ada"], "url": site["address"]}])
    page = context.new_page()
    page.goto(site["address"] + address)
    menu = page.locator("#account")

    menu.locator("summary").focus()
    page.keyboard.press("Enter")

    expect(menu.get_by_text("Signed in as ada")).to_be_in_viewport(ratio=1)
    expect(menu.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Your account")).to_be_focused()
    page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Change password")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="JSON API", level=1)).to_be_visible()
    context.close()


@pytest.mark.parametrize("address", ["/attempts/", "/admin/"])
def test_the_open_account_menu_is_accessible(page, come, address):
    come("ada", address)

    page.locator("#account summary").click()

    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    check_for_everybody(page)


def test_escape_and_a_click_elsewhere_close_the_account_menu(page, come):
    come("ada", "/attempts/")
    button, entry = page.locator("#account summary"), page.get_by_role("button", name="Sign out")

    button.click()
    expect(entry).to_be_visible()
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    page.get_by_role("heading", name="Attempts").click()

    expect(entry).to_be_hidden()


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("address", ["/attempts/", "/admin/"])
@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_the_theme_changes_on_every_page(browser, site, address, has_script):
    context = browser.new_context(java_script_enabled=has_script, color_scheme="light")
    context.add_cookies([{"name": "sessionid", "value": site["ada"], "url": site["address"]}])
    page = context.new_page()
    page.goto(site["address"] + address)
    light = background(page)

    page.locator("#account summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator(".theme button", has_text="Dark")).to_have_attribute("aria-pressed", "true")
    dark = background(page)

    assert page.url == site["address"] + address
    assert dark != light
    page.goto(site["address"] + "/clusters/")
    assert background(page) == dark
    context.close()


def test_the_note_about_a_late_attempt_moves_nothing(page, come):
    come("maria", "/attempts/{moving}/")
    places = """() => [...document.querySelectorAll("main h2, main table, main dl")]
        .filter((each) => !each.closest("[data-from]")).map((each) => each.getBoundingClientRect().top)"""
    before = page.evaluate(places)

    page.evaluate("document.querySelector('[data-from]').dataset.from = '2020-01-01T00:00:00Z'")

    expect(page.get_by_role("heading", name="This takes longer than usual")).to_be_visible()
    assert page.evaluate(places) == before


def find_cluster(page):
    page.get_by_text("Find its cluster").click()
    page.get_by_label("Password", exact=True).fill("seven quiet otters")
    page.get_by_label("Send these credentials to 127.0.0.1:9").check()
    page.get_by_role("button", name="Find cluster").click()


def test_the_answer_replaces_the_form_and_clears_the_password(page, come, complaints):
    come("maria", "/attempts/{member}/")
    page.evaluate("window.sameDocument = true")

    find_cluster(page)

    expect(page.get_by_role("status").filter(has_text="Cannot connect to")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_label("Send these credentials to 127.0.0.1:9")).not_to_be_checked()
    expect(page.get_by_role("button", name="Find cluster")).to_be_focused()
    assert page.evaluate("window.sameDocument")
    assert complaints == []


def test_without_a_script_the_answer_is_a_whole_page(browser, site):
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page = context.new_page()
    page.goto(f"{site['address']}/attempts/{site['member']}/")

    find_cluster(page)

    expect(page.get_by_role("status").filter(has_text="Cannot connect to")).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_have_text("Create redis-prod.example.com on 127.0.0.1:9")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    context.close()


def test_events_of_another_day_show_their_date_on_a_phone_too(page, come):
    page.set_viewport_size({"width": 360, "height": 800})
    come("maria", "/attempts/?q=10.0.1.5:9443")
    page.get_by_role("link", name="10.0.1.5:9443").first.click()

    expect(page.locator("time[data-clock]").first).to_have_text(re.compile(r"^\d+\s\w+\s\d{4}, \d\d:\d\d:\d\d$"))
    overflows = "(box) => box.scrollWidth > box.clientWidth"
    assert not page.locator(".scroll:has(.events)").evaluate(overflows)
    assert not page.locator("html").evaluate(overflows)


def test_the_administration_says_how_long_ago_and_on_a_key_when(page, come):
    come("rosa", "/admin/attempts/attempt/")
    moment = page.locator(".field-when time").first
    expect(moment).to_have_text(re.compile(r" ago$|just now|yesterday"))

    moment.focus()
    page.keyboard.press("Enter")

    expect(moment).to_have_text(re.compile(r"\d\d:\d\d:\d\d UTC"))


def test_moments_in_the_administration_follow_the_clock_of_the_server(page, come):
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=5))  # a browser whose clock is wrong

    come("rosa", "/admin/attempts/attempt/")

    expect(page.locator(".field-when time").first).to_have_text(re.compile(r"^\d+ min ago$"))


def test_recent_actions_stand_beside_the_list_of_the_administration(page, come):
    come("ada", "/admin/")
    listed = page.locator("#content-main").bounding_box()
    recent = page.locator("#content-related").bounding_box()

    assert recent["y"] == listed["y"]
    assert recent["x"] >= listed["x"] + listed["width"]
    assert recent["x"] + recent["width"] <= 1280


def test_a_selection_is_exported_from_the_administration(page, come):
    come("rosa", "/admin/attempts/attempt/?state__exact=failed")
    page.get_by_role("checkbox", name="Select this object for an action").first.check()
    page.get_by_role("combobox", name="Action").select_option("Export as CSV")

    with page.expect_download() as download:
        page.get_by_role("button", name="Go", exact=True).click()

    [row] = csv.DictReader(download.value.path().read_text().splitlines(keepends=True))
    assert row["node"] == "10.0.0.7:9443"
