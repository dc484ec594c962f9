"""What a browser loads: few files, each compressed and kept for a year; pages themselves are never compressed."""

import json
import re
import socket
import threading
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import expect

from setup_wizard.project.checks import static_files_are_collected
from setup_wizard.project.static_files import BUNDLES
from tests.http_requests import ask
from tests.project import forks
from tests.serving import on_tables, served

YEAR = 365 * 24 * 60 * 60
# each with the link to the next one
FIRST_PAGES = [
    ("/clusters/", "Set up"),
    ("/attempts/{moving}/", "Set up"),
    ("/attempts/", "Clusters"),
    ("/clusters/", "Attempts"),
]


class Wire:
    """A TCP proxy that counts what goes through it."""

    def __init__(self, address):
        self.server = (urlsplit(address).hostname, urlsplit(address).port)
        self.requests, self.received = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                browser, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                threading.Thread(target=self._pass, args=[browser, server, self._sent], daemon=True).start()
                threading.Thread(target=self._pass, args=[server, browser, self._answered], daemon=True).start()

    @staticmethod
    def _pass(source, target, count):
        with suppress(OSError), source, target:
            try:
                while data := source.recv(65536):
                    count(data)
                    target.sendall(data)
            finally:
                target.shutdown(socket.SHUT_RDWR)  # closed alone, it stays open while the other thread reads from it

    def _sent(self, data):
        self.requests += re.findall(rb"^(?:GET|POST) (\S+) HTTP/1\.1\r$", data, re.MULTILINE)

    def _answered(self, data):
        self.received += len(data)

    def reset(self):
        self.requests, self.received = [], 0


@pytest.fixture(scope="module")
def environment(tmp_path_factory, file_with_tables):
    return on_tables(file_with_tables, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site(environment):
    """The address of a site with 34 attempts in it, and a session of each person."""
    told = forks.run(["-m", "tests.history.sample_data"], cwd=settings.BASE_DIR, env=environment)
    with served(environment) as address:
        yield {"address": address, **json.loads(told.splitlines()[-1])}


@contextmanager
def new_browser(browser, site, address):
    """A browser with nothing in its cache, in which an administrator is signed in."""
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": site["ada"], "url": address}])
    yield context.new_page()
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize(("first", "following"), FIRST_PAGES)
def test_a_first_page_is_8_requests_and_60_kb_and_the_next_20_kb(browser, site, first, following):
    wire = Wire(site["address"])
    with new_browser(browser, site, wire.address) as page, wire.listener:
        page.goto(wire.address + first.format(**site))
        settle(page)
        loaded = [request.decode() for request in wire.requests]

        assert 4 <= len(loaded) <= 8, loaded
        assert wire.received <= 60_000
        wire.reset()
        page.get_by_role("link", name=following, exact=True).click()
        expect(page.get_by_role("link", name=following, exact=True)).to_have_attribute("aria-current", "true")
        settle(page)

        assert wire.received <= 20_000
        assert [request for request in wire.requests if request.endswith((b".css", b".js"))] == []


@pytest.mark.browser
def test_with_debug_the_browser_follows_the_imports(browser, site, environment):
    with served(environment | {"DEBUG": "true"}) as address, new_browser(browser, site, address) as page:
        page.goto(address + "/attempts/")
        apart = look_of(page)
    with new_browser(browser, site, site["address"]) as page:
        page.goto(site["address"] + "/attempts/")

        assert look_of(page) == apart


def settle(page):
    """Wait until the page has loaded and, if it is live, its stream is open."""
    page.wait_for_load_state()
    expect(page.locator("#connection[hidden], #connection[data-state=live]")).to_be_attached()


def look_of(page):
    """The final style of elements that different parts of the sheet describe."""
    return page.evaluate(
        """() => ["body", "h1", ".bar", ".bar nav a", "main", "table.list", "select", "#connection"].map((name) => {
            const style = getComputedStyle(document.querySelector(name));
            return [name, style.color, style.font, style.padding, style.display, style.backgroundColor];
        })"""
    )


def static_files_of(client, page):
    return set(re.findall(r'(?:href|src|data-stream)="(/static/[^"]+)"', client.get(page).content.decode()))


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_static_files_are_compressed_and_cached_for_a_year(client, encoding):
    files = static_files_of(client, "/sign-in/")

    assert len(files) >= 5
    for file in files:
        answer = client.get(file, headers={"Accept-Encoding": encoding})
        answer.close()
        assert answer.headers["Content-Encoding"] == encoding, file
        assert "immutable" in answer.headers["Cache-Control"], file
        assert int(re.search(r"max-age=(\d+)", answer.headers["Cache-Control"])[1]) >= YEAR, file


@pytest.mark.django_db
def test_a_page_has_one_sheet_and_one_script_of_ours_that_import_nothing(client):
    ours = [
        file for file in static_files_of(client, "/sign-in/") if re.search(r"(?<!\.min)\.[0-9a-f]+\.(css|js)$", file)
    ]

    assert len(ours) == 2
    texts = {file.rpartition(".")[2]: client.get(file).getvalue().decode() for file in ours}
    assert not [text for text in texts.values() if re.search(r"^@?import ", text, re.MULTILINE)]
    assert "@layer bar {" in texts["css"]
    assert "--accent:" in texts["css"]
    assert "function showMoments()" in texts["js"]


@pytest.mark.parametrize("path", ["/clusters/", "/attempts/", "/api/v1/openapi.json", "/healthz"])
def test_a_page_is_never_compressed(site, path):
    headers = {"Accept-Encoding": "gzip, br", "Cookie": f"sessionid={site['ada']}"}
    answer = ask(urlsplit(site["address"]).port, path, **headers)

    assert answer.status == 200
    assert "Content-Encoding" not in answer.headers


def test_static_files_that_were_not_collected_are_refused(settings, tmp_path):
    assert static_files_are_collected() == []
    settings.STATIC_ROOT = tmp_path

    [refused] = static_files_are_collected()

    assert "collectstatic" in refused.hint


def test_every_sheet_is_part_of_a_bundle():
    bundles = "".join((settings.BASE_DIR / "static" / name).read_text() for name in BUNDLES)
    parts = {f"css/{file.name}" for file in (settings.BASE_DIR / "static" / "css").iterdir()}

    assert set(re.findall(r'^@import "([^"]+)"', bundles, re.MULTILINE)) == parts
