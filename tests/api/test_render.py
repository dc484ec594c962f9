"""The request of a start as text for scripts."""

import json

import pytest

from setup_wizard.access import tokens
from setup_wizard.attempts.models import Attempt
from tests.api.conftest import WRONG, Caller, assert_problem
from tests.bootstrap.samples import EVERYTHING, SECRETS

SENT = {"address": "10.255.255.1", "fingerprint": WRONG, "bootstrap": EVERYTHING}

pytestmark = pytest.mark.django_db


def test_render_returns_four_texts_without_secrets(api):
    answer = api.post("/render", SENT)

    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"json", "curl", "rladmin", "ansible"}
    assert all(secret not in api.received for secret in SECRETS)
    assert "node='10.255.255.1:9443'" in answer.json()["curl"]
    assert WRONG in answer.json()["ansible"]
    assert json.loads(answer.json()["json"])["credentials"] == {"username": "admin@example.com", "password": "*" * 8}
    assert Attempt.objects.count() == 0


def test_render_needs_no_secret(api):
    with_secret = api.post("/render", SENT).json()
    hidden = {**EVERYTHING["credentials"], "password": "********"}
    without = {"username": "admin@example.com"}

    assert api.post("/render", {**SENT, "bootstrap": {**EVERYTHING, "credentials": hidden}}).json() == with_secret
    assert api.post("/render", {**SENT, "bootstrap": {**EVERYTHING, "credentials": without}}).json() == with_secret


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "https://10.0.0.5/"}, "address"),
        ({"fingerprint": "x" * 64}, "fingerprint"),
        ({"bootstrap": {**EVERYTHING, "colour": "red"}}, "bootstrap.colour"),
        ({"bootstrap": {"action": "create_cluster"}}, "bootstrap.cluster.name"),
    ],
)
def test_render_names_the_invalid_field(api, change, field):
    assert_problem(api.post("/render", {**SENT, **change}), 422, "invalid", field)


def test_a_reader_may_not_render(maria):
    maria.groups.clear()

    assert_problem(Caller(tokens.issue(maria)).post("/render", SENT), 403, "forbidden")
