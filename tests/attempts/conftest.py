import base64
import json
import time
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine, preflight, vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import (
    BootstrapRequest,
    ClusterIdentity,
    ClusterPolicy,
    Credentials,
    Identity,
    NodeIdentity,
    Paths,
)
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.nodes.servers import Server, answer
from tests.reference_node.running import start_node

PASSWORD = "CANARY-Jupiter+7/ü"


@pytest.fixture
def maria(db):
    return assign(User.objects.create_user("maria"), Role.OPERATOR)


@pytest.fixture
def fresh_node(tmp_path):
    """A newly installed reference node."""
    with start_node(tmp_path / "node") as node:
        yield node


@pytest.fixture
def start(maria):
    """Start an attempt like the wizard, with approved certificates of the node and a member."""

    def begin(
        node,
        *,
        member=None,
        password=PASSWORD,
        credentials=None,
        accept_new_certificate=True,
        paths=None,
        rack_aware=None,
        **identity,
    ):
        draft = uuid4()
        seen = probe(Address.parse(node.address))
        trust.approve(seen.endpoint, seen.certificate, by=maria)
        member_seen = probe(Address.parse(member.address)) if member else None
        if member_seen:
            trust.approve(member_seen.endpoint, member_seen.certificate, by=maria)
        action = Action.JOIN if member else Action.CREATE
        cluster = (
            ClusterIdentity(nodes=(member_seen.endpoint.ip,))
            if member_seen
            else ClusterIdentity(name="redis-prod.example.com")
        )
        request = BootstrapRequest(
            action=action,
            cluster=cluster,
            node=NodeIdentity(paths=paths or Paths(), identity=Identity(addr=seen.endpoint.ip, **identity)),
            cnm_https_port=member_seen.endpoint.port if member_seen else None,
            policy=ClusterPolicy(rack_aware=rack_aware),
        )
        setup = preflight.NodeSetup(
            address=seen.address,
            request=request,
            fingerprint=seen.certificate.fingerprint,
            members=(member_seen.address,) if member_seen else (),
            member_fingerprint=member_seen.certificate.fingerprint if member_seen else None,
            accept_new_certificate=accept_new_certificate,
        )
        sealed_until = timezone.now() + timedelta(minutes=15)
        given = credentials or Credentials(username="admin@example.com", password=Secret(password))
        vault.seal(draft, given, expires_at=sealed_until)
        reviewed = preflight.Reviewed(findings=preflight.Findings(node=seen, member=member_seen))
        return engine.begin(setup, reviewed, secret_id=draft, by=maria)

    return begin


def tick(attempt):
    """Run one tick now and return its observation; None when the attempt could not be claimed."""
    Attempt.objects.filter(pk=attempt.pk).update(next_tick_at=timezone.now())
    lease = engine.claim(attempt.pk)
    if lease is None:
        return None
    seen = engine.exchange(lease)
    engine.record(lease, seen)
    attempt.refresh_from_db()
    return seen


def follow(attempt, until=lambda attempt: not attempt.status.is_moving, ticks=200):
    """Tick when the rows say so until the condition holds."""
    for _ in range(ticks):
        attempt.refresh_from_db()
        if until(attempt):
            return attempt
        wait = (attempt.next_tick_at - timezone.now()).total_seconds()
        time.sleep(min(max(wait, 0), 0.1))  # the rows say when; a test need not wait as long as a person would
        tick(attempt)
    raise AssertionError(f"still {attempt.state} ({attempt.node_state}) after {ticks} ticks")


def to_the_post(attempt):
    """Tick until the next tick would send the bootstrap."""
    return follow(attempt, until=lambda attempt: attempt.was_validated)


def kinds(attempt):
    return [event.kind for event in attempt.events.all()]


class EchoingNode:
    """A node whose error repeats the request in many encodings."""

    def __init__(self, serve):
        self.started = False

        def script(peer):
            while request := peer.read_request():
                if "/validate/" in request.path:
                    peer.send(answer(404))
                    continue
                if request.method == "POST":
                    self.started = True
                    peer.send(answer(200, body=b""))
                    continue
                if not self.started:
                    peer.send(answer(200, {"bootstrap_status": {"state": "idle"}, "local_node_info": {}}))
                    continue
                basic = base64.b64encode(f"admin@example.com:{PASSWORD}".encode()).decode()
                details = {
                    "message": f"{PASSWORD} {json.dumps(PASSWORD)} {quote(PASSWORD)} {basic}",
                    PASSWORD: [base64.b64encode(PASSWORD.encode()).decode()],
                }
                status = {"state": "error", "start_time": "2026-11-23T14:02:04Z", "error_code": "config_error"}
                peer.send(
                    answer(200, {"bootstrap_status": {**status, "error_details": details}, "local_node_info": {}})
                )

        self.server = serve(script)

    @property
    def address(self):
        return str(self.server.endpoint.address)


@pytest.fixture
def serve_echo():
    servers = []

    def serve(script):
        servers.append(Server(script))
        return servers[-1]

    yield EchoingNode(serve)
    for server in servers:
        server.stop()
