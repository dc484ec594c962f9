"""Operators with browsers without JavaScript, and real reference nodes to set up."""

import html
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import stored_runs
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from setup_wizard.wizard.models import Draft
from tests.attempts.attempt_rows import REQUEST, add_attempt
from tests.name_servers import name_server  # noqa: F401
from tests.reference_node.conftest import Caller, wait_for
from tests.reference_node.running import RunningNode, start_node

PASSWORD = "Correct-horse-7-battery"
ADMIN = ("admin@example.com", PASSWORD)


@pytest.fixture(autouse=True)
def _any_port(settings):
    settings.SETUP_WIZARD_ALLOWED_PORTS = frozenset(range(1, 65536))


@pytest.fixture(autouse=True)
def _checks_at_once(monkeypatch):
    """Checks run before the answer to the POST that begins them: no other thread sees the transaction of a test."""
    monkeypatch.setattr(stored_runs, "in_background", lambda work: work())


@pytest.fixture(scope="session")
def fresh_node(tmp_path_factory) -> Iterator[RunningNode]:
    """A node that no test sets up."""
    with start_node(tmp_path_factory.mktemp("fresh")) as node:
        yield node


@pytest.fixture(scope="session")
def second_node(tmp_path_factory) -> Iterator[RunningNode]:
    """Another node that no test sets up."""
    with start_node(tmp_path_factory.mktemp("second")) as node:
        yield node


@pytest.fixture(scope="session")
def member(tmp_path_factory) -> Iterator[RunningNode]:
    """The only node of redis-prod.example.com."""
    with start_node(tmp_path_factory.mktemp("member"), bind="127.0.0.2", pace=0.02) as node:
        bootstrap(node, "create_cluster", {"cluster": {"name": "redis-prod.example.com"}})
        wait_until_member(node)
        yield node


@pytest.fixture(scope="session")
def failed_node(tmp_path_factory) -> Iterator[RunningNode]:
    """A node whose last bootstrap failed because of an impossible path."""
    with start_node(tmp_path_factory.mktemp("failed"), pace=0.02) as node:
        paths = {"persistent_path": "/proc/nowhere", "ephemeral_path": "/proc/nowhere"}
        bootstrap(node, "create_cluster", {"cluster": {"name": "redis-old.example.com"}, "node": {"paths": paths}})
        wait_for_state(node, "error")
        yield node


@pytest.fixture
def maria(db) -> "Browser":
    return Browser(assign(User.objects.create_user("maria"), Role.OPERATOR))


@pytest.fixture
def ben(db) -> "Browser":
    return Browser(assign(User.objects.create_user("ben"), Role.OPERATOR))


@pytest.fixture
def created(maria, member) -> Attempt:
    """The succeeded attempt that created redis-prod.example.com."""
    return add_attempt(
        maria.user,
        member.address,
        request=REQUEST | {"node": {"identity": {"addr": "127.0.0.2"}}},
        fingerprint=trust_node(member, by=maria.user, origin="bootstrap", cluster="redis-prod.example.com"),
    )


def trust_node(node: RunningNode, **more: object) -> str:
    """Approve the certificate of a node and return its fingerprint."""
    shown = probe(Address.parse(node.address))
    trust.approve(shown.endpoint, shown.certificate, **more)
    return shown.certificate.fingerprint


class Browser:
    """Fills in forms like a browser without JavaScript."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)
        self.page = None

    def open(self, url: str):
        self.page = self.client.get(url, follow=True)
        return self.page

    def post(self, url: str, **values: object):
        self.page = self.client.post(url, values, follow=True)
        return self.page

    @property
    def url(self) -> str:
        chain = self.page.redirect_chain
        return chain[-1][0] if chain else self.page.request["PATH_INFO"]

    @property
    def text(self) -> str:
        """The text of the page, without tags."""
        return readable(self.page.content.decode())

    @property
    def fields(self) -> dict[str, str]:
        """What the step's form would send unchanged."""
        return form_values(self.page.content.decode())

    def fill(self, **values: object):
        """Send the form of the page with these changes; None removes a value. A new password is repeated."""
        if "password_again" in self.fields:
            values.setdefault("password_again", values.get("password", ""))
        sent = {name: value for name, value in (self.fields | values).items() if value is not None}
        self.page = self.client.post(self.url.partition("#")[0], sent, follow=True)
        return self.page

    @property
    def review_fields(self) -> dict[str, str]:
        """What the review page sends with Start, with the tick for what cannot be undone."""
        markup = self.page.content.decode()
        form = re.search(
            r'<form method="post" action="/setup/[0-9a-f-]{36}/review/" id="start">.*?</form>', markup, re.DOTALL
        )
        tags = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
        sent = {name: html.unescape(value) for name, value in tags if name != "csrfmiddlewaretoken"}
        return sent | {"accept_permanent": "on"}

    def start(self, *accepted: str):
        """Accept these failed checks and press Start on the review page; return the response without following it."""
        url = self.url.partition("#")[0]
        ticks = {f"accept:{name}": "on" for name in accepted}
        reasons = {f"reason:{name}": "The node is prepared later" for name in accepted}
        self.page = self.client.post(url, self.review_fields | ticks | reasons)
        self.page.redirect_chain = []
        return self.page

    @property
    def draft(self) -> Draft:
        return Draft.objects.latest("created_at")

    def check_again(self):
        return self.post(f"/setup/{self.draft.pk}/checks/again/")

    def begin(self, address: str, action: str = "create_cluster"):
        return self.post("/setup/", address=address, action=action)

    def add_incomplete_draft(self, address: str) -> Draft:
        """Add a draft whose first step is incomplete."""
        return Draft.objects.create(owner=self.user, action="create_cluster", address=address)

    def approve(self, node: RunningNode, action: str = "create_cluster"):
        """Complete the first step: the first post shows the node, the second one confirms it."""
        self.begin(node.address)
        self.fill(action=action)
        if self.page.status_code == 422:
            self.fill(fingerprints_match="on")
        return self.page

    def to_cluster(self, node: RunningNode, action: str = "create_cluster"):
        self.approve(node, action)
        return self.fill()

    def to_review(self, node: RunningNode, **values: object):
        self.to_cluster(node)
        answers = {"name": "redis-prod.example.com", "username": "admin@example.com", "password": PASSWORD}
        return self.fill(**answers | values)


def readable(markup: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup)))


def form_values(markup: str) -> dict[str, str]:
    """Read the step's form as a browser would send it."""
    form = re.search(r'<form method="post" action="[^"]*" novalidate.*?</form>', markup, re.DOTALL)
    if not form:
        return {}
    values: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_off = attributes.get("type") in {"radio", "checkbox"} and not re.search(r"\schecked[\s>]", tag)
        if not is_off and attributes.get("name") != "csrfmiddlewaretoken":
            values[attributes["name"]] = html.unescape(attributes.get("value", "on" if "checked" in tag else ""))
    for name, text in re.findall(r'<textarea name="([^"]*)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL):
        values[name] = html.unescape(text)
    for name, options in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = html.unescape(chosen[1]) if chosen else ""
    return values


def bootstrap(node: RunningNode, action: str, document: dict) -> None:
    credentials = {"username": ADMIN[0], "password": ADMIN[1]}
    answer = Caller(node.address).post(action, {"action": action, "credentials": credentials, **document})
    answer.raise_for_status()


def wait_for_state(node: RunningNode, state: str, auth: tuple[str, str] | None = None, seconds: float = 15) -> None:
    def is_reached() -> bool:
        try:
            return Caller(node.address).get(auth=auth).json()["bootstrap_status"]["state"] == state
        except (OSError, KeyError):  # the certificate is being replaced, or no sign-in is needed yet
            return False

    wait_for(is_reached, seconds=seconds)


def wait_until_member(node: RunningNode, seconds: float = 15) -> None:
    wait_for_state(node, "completed", ADMIN, seconds)
