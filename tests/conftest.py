"""Fixtures for tests that drive a browser or start our processes; which cases are slow, and which are traced."""

import gc
import os
import sys
import threading
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connections
from hypothesis import settings
from playwright.sync_api import sync_playwright

from setup_wizard.access import throttle
from tests.chromium import launch_options
from tests.demos import Demo
from tests.serving import add_sample_data, make_tables, on_tables, served

# Playwright's event loop runs in the tests' own thread, and Django takes that for an asynchronous program
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

TRACED_CASES = 2

# each run uses the same examples, so that a failure comes from a change; `--hypothesis-profile=random` tries others
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")


def pytest_sessionstart(session):
    """Collect the static files once for all processes of a run: every page names them by their hash."""
    gc.set_threshold(20_000)  # all that pytest collected is walked each time: by default, a tenth of a run
    if not hasattr(session.config, "workerinput"):
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by markers
def pytest_collection_modifyitems(items):
    """Mark the later cases of tests that start processes as slow, and trace only cases that add coverage.

    A traced test takes up to twice as long. Processes that a test starts are not traced, and the later cases of a test
    run the same lines as the first ones.
    """
    cases = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        starts_processes = item.get_closest_marker("browser") or item.get_closest_marker("faults")
        if starts_processes and cases[test] > 1:
            item.add_marker("slow")
        if starts_processes or cases[test] > TRACED_CASES:
            item.add_marker("untraced")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_protocol(item):
    """Do not trace a test marked `untraced`, nor its fixtures."""
    if not item.get_closest_marker("untraced"):
        return (yield)
    traces = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(traces[0])
        threading.settrace(traces[1])


@pytest.fixture
def one_minute(monkeypatch):
    """Freeze the clock, so that a rate-limit window does not end during a test."""
    now = time.time()
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=lambda: now))


@pytest.fixture(scope="session")
def file_with_tables(tmp_path_factory):
    """An empty SQLite database with every table, to be copied: making one takes seconds."""
    return make_tables(tmp_path_factory.mktemp("tables") / "tables.sqlite3")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return browser_type_launch_args | launch_options()


@pytest.fixture(scope="module")
def playwright():
    """Module scope: only one event loop can run in this thread."""
    with sync_playwright() as playwright:
        yield playwright
        connections.close_all()  # those opened beside the event loop cannot be reached after it


@pytest.fixture(scope="module")
def browser(playwright, browser_type_launch_args):
    """One headless Chromium for the tests of a module."""
    browser = playwright.chromium.launch(**browser_type_launch_args)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def browser_context_args():
    """Overrides the plugin's session-scoped fixture, which would keep Playwright open.

    Without a graphics card, an animation costs as much processor time as the rest of a test.
    """
    return {"reduced_motion": "reduce"}


@pytest.fixture
def complaints(page):
    """What the browser reports as wrong: refused by the content policy, not found, an exception in a script."""
    reported = []
    page.on("console", lambda message: reported.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: reported.append(str(error)))
    return reported


def is_complaint(message):
    """Leave out requests that htmx aborted by leaving or refreshing a page; real failures log another event as well."""
    return message.type == "error" and message.text.partition(",")[0] not in {"htmx:afterRequest", "htmx:sendAbort"}


@pytest.fixture(scope="module")
def site(tmp_path_factory, file_with_tables):
    """A site with sample data: its `address`, and what `add_sample_data` gives."""
    environment = on_tables(file_with_tables, tmp_path_factory.mktemp("site"))
    sample = add_sample_data(environment)
    with served(environment) as address:
        yield {"address": address, **sample}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("clone")).start()
    yield demo
    demo.clean_up()


@pytest.fixture
def come(context, page, site):
    """Open an address as one of the people."""

    def open_page(who, address):
        context.clear_cookies()
        context.add_cookies([{"name": "sessionid", "value": site[who], "url": site["address"]}])
        page.goto(site["address"] + address.format(**site))
        return page

    return open_page
