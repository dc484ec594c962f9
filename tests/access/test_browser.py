"""Style sheets and script in a real browser, on public pages and on a page made for these tests."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.reading import check_for_everybody
from tests.serving import on_tables, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def site(tmp_path_factory, file_with_tables):
    """The URL of the pages, served like the product."""
    environment = on_tables(file_with_tables, tmp_path_factory.mktemp("site"), SETUP_WIZARD_DEMO="true")
    with served(environment, "tests.access.script_pages:application") as address:
        yield address


@pytest.mark.parametrize("address", ["/sign-in/", "/first-administrator/", "/sign-in/used/", "/nowhere/", "/parts/"])
def test_a_page_is_accessible(page, site, address):
    page.goto(site + address)

    check_for_everybody(page, narrow=320)


def test_a_page_complies_with_its_content_policy(page, site, complaints):
    page.goto(f"{site}/parts/")
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#panel .problem")).to_be_visible()

    assert complaints == []


def test_a_refused_sign_in_focuses_the_errors(page, site):
    page.goto(f"{site}/sign-in/")
    page.get_by_label("User name", exact=True).fill("maria")
    page.get_by_label("Password", exact=True).fill("eight loud otters")
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator(".problem")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_a_password_is_shown_on_demand_and_hidden_before_it_is_sent(page, site):
    page.goto(f"{site}/sign-in/")
    password = page.get_by_label("Password", exact=True)
    password.fill("eight loud otters")

    page.get_by_role("button", name="Show the password").click()
    expect(password).to_have_attribute("type", "text")
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    page.get_by_role("button", name="Sign in").click()

    expect(password).to_have_attribute("type", "password")
    expect(page.get_by_role("button", name="Show the password")).to_be_visible()


def test_a_restored_page_clears_the_password_and_reloads(page, site):
    page.goto(f"{site}/sign-in/")
    page.get_by_label("Password", exact=True).fill("eight loud otters")
    page.get_by_role("button", name="Show the password").click()

    asked_again = page.expect_request(lambda request: request.is_navigation_request() and request.method == "GET")
    with page.expect_event("load"), asked_again:  # until loaded: closing a browser during a load may hang
        left = page.evaluate(
            "() => { dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));"
            " return document.getElementById('id_password').value }"
        )

    assert left == ""


def test_buttons_that_need_a_script_are_hidden_without_it(browser, site):
    page = browser.new_context(java_script_enabled=False).new_page()

    page.goto(f"{site}/parts/")

    expect(page.locator("[data-copy]")).to_be_hidden()
    expect(page.locator("#elapsed")).to_have_text("some time")


def test_a_copy_button_copies_and_says_so(page, context, site):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site}/parts/")

    page.get_by_role("button", name="Copy the SHA-256").click()

    expect(page.get_by_role("button", name="Copied the SHA-256")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "AB:CD"


def test_elapsed_time_follows_the_clock_of_the_server(page, site):
    page.clock.install(time=timezone.now() + timedelta(hours=5))  # a browser whose clock is wrong
    page.goto(f"{site}/parts/")
    expect(page.locator("#elapsed")).to_have_text(re.compile(r"^2 min [4-9] s$"))

    page.clock.fast_forward(60_000)

    expect(page.locator("#elapsed")).to_have_text(re.compile(r"^3 min \d s$"))


def test_a_form_refused_in_place_focuses_the_errors(page, site):
    page.goto(f"{site}/parts/")

    page.get_by_role("button", name="Save").click()

    expect(page.locator(".problem")).to_be_focused()


def test_a_swapped_page_focuses_its_heading(page, site):
    page.goto(f"{site}/parts/")

    page.get_by_role("link", name="Go on").click()

    expect(page).to_have_url(f"{site}/second/")
    expect(page.get_by_role("heading", name="Second")).to_be_focused()


def test_a_panel_that_refreshes_leaves_the_focus_where_it_is(page, site):
    page.goto(f"{site}/parts/")

    page.get_by_role("button", name="Refresh").click()

    expect(page.locator("#panel .problem")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh")).to_be_focused()


def test_a_failed_request_is_shown_until_one_works(page, site):
    page.goto(f"{site}/parts/")

    page.get_by_role("button", name="Break").click()
    expect(page.get_by_role("alert").get_by_text("is not responding")).to_be_visible()
    page.get_by_role("button", name="Vanish").click()
    expect(page.get_by_role("alert").get_by_text("rejected the request")).to_be_visible()
    expect(page.locator("#unreachable")).to_be_hidden()
    page.get_by_role("button", name="Refresh").click()

    expect(page.locator("#panel .problem")).to_be_visible()
    expect(page.locator("#refused")).to_be_hidden()


def test_a_missing_server_is_shown(page, site):
    page.goto(f"{site}/parts/")
    page.route("**/panel/", lambda route: route.abort())

    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_role("alert").get_by_text("is not responding")).to_be_visible()


def test_going_back_asks_the_server_and_keeps_no_page_in_the_browser(page, site):
    page.goto(f"{site}/parts/")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()

    with page.expect_request(lambda request: request.is_navigation_request()):
        page.go_back()

    expect(page.get_by_role("heading", name="Parts")).to_be_visible()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "<" not in kept


def test_an_expired_session_is_shown_in_place(page, site):
    page.goto(f"{site}/parts/")
    page.route("**/panel/", lambda route: route.fulfill(status=401))

    page.get_by_role("button", name="Refresh").click()

    notice = page.get_by_role("alert").get_by_text("Your session has expired. Your input is still here.")
    expect(notice).to_be_visible()
    expect(notice.get_by_role("link", name="Sign in in a new tab")).to_have_attribute("target", "_blank")
    assert page.url == f"{site}/parts/"


def test_a_page_adopts_the_csrf_token_of_another_tab(page, site):
    page.goto(f"{site}/sign-in/")
    page.context.add_cookies([{"name": "csrftoken", "value": "n" * 32, "url": site}])

    page.get_by_label("User name", exact=True).click()

    expect(page.locator("input[name=csrfmiddlewaretoken]").first).to_have_value("n" * 32)
