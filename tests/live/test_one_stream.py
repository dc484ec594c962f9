"""All tabs of a browser share one stream; pages say how they learn of changes. In a real browser."""

import re
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.serving import add_sample_data, on_tables, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# a page cannot be hidden in a headless browser; it is told so
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
NO_POLLING = "const set = setInterval; window.setInterval = (f, ms) => ms === 3000 ? 0 : set(f, ms);"
NO_SHARED_WORKER = "delete window.SharedWorker;"
# what moved, without what a person caused
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? "")]);
}).observe({ type: "layout-shift", buffered: true });"""
SOON = 10_000
SOME_TIME_AGO = re.compile(r"^\d+ min ago$")


class Site:
    """A site with attempts in it, and browsers that are signed in to it."""

    def __init__(self, browser, address, database, sample):
        self.address, self.sample = address, sample
        self._browser, self._database, self._contexts = browser, database, []

    def browse(self, *scripts, who="maria", **options):
        """Open a browser of its own, which is signed in and runs these scripts first."""
        context = self._browser.new_context(**options)
        self._contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": self.sample[who], "url": self.address}])
        for script in scripts:
            context.add_init_script(script)
        return context

    def open(self, context, path):
        page = context.new_page()
        page.goto(self.address + path.format(**self.sample))
        return page

    def change(self, statement, *values):
        with closing(sqlite3.connect(self._database, timeout=20)) as database, database:
            database.execute(statement, values)

    def move(self, state, address="10.0.0.8:9443"):
        """Write a state of an attempt as a worker would."""
        ended = "created_at" if state == "succeeded" else "NULL"
        self.change(
            f"UPDATE attempts_attempt SET state=?, ended_at={ended}, last_seq=last_seq+1 WHERE address=?",
            state,
            address,
        )

    def close(self):
        while self._contexts:
            self._contexts.pop().close()

    def copy_database(self):
        copy = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._database)) as database:
            database.backup(copy)
        return copy

    def restore(self, copy):
        with closing(sqlite3.connect(self._database, timeout=20)) as database:
            copy.backup(database)


@contextmanager
def site_with(browser, directory, empty_database, **limits):
    environment = on_tables(empty_database, directory, **limits)
    sample = add_sample_data(environment)
    with served(environment) as address:
        site = Site(browser, address, directory / "rows.sqlite3", sample)
        yield site
        site.close()


@pytest.fixture(scope="module")
def site_and_copy(browser, tmp_path_factory, file_with_tables):
    directory = tmp_path_factory.mktemp("site")
    limit = {"SETUP_WIZARD_STREAMS_PER_SESSION": "1"}
    with site_with(browser, directory, file_with_tables, **limit) as site, closing(site.copy_database()) as copy:
        yield site, copy


@pytest.fixture
def site_with_one_stream_per_session(site_and_copy):
    site, copy = site_and_copy
    yield site
    site.close()
    site.restore(copy)


@pytest.fixture
def site_with_one_stream_per_user(browser, tmp_path, file_with_tables):
    with site_with(browser, tmp_path, file_with_tables, SETUP_WIZARD_STREAMS_PER_USER="1") as site:
        yield site


@pytest.fixture
def site_without_streams(browser, tmp_path, file_with_tables):
    with site_with(browser, tmp_path, file_with_tables, SETUP_WIZARD_STREAMS_PER_PROCESS="0") as site:
        yield site


def expect_live(page):
    expect(page.locator("#connection")).to_have_text("Live", timeout=SOON)


def test_tabs_of_a_browser_share_one_stream(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    context = site.browse(NO_POLLING)
    attempts, attempt, home = (site.open(context, path) for path in ("/attempts/", "/attempts/{moving}/", "/clusters/"))
    for page in (attempts, attempt, home):
        expect_live(page)

    site.move("succeeded")

    expect(attempt).to_have_title("Your cluster is up · 10.0.0.8:9443", timeout=SOON)
    expect(attempts.locator("tr", has_text="10.0.0.8")).to_contain_text("Succeeded", timeout=SOON)
    expect(home.get_by_text("10.0.0.8:9443")).to_have_count(0, timeout=SOON)


def test_a_hidden_tab_gives_its_stream_back(site_with_one_stream_per_user):
    site = site_with_one_stream_per_user
    here = site.open(site.browse(NO_POLLING), "/attempts/")
    expect_live(here)
    there = site.open(site.browse(who="maria"), "/attempts/")
    expect(there.locator("#connection")).to_have_text("Checking every 3 s", timeout=SOON)

    here.evaluate(HIDE, True)
    expect_live(there)
    there.evaluate(HIDE, True)
    here.evaluate(HIDE, False)

    expect_live(here)
    site.move("succeeded")
    expect(here.locator("tr", has_text="10.0.0.8")).to_contain_text("Succeeded", timeout=SOON)


def test_a_browser_without_shared_workers_has_a_stream_in_each_tab(site_with_one_stream_per_user):
    site = site_with_one_stream_per_user
    page = site.open(site.browse(NO_POLLING, NO_SHARED_WORKER), "/attempts/")
    expect_live(page)

    site.move("succeeded")

    expect(page.locator("tr", has_text="10.0.0.8")).to_contain_text("Succeeded", timeout=SOON)


def test_a_page_without_a_stream_says_that_it_polls(site_without_streams):
    site = site_without_streams
    page = site.open(site.browse(), "/attempts/")
    expect(page.locator("#connection")).to_have_text("Checking every 3 s", timeout=SOON)

    site.move("succeeded")

    expect(page.locator("tr", has_text="10.0.0.8")).to_contain_text("Succeeded", timeout=SOON)


def test_signing_out_ends_the_stream_of_all_tabs(site_with_one_stream_per_user):
    site = site_with_one_stream_per_user
    context = site.browse()
    # both watch the same topics, so the shared stream is not reopened when one tab leaves
    left, other = (site.open(context, "/attempts/") for _ in range(2))
    expect_live(left)

    left.locator("#account summary").click()
    left.get_by_role("button", name="Sign out").click()

    expect(other.get_by_text("Your session has expired.")).to_be_visible(timeout=SOON)
    expect(other.locator("#connection")).to_have_text("Checking every 3 s")
    context.add_cookies([{"name": "sessionid", "value": site.sample["rosa"], "url": site.address}])
    expect_live(other)  # signed in again


def test_the_count_of_what_needs_an_operator_is_live(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    page = site.open(site.browse(NO_POLLING), "/password/")
    count = page.locator("#action-needed")
    expect(count).to_have_text("1 setup needs an operator")
    expect_live(page)
    before = page.get_by_role("link", name="Attempts").bounding_box()

    site.move("needs_operator")
    expect(count).to_have_text("2 setups need an operator", timeout=SOON)
    site.change("UPDATE attempts_attempt SET state='failed', last_seq=last_seq+1 WHERE state='needs_operator'")
    expect(count).to_have_text("", timeout=SOON)

    assert page.get_by_role("link", name="Attempts").bounding_box() == before


def test_a_page_says_when_the_server_does_not_respond(browser, tmp_path, file_with_tables):
    environment = on_tables(file_with_tables, tmp_path)
    sample = add_sample_data(environment)
    with served(environment) as address:
        site = Site(browser, address, tmp_path / "rows.sqlite3", sample)
        page = site.open(site.browse(), "/attempts/")
        expect_live(page)

    expect(page.locator("#connection")).to_have_text("Reconnecting…", timeout=SOON)
    expect(page.locator("#connection")).to_have_text("Checking every 3 s", timeout=2 * SOON)
    expect(page.get_by_text("The server is not responding.")).to_be_visible(timeout=SOON)
    site.close()


def test_a_moment_is_relative_with_the_exact_time_of_the_viewer_and_utc(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    page = site.open(site.browse(timezone_id="Asia/Tokyo", locale="en-GB"), "/attempts/{moving}/")
    moment = page.locator("#panel .lead time")
    expect(moment).to_have_text(SOME_TIME_AGO)
    title = moment.get_attribute("title")
    assert "GMT+9" in title
    assert title.endswith("UTC)")

    moment.click()

    expect(moment).to_have_text(title)


def test_the_keyboard_shows_the_exact_time_in_the_chosen_zone(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    site.change("INSERT INTO access_preferences (user_id, time_zone) SELECT id, 'Asia/Kolkata' FROM auth_user")
    page = site.open(site.browse(timezone_id="Asia/Tokyo", locale="en-GB"), "/attempts/{moving}/")
    moment = page.locator("#panel .lead time")
    expect(moment).to_have_text(SOME_TIME_AGO)
    expect(page.locator("[data-time-zone]")).to_have_text("Asia/Kolkata")

    moment.focus()
    page.keyboard.press("Enter")

    expect(moment).to_have_text(re.compile(r"\d\d:\d\d:\d\d GMT\+5:30 \(.*\d\d:\d\d:\d\d UTC\)$"))
    expect(moment).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(moment).to_have_text(SOME_TIME_AGO)


@pytest.mark.parametrize(("seconds_ahead", "text"), [(0, "just now"), (40, "in 1 min")])
def test_a_slow_load_does_not_shift_moments(site_with_one_stream_per_session, seconds_ahead, text):
    site = site_with_one_stream_per_session
    context = site.browse()
    context.route(re.compile(r"/times\..*js"), lambda route: (time.sleep(3), route.continue_()))
    page = site.open(context, "/attempts/{moving}/")
    moment = page.locator("#panel .lead time")
    expect(moment).to_have_text(SOME_TIME_AGO)

    at = datetime.now(UTC) + timedelta(seconds=seconds_ahead)
    change = "UPDATE attempts_attempt SET created_at=?, last_seq=last_seq+1 WHERE address='10.0.0.8:9443'"
    site.change(change, f"{at:%Y-%m-%d %H:%M:%S.%f}")

    expect(moment).to_have_attribute("datetime", at.isoformat(), timeout=SOON)
    expect(moment).to_have_text(text)


def test_without_a_script_a_moment_is_in_utc(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    page = site.open(site.browse(java_script_enabled=False), "/attempts/{refused}/")

    expect(page.locator("#panel .lead time")).to_have_text(re.compile(r"^\d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC$"))


def forget_shifts(page):
    """Leave out those of the load: a busy browser paints half of a page before it has the rest."""
    page.wait_for_timeout(300)  # shifts are reported with the next frame
    page.evaluate("window.shifts = []")


@pytest.mark.parametrize("width", [1280, 360])
def test_an_attempt_moves_nothing_on_its_page(site_with_one_stream_per_session, width):
    site = site_with_one_stream_per_session
    site.change("UPDATE attempts_attempt SET state='queued' WHERE address='10.0.0.8:9443'")
    page = site.open(site.browse(SHIFTS, viewport={"width": width, "height": 800}), "/attempts/{moving}/")
    expect_live(page)
    forget_shifts(page)
    for state in ("checking", "submitting", "in_progress", "verifying", "succeeded"):
        before = page.locator("#panel [name=after]").input_value()
        site.move(state)
        expect(page.locator("#panel [name=after]")).not_to_have_value(before, timeout=SOON)
    expect(page.get_by_role("heading", name="What to do next")).to_be_visible()
    page.wait_for_timeout(300)  # shifts are reported with the next frame

    assert page.evaluate("shifts") == []


def test_seconds_with_one_more_digit_move_nothing(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    page = site.open(site.browse(SHIFTS), "/attempts/{moving}/")
    expect_live(page)
    took = page.locator("#panel .stages time").first
    expect(took).to_be_visible()
    forget_shifts(page)

    took.evaluate("(time) => { delete time.dataset.since; time.textContent = '9 s'; }")
    page.wait_for_timeout(300)
    took.evaluate("(time) => (time.textContent = '10 s')")
    page.wait_for_timeout(300)  # shifts are reported with the next frame

    assert page.evaluate("shifts") == []


def test_without_a_script_nothing_claims_to_be_live(site_with_one_stream_per_session):
    site = site_with_one_stream_per_session
    page = site.open(site.browse(java_script_enabled=False), "/attempts/")

    expect(page.locator("#connection")).to_be_hidden()
    expect(page.get_by_text("1 setup needs an operator")).to_be_attached()
