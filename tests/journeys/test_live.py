"""The attempt page updates by its stream, by polling when there is none, and through restarts."""

import os
import signal
import time

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.faults.conftest import Client
from tests.project.processes import wait_until
from tests.reference_node.running import start_node

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

STAGES = ["Initiated", "Creating the cluster"]
# a page cannot be hidden in a headless browser; it is told so
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""

SILENT_STREAM = """
self.EventSource = class extends EventTarget {
  readyState = 1;
  constructor() { super(); self.silent = this; }
  close() { this.readyState = 2; }
};
"""
# requests of a shared worker are hidden from a test; those of a worker of the page are not
NO_SHARED_WORKER = "delete window.SharedWorker;"


class Streams:
    """The streams and the questions of one page, as the browser sends them."""

    def __init__(self, page):
        page.add_init_script(NO_SHARED_WORKER)
        self.opened, self.closed, self.asked = [], [], []
        page.on("request", self._note)
        page.on("requestfinished", lambda request: self._is_stream(request) and self.closed.append(request))
        page.on("requestfailed", lambda request: self._is_stream(request) and self.closed.append(request))

    def _is_stream(self, request):
        return "/stream?" in request.url

    def _note(self, request):
        if self._is_stream(request):
            self.opened.append(request)
        elif "/panel/" in request.url:
            self.asked.append(time.monotonic())

    @property
    def open(self):
        return len(self.opened) - len(self.closed)


@pytest.fixture
def streams(page):
    return Streams(page)


@pytest.fixture(scope="module")
def nodes(demo):
    return [node["address"] for node in demo.nodes]


@pytest.fixture(scope="module")
def client(demo):
    return Client(demo)


@pytest.fixture
def browser_context_args(client):
    return client.browser_context


@pytest.fixture
def begin(client, nodes, operator):
    """Begin to create a cluster on a fresh node, and open the attempt's page."""

    def start():
        node = nodes.pop(0)
        path = f"/attempts/{client.create(node, cluster=f'redis-{len(nodes)}.example.com')}/"
        operator.open(path)
        return node, path

    return start


@pytest.fixture
def fresh_node(demo, tmp_path):
    """One beside those of the demo, on the port that it allows."""
    node = start_node(tmp_path / "node", bind="127.0.0.11", port=demo.node_port, pace=3)
    yield node
    node.kill()


def without_polling(page):
    """Take away what asks every few seconds; the rest of the script stays."""
    page.add_init_script("const set = setInterval; window.setInterval = (f, ms) => ms === 3000 ? 0 : set(f, ms);")


def silence_stream(page):
    """Let the stream open and say nothing, as behind a proxy that buffers."""
    script = (settings.BASE_DIR / "static" / "stream.js").read_text()
    silent = SILENT_STREAM + script
    page.route("**/stream.*.js", lambda route: route.fulfill(body=silent, content_type="text/javascript"))


def test_one_stream_shows_every_stage(operator, begin, streams, complaints):
    without_polling(operator.page)
    begin()

    seen = operator.watch(until="Your cluster is up")

    assert [stage for stage in seen if stage in STAGES] == STAGES
    assert len(streams.opened) == 1
    assert "attempt%3A" in streams.opened[0].url
    operator.page.evaluate(HIDE, True)
    wait_until(lambda: operator.page.wait_for_timeout(20) or streams.open == 0)
    operator.page.evaluate(HIDE, False)
    wait_until(lambda: operator.page.wait_for_timeout(20) or len(streams.opened) == 2)
    assert "attempt%3A" not in streams.opened[1].url  # of the attempt there is nothing more to tell
    assert complaints == []


@pytest.mark.slow
def test_every_stage_is_seen_by_polling_when_the_stream_is_blocked(operator, begin, streams):
    operator.page.route("**/stream?*", lambda route: route.abort())
    begin()

    seen = operator.watch(until="Your cluster is up")

    assert "Creating the cluster" in seen
    apart = [later - earlier for earlier, later in zip(streams.asked, streams.asked[1:], strict=False)]
    assert apart
    assert min(apart) > 2.5


def test_open_details_and_ticks_survive_a_new_panel(operator, client, fresh_node):
    page = operator.page
    operator.open(f"/attempts/{client.create(fresh_node.address, cluster='redis-kept.example.com')}/")
    page.locator("#export-json summary").click()
    sure = page.locator("[id^='sure-stop-watching']")
    sure.locator("summary").click()
    sure.get_by_role("checkbox").check()
    drawn = page.locator("#panel [name=after]").input_value()

    expect(page.locator("#panel [name=after]")).not_to_have_value(drawn)

    expect(sure.get_by_role("checkbox")).to_be_checked()
    expect(sure.get_by_role("checkbox")).to_be_visible()
    operator.watch(until="Your cluster is up")
    expect(page.locator("#export-json pre")).to_be_visible()
    expect(sure).to_have_count(0)


def test_a_newer_probe_cancels_the_older_one_and_keeps_the_checkboxes(operator, fresh_node):
    page, asked = operator.page, []
    page.route("**/probe/", lambda route: asked.append(route) if not asked else route.continue_())  # the first hangs
    operator.open()
    page.get_by_label("Node address", exact=True).fill(fresh_node.address)
    page.get_by_label("Node address", exact=True).press("Enter")
    wait_until(lambda: page.wait_for_timeout(20) or asked)

    with page.expect_event("requestfailed", lambda request: request.url.endswith("/probe/")) as called_off:
        page.get_by_label("Join a cluster").check()
    operator.approve()

    assert called_off.value == asked[0].request
    expect(page.get_by_label("The fingerprints match")).to_be_checked()


class TestWithOneOpenAttempt:
    """Its node is held still, so it stays open as long as a test needs it."""

    @pytest.fixture(scope="class")
    def kept(self):
        return {}

    @pytest.fixture
    def attempt(self, operator, demo, begin, kept):
        if not kept:
            node, kept["path"] = begin()
            expect(operator.page.locator("#panel .state")).to_contain_text("Creating the cluster")
            kept["pid"] = next(each["pid"] for each in demo.nodes if each["address"] == node)
            os.kill(kept["pid"], signal.SIGSTOP)
            operator.open("/attempts/")
        return kept["path"]

    def test_a_hidden_tab_closes_its_stream_and_polls_nothing(self, operator, attempt, streams):
        operator.open(attempt)
        wait_until(lambda: operator.page.wait_for_timeout(20) or streams.open == 1)

        operator.page.evaluate(HIDE, True)
        wait_until(lambda: operator.page.wait_for_timeout(20) or streams.open == 0)
        asked = len(streams.asked)
        operator.page.wait_for_timeout(3500)
        assert len(streams.asked) == asked  # nor does it ask

        operator.page.evaluate(HIDE, False)
        wait_until(lambda: operator.page.wait_for_timeout(20) or streams.open == 1)
        assert len(streams.opened) == 2

    def test_a_refused_stream_is_retried(self, operator, attempt, streams):
        refusals = iter([429, 503])

        def answer(route):
            status = next(refusals, None)
            route.fulfill(status=status) if status else route.continue_()

        operator.page.route("**/stream?*", answer)

        operator.open(attempt)

        wait_until(lambda: operator.page.wait_for_timeout(20) or len(streams.opened) == 3)
        wait_until(lambda: operator.page.wait_for_timeout(20) or streams.open == 1)
        asked = len(streams.asked)
        operator.page.wait_for_timeout(4000)
        assert len(streams.asked) <= asked + 1  # at most by the first message of the stream, and no more every 3 s

    def test_a_silent_stream_is_replaced_by_polling(self, operator, attempt, streams):
        silence_stream(operator.page)

        operator.open(attempt)

        wait_until(lambda: operator.page.wait_for_timeout(20) or len(streams.asked) == 2)

    def test_polling_notices_the_end_of_the_session(self, operator, attempt, streams):
        silence_stream(operator.page)
        without_polling(operator.page)
        operator.open(attempt)
        expect(operator.page.locator("#panel .state")).to_be_visible()

        (worker,) = operator.page.workers
        wait_until(lambda: worker.evaluate("self.silent !== undefined"))
        worker.evaluate("silent.dispatchEvent(new MessageEvent('auth', {data: 'auth'}))")

        wait_until(lambda: operator.page.wait_for_timeout(20) or len(streams.asked) == 1)

    @pytest.mark.slow
    def test_ten_tabs_stay_live_through_a_crash(self, operator, demo, context, attempt, kept):
        tabs = [context.new_page() for _ in range(10)]
        for tab in tabs:
            tab.goto(f"http://127.0.0.1:{demo.port}{attempt}", timeout=10_000)
            expect(tab.locator("#panel .state")).to_be_visible()
        web = demo.pids["web"]

        os.kill(web, signal.SIGKILL)
        wait_until(lambda: demo.pids.get("web", web) != web, seconds=20)
        os.kill(kept["pid"], signal.SIGCONT)
        wait_until(demo.answers, seconds=20)

        for tab in tabs:
            expect(tab.locator("#panel .state")).to_contain_text("Your cluster is up", timeout=20_000)
        for tab in tabs:
            expect(tab.locator("#unreachable")).to_be_hidden()
