"""Nodes on which a bootstrap fails, or the checks before it, and an operator who reads why and fixes it."""

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.faults.conftest import Client
from tests.journeys.conftest import PASSWORD
from tests.project.processes import wait_until
from tests.reading import check_for_everybody
from tests.reference_node.conftest import Caller
from tests.reference_node.running import start_node
from tests.wizard.conftest import ADMIN, bootstrap, wait_until_member

HOSTS = count(60)
GIB = 1024**3
DONE = {
    "create_cluster": "Your cluster is up",
    "join_cluster": "The node has joined the cluster",
    "recover_cluster": "The cluster is back, on one node",
}

OTHER_INSTALLATIONS = {
    "socket_directory_mismatch": (
        ("--socket-directory", "/tmp/sockets"),
        (
            "Different socket directory",
            ("Socket directory", "/tmp/sockets", "/var/opt/redislabs/run", "/var/opt/redislabs/run"),
        ),
    ),
    "node_config_mismatch": (
        ("--os-user", "redis"),
        ("Different installation settings", ("System user", "redis", "redislabs", "redislabs")),
    ),
}
"""Options of a node that is installed in another way than its cluster, and what the page says, by the error code."""


def statuses(member):
    """Give the status of each node of this member's cluster."""
    return [entry["status"] for entry in Caller(member.address).get("/v1/nodes", auth=ADMIN).json()]


class Site:
    """Nodes beside those of the demo, on the port that it allows; all of them end with the test."""

    def __init__(self, port, folder, *options):
        self.port, self.folder, self.options, self.started = port, folder, options, []

    def node(self, *options, faults=()):
        """Start a node that is not set up."""
        host = f"127.0.0.{next(HOSTS)}"
        options = (*self.options, *options)
        node = start_node(self.folder / host, bind=host, port=self.port, pace=0.1, faults=faults, options=options)
        self.started.append(node)
        return node

    def cluster(self, name="redis-prod.example.com", *options, **document):
        """Create a cluster, and give its only member."""
        member = self.node(*options)
        bootstrap(member, "create_cluster", {"cluster": {"name": name}, **_merged(member, document)})
        wait_until_member(member)
        return member

    def join(self, member, *options, **document):
        """Let another node join the cluster of this member."""
        node, members = self.node(*options), len(statuses(member))
        join = {"cluster": {"nodes": [member.bind]}, "cnm_https_port": self.port}
        bootstrap(node, "join_cluster", {**join, **_merged(node, document)})
        wait_until(lambda: statuses(member) == ["active"] * (members + 1))
        return node

    def three(self, *options, **document):
        """Create a cluster of three, and give its first and its second node; these are the options of the second."""
        member = self.cluster()
        second = self.join(member, *options, **document)
        self.join(member)
        return member, second

    def change(self, node, *options):
        """Start a node again with other options."""
        node.options = (*self.options, *options)
        node.restart()

    def lose(self, node, member):
        """Stop a member, and wait until the cluster has noticed."""
        node.kill()
        wait_until(lambda: "down" in statuses(member))


def _merged(node, document):
    identity = {"addr": node.bind, **document.get("node", {}).get("identity", {})}
    return {**document, "node": {**document.get("node", {}), "identity": identity}}


class Setup:
    """One setup in the browser: filled in, started, explained, fixed."""

    def __init__(self, operator):
        self.operator, self.page, self.action = operator, operator.page, ""

    def fill(self, node, action, **values):
        """Fill in every step, up to the review; `values` are those that differ from what is suggested."""
        self.action = action
        self.operator.open(f"/setup/new/?address={node.address}&action={action}")
        self.to_review(**values)

    def to_review(self, **values):
        """Go on from the step that is open; a password is typed wherever there is a field for it."""
        password = values.setdefault("password", PASSWORD)
        values["password_again"] = password  # of a new administrator
        while not self.page.url.partition("#")[0].endswith("/review/"):
            expect(self.page.locator("form[novalidate] .foot button")).to_be_visible()
            step = self.page.url
            self._type(values)
            self._approve()
            self.operator.press("^(Next|Review|Save)")
            expect(self.page).not_to_have_url(step)
        expect(self.page.get_by_text("All checks have ended.")).to_be_visible(timeout=30_000)

    def _approve(self):
        """Approve the certificate of the node that was just probed, if there is one."""
        self.page.keyboard.press("Tab")  # a field is sent when it is left
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        for label in ("The fingerprints match", "Trust the new certificate"):
            box = self.page.get_by_label(label)
            if box.count() and not box.is_checked():
                box.check()

    def _type(self, values):
        self.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        for name, value in values.items():
            field = self.page.locator(f'form[novalidate] [name="{name}"]')
            if value is True and field.count():
                field.check()
            elif field.count() > 1:
                field.and_(self.page.locator(f'[value="{value}"]')).check()
            elif field.count():
                field.fill(value)

    def fail(self, title, *figures):
        """Start; the page explains the failure with these figures, and everybody can read it."""
        self._start()
        self.operator.watch(until="Failed")
        expect(self.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        rows = [row.locator("th, td").all_inner_texts() for row in self.page.locator(".figures tbody tr").all()]
        assert rows == [list(figure) for figure in figures]
        check_for_everybody(self.page)

    @property
    def buttons(self):
        return self.page.locator(".why .doit button").all_inner_texts()

    def find(self, message, *figures):
        """Read on the review what a check found, with these figures; everybody can read it."""
        check = self._check(message)
        expect(check).to_be_visible()
        rows = [row.locator("th, td").all_inner_texts() for row in check.locator(".figures tbody tr").all()]
        assert rows == [list(figure) for figure in figures]
        check_for_everybody(self.page)

    def _check(self, message):
        return self.page.locator("#checks > ul > li", has_text=message)

    def fixes(self, message):
        """The remedies of a check."""
        return self._check(message).locator(".doit > a, .doit button").all_inner_texts()

    def fix(self, remedy, *, filled_in="", check=""):
        """Press the remedy of a check: the review marks what it changed, or the step with the field opens."""
        pressed = self.page.locator("#checks .doit").locator("a, button", has_text=re.compile(f"^{re.escape(remedy)}$"))
        with self.page.expect_navigation():
            pressed.first.click()
        if filled_in:
            answer = self.page.locator("dd", has_text=filled_in)
            expect(answer.get_by_text(f"changed by the check “{check}”")).to_be_visible()

    def check_again(self):
        """Ask everybody again, after a change on a machine."""
        with self.page.expect_navigation():
            self.operator.press("^Check again")

    def succeed_at_once(self, **values):
        """Go on to the review, where no check fails any more, and start."""
        self.to_review(**values)
        problems = self.page.locator("#checks > ul > li .visually-hidden")
        assert [text for text in problems.all_text_contents() if text in {"Blocked: ", "Failed: "}] == []
        self._start()
        self.operator.watch(until=DONE[self.action])

    def press(self, button, filled_in=""):
        """Press a remedy: it opens the review, which marks what it filled in, or the step with the field to change."""
        self.page.locator(".why .doit").get_by_role("button", name=button, exact=True).click()
        expect(self.page).to_have_url(re.compile("/setup/[0-9a-f-]{36}/"))
        if filled_in:
            answer = self.page.locator("dd", has_text=filled_in)
            expect(answer.get_by_text("changed since the failed setup")).to_be_visible()

    def succeed(self, **values):
        """Go on to the review and start again."""
        self.to_review(**values)
        self._start()
        self.operator.watch(until=DONE[self.action])

    def _start(self):
        """Start, whatever the checks of the review found that can be accepted."""
        for box in self.page.locator('input[name^="accept:"]').all():
            box.check()
        for reason in self.page.locator('input[name^="reason:"]').all():
            reason.fill("to see it fail")
        self.operator.start()


@pytest.fixture(scope="module")
def client(demo):
    return Client(demo)


@pytest.fixture
def browser_context_args(client):
    return client.browser_context


@pytest.fixture
def site(demo, tmp_path):
    """Nodes that have no check of their own, so that they fail in the bootstrap."""
    site = Site(demo.node_port, tmp_path, "--no-validate")
    yield site
    for node in site.started:
        node.kill()


@pytest.fixture
def checking_site(demo, tmp_path):
    """Nodes that check a request when they are asked to."""
    site = Site(demo.node_port, tmp_path)
    yield site
    for node in site.started:
        node.kill()


@pytest.fixture
def setup(operator):
    return Setup(operator)


@pytest.fixture
def joining(setup):
    """Fill in a join of this node to the cluster of a member."""

    def fill(node, member, **values):
        known = {"members": member.bind, "port": str(member.port), "username": ADMIN[0]}
        setup.fill(node, "join_cluster", **{**known, **values})

    return fill


@pytest.fixture
def creating(setup):
    """Fill in a create on this node."""

    def fill(node, **values):
        known = {"name": "redis-prod.example.com", "username": ADMIN[0]}
        setup.fill(node, "create_cluster", **{**known, **values})

    return fill
