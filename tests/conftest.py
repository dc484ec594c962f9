"""What every test that drives a browser needs."""

import os
import shutil

import pytest

# Playwright's event loop runs in the tests' own thread, and Django takes that for an asynchronous program
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium where it is, Playwright's own elsewhere."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    return browser_type_launch_args | {"args": QUIET} | ({"executable_path": chromium} if chromium else {})


@pytest.fixture
def complaints(page):
    """What the browser itself finds wrong: refused by the content policy, not found, thrown by a script."""
    heard = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard
