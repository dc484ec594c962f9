"""Ask a node that was already a member for its cluster: once, with consent, without storing the credentials."""

import base64
import json
import logging
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from setup_wizard.access.audit import AuditEvent, AuditOutcome
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import membership, trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.audit.entries import full_trail
from tests.attempts.conftest import PASSWORD, follow
from tests.nodes.servers import Identity, Server, answer, idle_node, running

USERNAME = "admin@example.com"
SETUP_PASSWORD = "CANARY-of-the-setup/8"
BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
SPELLINGS = [PASSWORD, json.dumps(PASSWORD)[1:-1], quote(PASSWORD), BASIC, "CANARY"]
OFFER = "Find its cluster"


@pytest.fixture
def member(start, fresh_node):
    """The only node of redis-prod.example.com, set up before this attempt."""
    follow(start(fresh_node))
    return fresh_node


@pytest.fixture
def refused(maria):
    """Make an attempt that failed because its node was already a member."""

    def give(endpoint, certificate):
        trust.approve(endpoint, certificate, by=maria)
        attempt = add_attempt(maria, endpoint.key, state=State.FAILED, reason=Reason.ALREADY_IN_CLUSTER)
        Attempt.objects.filter(pk=attempt.pk).update(fingerprint=certificate.fingerprint)
        sent = Credentials(username=USERNAME, password=Secret(SETUP_PASSWORD))
        vault.seal(attempt.pk, sent, expires_at=timezone.now() + timedelta(days=1))
        vault.retire(attempt.pk, attempt.address, sent_at=timezone.now())
        return attempt

    return give


@pytest.fixture
def attempt(member, refused):
    seen = probe(Address.parse(member.address))
    return refused(seen.endpoint, seen.certificate)


@pytest.fixture
def ask(maria):
    """Submit the form; a field that is None stays empty."""

    def send(attempt, *, by=maria, **changes):
        browser = Client(headers={"HX-Request": "true"})
        browser.force_login(by)
        typed = {"username": USERNAME, "password": PASSWORD, "consent": "on"} | changes
        sent = {name: text for name, text in typed.items() if text is not None}
        page = browser.post(f"/attempts/{attempt.pk}/cluster/", sent)
        page.words = unescape(page.text)
        return page

    return send


def cluster(peer):
    """Answer like the second node of a cluster with two nodes."""
    while request := peer.read_request():
        listed = [{"uid": uid, "status": "active", "addr": f"127.0.0.{3 - uid}"} for uid in (1, 2)]
        peer.answer(200, {"name": "redis-prod.example.com"} if request.path == "/v1/cluster" else listed)


def entries():
    return list(AuditEvent.objects.filter(action=NodeAudit.CLUSTER_ASKED))


def test_node_names_its_cluster_with_one_request_each(member, attempt, ask, maria):
    before = len(member.requests())

    page = ask(attempt)

    assert page.status_code == 200
    assert "This is node 1 of redis-prod.example.com, status active." in page.words
    asked = member.requests()[before:]
    assert [(line["method"], line["path"]) for line in asked] == [("GET", "/v1/cluster"), ("GET", "/v1/nodes")]
    (entry,) = entries()
    assert (entry.user_name, entry.target_name, entry.outcome) == ("maria", member.address, AuditOutcome.DONE)
    assert entry.fingerprint == TrustedCertificate.objects.filter(address=member.address)[0].fingerprint


def test_wrong_password_is_refused_by_the_node(attempt, ask):
    page = ask(attempt, password="CANARY-of-somebody-else")

    assert "The node rejected these credentials." in page.words
    (entry,) = entries()
    assert (entry.outcome, entry.note) == (AuditOutcome.REFUSED, "credentials rejected")


@pytest.mark.parametrize("left_out", ["consent", "username", "password"])
def test_incomplete_form_sends_nothing(member, attempt, ask, left_out):
    before = member.journal_lines()

    page = ask(attempt, **{left_out: None})

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert member.journal_lines() == before
    assert entries() == []


def test_unapproved_certificate_gets_no_http(refused, ask):
    with running(Server(idle_node)) as stranger:
        page = ask(refused(stranger.endpoint, Identity().certificate))

        assert "The node shows a certificate that is not approved. Nothing was sent." in page.words
        assert stranger.connections == 1
        assert stranger.received == b""
    assert entries()[0].note == "certificate not approved"


def test_certificate_approved_for_another_setup_does_not_count(maria, refused, ask):
    """Approved for this address once, but not for this attempt."""
    with running(Server(idle_node)) as node:
        attempt = refused(node.endpoint, Identity().certificate)
        trust.approve(node.endpoint, node.identity.certificate, by=maria)

        ask(attempt)

        assert node.received == b""


def test_stopped_node_is_reported_as_unreachable(member, attempt, ask):
    member.stop()

    page = ask(attempt)

    assert f"Cannot connect to {member.address}" in page.words
    assert "Nothing was sent." in page.words


def test_forbidden_address_gets_no_request(member, attempt, ask, settings):
    before = member.journal_lines()
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

    page = ask(attempt)

    assert "127.0.0.1 is not allowed" in page.words
    assert member.journal_lines() == before
    assert entries()[0].note == "the address is not allowed"


def test_changed_name_resolution_gets_no_request(refused, ask):
    with running(Server(idle_node)) as stranger:
        old = replace(stranger.endpoint, address=Address("localhost", stranger.port), ip="127.0.0.9")
        page = ask(refused(old, stranger.identity.certificate))

        assert "now points to 127.0.0.1" in page.words
        assert stranger.connections == 0


def test_node_that_closes_connections_gets_a_new_one(refused, ask):
    def script(peer):
        request = peer.read_request()
        listed = [{"uid": 2, "status": "active", "addr": "127.0.0.1"}]
        peer.answer(200, {"name": "redis-prod.example.com"} if request.path == "/v1/cluster" else listed)
        peer.close_tls()

    with running(Server(script)) as node:
        page = ask(refused(node.endpoint, node.identity.certificate))

    assert "This is node 2 of redis-prod.example.com, status active." in page.words


@pytest.mark.parametrize(
    "nodes",
    [answer(404), answer(200, body=b"CANARY"), answer(200, []), answer(200, [{"uid": 7, "status": "active"}])],
    ids=["no such call", "no list", "nobody", "somebody else"],
)
def test_list_without_the_node_leaves_the_cluster_name(refused, ask, nodes):
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(200, {"name": "redis-prod.example.com"}) if request.path == "/v1/cluster" else nodes)

    with running(Server(script)) as node:
        page = ask(refused(node.endpoint, node.identity.certificate))

    assert "redis-prod.example.com's node list has no entry with this node's address." in page.words


def test_password_sent_by_the_setup_is_masked_in_the_answer(refused, ask):
    def script(peer):
        while request := peer.read_request():
            own = {"uid": "1", "status": f"set up with {SETUP_PASSWORD}", "addr": "127.0.0.1"}
            peer.answer(200, {"name": "redis-prod.example.com"} if request.path == "/v1/cluster" else [own])

    with running(Server(script)) as node:
        page = ask(refused(node.endpoint, node.identity.certificate))

    assert "This is node 1 of redis-prod.example.com, status set up with ********." in page.words


@pytest.mark.parametrize("spelling", SPELLINGS[:-1])
def test_answer_is_masked_and_shown_as_text(refused, ask, spelling):
    def script(peer):
        while request := peer.read_request():
            own = {"uid": spelling, "status": f"active {spelling}", "addr": "127.0.0.1"}
            peer.answer(200, {"name": f"<script>{spelling}"} if request.path == "/v1/cluster" else [own])

    with running(Server(script)) as node:
        page = ask(refused(node.endpoint, node.identity.certificate))

    # a number is short: a long spelling was cut in it
    assert re.search(r"This is node \*{8}…? of &lt;script&gt;\*{8}, status active \*{8}\.", page.text)
    assert "CANARY" not in page.words


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (answer(503), "is not ready (503)"),
        (answer(302, Location="https://elsewhere.example.com/"), "redirects to another address"),
        (answer(200, {"no": "name"}), "does not answer like a Redis Enterprise node"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "did not send a complete answer"),
    ],
)
def test_unusable_answer_is_reported(refused, ask, data, told):
    def script(peer):
        peer.read_request()
        peer.send(data)

    with running(Server(script)) as node:
        page = ask(refused(node.endpoint, node.identity.certificate))

    assert told in page.words
    assert "Nothing was sent" not in page.words


def test_password_is_stored_and_shown_nowhere(attempt, ask, client, maria, caplog):
    caplog.set_level(logging.DEBUG)
    client.force_login(maria)
    sent = {"username": USERNAME, "password": PASSWORD, "consent": "on"}
    place = f"/attempts/{attempt.pk}/cluster/"

    pages = [ask(attempt), ask(attempt, consent=None), ask(attempt, username=None)]
    pages += [client.post(place, sent), client.post(place, sent | {"password": PASSWORD * 2})]
    pages.append(client.get(f"/attempts/{attempt.pk}/"))

    rows = [row for model in apps.get_models() if model._meta.managed for row in model.objects.values()]
    told = "".join(page.text + str(page.headers) + str(page.cookies) for page in pages)
    kept = [client.session.items(), *rows]
    for spelling in SPELLINGS:
        assert spelling not in told
        assert spelling not in str(kept)
        assert spelling not in caplog.text
    assert len(rows) > 20
    assert "This is node 1 of redis-prod.example.com, status active." in unescape(told)


@pytest.mark.usefixtures("one_minute")
def test_requests_of_one_user_are_limited(member, attempt, ask):
    *within, over = [ask(attempt) for _ in range(membership.MAX_PER_MINUTE + 1)]

    assert over.status_code == 422
    assert f"The limit is {membership.MAX_PER_MINUTE} requests for a cluster's name per minute" in over.words
    assert len(entries()) == len(within)


def test_answer_is_not_shown_without_its_audit_entry(attempt, ask):
    with full_trail(), transaction.atomic():
        ask(attempt)


def test_form_needs_a_csrf_token(member, attempt, maria):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maria)
    before = member.journal_lines()

    page = browser.post(f"/attempts/{attempt.pk}/cluster/", {"username": USERNAME, "password": PASSWORD})

    assert page.status_code == 403
    assert member.journal_lines() == before


class TestForm:
    def test_form_works_without_javascript(self, client, attempt, maria):
        client.force_login(maria)
        place = f"/attempts/{attempt.pk}/cluster/"

        offered = client.get(f"/attempts/{attempt.pk}/").text
        page = client.post(place, {"username": USERNAME, "password": PASSWORD, "consent": "on"})

        assert OFFER in offered
        assert f'action="{place}#cluster"' in offered
        assert "This is node 1 of redis-prod.example.com, status active." in page.text
        assert "<h1>" in page.text
        assert client.get(place).url == f"/attempts/{attempt.pk}/"

    @pytest.mark.parametrize(
        "changes",
        [
            {"reason": Reason.NOT_A_NODE},
            {"state": State.NEEDS_OPERATOR, "reason": Reason.FOREIGN_IN_PROGRESS},
            {"state": State.SUCCEEDED, "reason": Reason.NONE},
            {"fingerprint": ":".join(["CD"] * 32)},  # nobody has approved it
        ],
    )
    def test_form_is_offered_for_a_member_with_approved_certificate(self, client, attempt, ask, member, changes):
        Attempt.objects.filter(pk=attempt.pk).update(**changes)
        before = member.journal_lines()
        client.force_login(attempt.requested_by)

        assert OFFER not in client.get(f"/attempts/{attempt.pk}/").text
        assert ask(attempt).status_code == 404
        assert member.journal_lines() == before

    def test_form_is_refused_to_reviewers(self, client, attempt, ask, member):
        rosa = assign(User.objects.create_user("rosa"), Role.REVIEWER)
        before = member.journal_lines()
        client.force_login(rosa)

        assert OFFER not in client.get(f"/attempts/{attempt.pk}/").text
        assert ask(attempt, by=rosa).status_code == 403
        assert member.journal_lines() == before

    def test_form_is_missing_for_attempts_of_others(self, attempt, ask, settings):
        settings.SETUP_WIZARD_ATTEMPTS = "own"
        olaf = assign(User.objects.create_user("olaf"), Role.OPERATOR)

        assert ask(attempt, by=olaf).status_code == 404


def test_second_of_two_nodes_is_found_by_its_address(refused, ask):
    with running(Server(cluster)) as node:
        elsewhere = Endpoint(node.address, "127.0.0.1", node.port)
        page = ask(refused(elsewhere, node.identity.certificate))

    assert "This is node 2 of redis-prod.example.com, status active." in page.words
