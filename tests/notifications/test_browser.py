"""The browser's own notifications: asked for by a button, shown while the page is hidden."""

import json

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.project import forks
from tests.project.processes import wait_until
from tests.serving import on_tables, served

pytestmark = pytest.mark.browser

# what a person would see: the page records each notification, and whether it ever asked for the permission
RECORDED = """
window.shown = [];
window.asked = 0;
window.Notification = class {
  static permission = "default";
  static requestPermission() { window.asked += 1; this.permission = "granted"; return Promise.resolve("granted"); }
  constructor(title, options) { window.shown.push({ title, ...options }); }
};
"""
HIDE = """
Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
document.dispatchEvent(new Event("visibilitychange"));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory, file_with_tables):
    environment = on_tables(file_with_tables, tmp_path_factory.mktemp("site"))
    told = forks.run(["-m", "tests.history.sample_data"], cwd=settings.BASE_DIR, env=environment)

    def fail(address):
        forks.run(["-m", "tests.notifications.add_notice", address], cwd=settings.BASE_DIR, env=environment)

    with served(environment) as address:
        yield {"address": address, "fail": fail, **json.loads(told.splitlines()[-1])}


@pytest.fixture
def home(context, page, site):
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    context.add_init_script(RECORDED)
    page.goto(f"{site['address']}/clusters/")
    return page


def titles(page):
    return page.evaluate("window.shown.map(({ title }) => title)")


def test_person_who_asked_is_notified_while_the_page_is_hidden(home, site):
    button = home.get_by_role("button", name="Notify me in this browser")
    assert home.evaluate("window.asked") == 0  # never on load

    with home.expect_response("**/notifications/news/"):
        button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    home.evaluate(HIDE)
    site["fail"]("10.0.9.1:9443")

    wait_until(lambda: titles(home))
    assert titles(home) == ["Setup of 10.0.9.1:9443 failed"]


def test_person_who_looks_at_the_page_is_not_notified(home, site):
    with home.expect_response("**/notifications/news/"):
        home.get_by_role("button", name="Notify me in this browser").click()

    with home.expect_response("**/notifications/news/"):
        site["fail"]("10.0.9.2:9443")

    assert titles(home) == []


def test_notifications_can_be_turned_off_again(home, site):
    button = home.get_by_role("button", name="Notify me in this browser")
    with home.expect_response("**/notifications/news/"):
        button.click()

    button.click()

    expect(button).to_have_attribute("aria-pressed", "false")
    assert home.evaluate("localStorage.getItem('notify')") == "off"
