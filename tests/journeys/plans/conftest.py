"""An operator who describes a whole cluster, and nodes for it beside those of the demo."""

import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import expect

from tests.faults.conftest import Client
from tests.journeys.conftest import PASSWORD, Operator
from tests.reference_node.conftest import Caller
from tests.reference_node.running import start_node
from tests.wizard.conftest import ADMIN

CLUSTER = "redis-prod.example.com"


class Planner(Operator):
    """Fills in the pages of a plan; counts what was pressed, ticked or followed, and the fields that were filled in."""

    clicks = fields = 0

    def click(self, target):
        target.click()
        self.clicks += 1

    def fill(self, target, text):
        target.fill(text)
        self.fields += 1

    def press(self, name):
        """Press a button that can be seen: a form begins with a hidden button for Enter."""
        buttons = self.page.get_by_role("button", name=re.compile(name))
        self.click(buttons.and_(self.page.locator("button:not([tabindex='-1'])")).first)

    def list_nodes(self, *addresses):
        """Open a new plan and enter the addresses; wait until every node has answered."""
        self.open("/plans/new/")
        for tick in self.page.get_by_role("checkbox").all():
            tick.uncheck()
        self.page.get_by_label(re.compile("ddresses")).fill("\n".join(addresses))
        self.press("^Check nodes$")
        self.wait_for_answers()

    def wait_for_answers(self):
        expect(self.page).to_have_url(re.compile("/plans/[0-9a-f-]{36}/nodes/$"))
        expect(self.page.get_by_text("Checking…")).to_have_count(0)

    def paste(self, fingerprints):
        self.fill(self.page.get_by_label("Output of the command"), fingerprints)

    def compare(self, nodes):
        """Paste the fingerprints of these nodes, and go to the next page, which compares them."""
        self.paste(fingerprints_of(node.directory for node in nodes))
        self.press("^Next")
        expect(self.page).to_have_url(re.compile("/cluster/$"))

    def describe(self, name=CLUSTER, password=PASSWORD):
        page = self.page
        page.get_by_label("Cluster name").fill(name)
        page.get_by_label("Trust the new certificate").check()
        page.get_by_label("User name", exact=True).fill("admin@example.com")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_label("Repeat password").fill(password)

    def review(self):
        self.press("^Next")
        expect(self.page).to_have_url(re.compile("/review/$"))
        expect(self.page.get_by_role("button", name="Check again")).to_be_visible()

    def start(self):
        self.click(self.page.get_by_label("I have read this"))
        self.press("^Start$")
        expect(self.page).to_have_url(re.compile("/plans/[0-9a-f-]{36}/$"))

    def plan(self, nodes, **described):
        """Fill in every page up to the review."""
        self.list_nodes(*(node.address for node in nodes))
        self.compare(nodes)
        self.describe(**described)
        self.review()

    def expect_headline(self, text, seconds=60):
        expect(self.page.locator("#run .state").first).to_contain_text(text, timeout=seconds * 1000)

    @property
    def track(self):
        """The mark of each node."""
        return [each.get_attribute("class") for each in self.page.locator(".track > li").all()]


def fingerprints_of(directories):
    """What the command prints on the nodes: the fingerprints of their own certificate files."""
    read = [x509.load_pem_x509_certificate((Path(each) / "certificate.pem").read_bytes()) for each in directories]
    return "\n".join(f"sha256 Fingerprint={each.fingerprint(SHA256()).hex(':').upper()}" for each in read)


def members(node, sign_in=ADMIN):
    """The nodes that the cluster of this node lists, with their status."""
    listed = Caller(node if isinstance(node, str) else node.address).get("/v1/nodes", auth=sign_in).json()
    return {each["uid"]: each for each in listed}


def racks_of(node):
    return [each["rack_id"] for each in members(node).values()]


@pytest.fixture(scope="module")
def client(demo):
    """The demo's administrator, without JavaScript."""
    return Client(demo)


@pytest.fixture
def operator(page, context, demo, client):
    sign_in(context, client)
    return Planner(page, demo)


def sign_in(context, client):
    """Give a browser the session of a client."""
    host = {"domain": "127.0.0.1", "path": "/"}
    context.add_cookies([{"name": name, "value": value, **host} for name, value in client.cookies.items()])


@pytest.fixture
def start_nodes(demo, tmp_path):
    """Start nodes beside those of the demo, on the port that it allows; all of them end with the test."""
    started = []

    def start(count, *, first=20, **options):
        for number in range(first + len(started), first + len(started) + count):
            bind = f"127.0.0.{number}"
            started.append(start_node(tmp_path / bind, bind=bind, port=demo.node_port, **options))
        return started[-count:]

    yield start
    for node in started:
        node.kill()
