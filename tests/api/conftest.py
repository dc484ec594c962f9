"""A program with a token, and the requests that it sends."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from setup_wizard.access import tokens
from setup_wizard.attempts import search_text
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.conftest import PASSWORD, follow, fresh_node, maria, start  # noqa: F401
from tests.reference_node.running import start_node

NOBODY = "00000000-0000-4000-8000-000000000000"
WRONG = ":".join(["AB"] * 32)


class Caller:
    """A program with a token, or without one."""

    def __init__(self, token=""):
        self.client = Client(
            raise_request_exception=False, headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        self.received = ""

    def get(self, path, **query):
        return self._note(self.client.get(f"/api/v1{path}", query))

    def post(self, path, document=None, **options):
        body = json.dumps(document) if document is not None else ""
        return self._note(self.client.post(f"/api/v1{path}", body, content_type="application/json", **options))

    def _note(self, answer):
        self.received += answer.text + str(answer.headers)
        return answer


@pytest.fixture
def api(maria):
    return Caller(tokens.issue(maria))


@pytest.fixture
def member(tmp_path, maria):
    """The only node of redis-prod.example.com."""
    with start_node(tmp_path / "member", bind="127.0.0.2", pace=0.02) as node:
        api = Caller(tokens.issue(maria))
        api.post("/attempts", creating(node))
        follow(Attempt.objects.get())
        assert Attempt.objects.get().status is State.SUCCEEDED
        yield node


def shown_by(node):
    return probe(Address.parse(node.address)).certificate.fingerprint


def creating(node, **changes):
    return {
        "address": node.address,
        "fingerprint": shown_by(node),
        "accept_new_certificate": True,
        "bootstrap": {
            "action": "create_cluster",
            "cluster": {"name": "redis-prod.example.com", "nodes": []},
            "node": {"identity": {"addr": node.bind}},
            "credentials": {"username": "admin@example.com", "password": PASSWORD},
        },
        **changes,
    }


def joining(node, member, password=PASSWORD, **changes):
    return {
        "address": node.address,
        "fingerprint": shown_by(node),
        "member_fingerprint": shown_by(member),
        "bootstrap": {
            "action": "join_cluster",
            "cluster": {"nodes": [member.bind]},
            "cnm_https_port": member.port,
            "node": {"identity": {"addr": node.bind}},
            "credentials": {"username": "admin@example.com", "password": password},
        },
        **changes,
    }


def assert_problem(answer, status, error, *fields):
    document = answer.json()
    assert (answer.status_code, document["error"]) == (status, error), document
    assert set(document) == {"error", "message", "fields"}
    assert sorted(document["fields"]) == sorted(fields)
    assert document["message"]
    assert all(texts and all(texts) for texts in document["fields"].values())


@pytest.fixture
def many(maria):
    def make(number, **fields):
        now = timezone.now()
        made = [
            Attempt(
                requested_by=maria,
                host=f"redis-{index}.example.com",
                address=f"10.0.{index // 250}.{index % 250}:9443",
                request={},
                fingerprint=WRONG,
                ended_at=now,
                **{"action": "create_cluster", "cluster_name": "redis-prod.example.com", "state": State.SUCCEEDED}
                | fields,
            )
            for index in range(number)
        ]
        for attempt in made:
            attempt.search_text = search_text.text_of(attempt)
        return Attempt.objects.bulk_create(made, batch_size=500)  # a statement may take 5 s on PostgreSQL

    return make
