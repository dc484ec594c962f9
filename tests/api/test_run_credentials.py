"""New credentials for a run: they come with resume and retry, and nothing shows them."""

import logging

import pytest
from django.apps import apps
from django.core import serializers
from django.utils import timezone

from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.clusters import engine, plans
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.engine import RunChoice
from setup_wizard.clusters.models import Run
from tests.api.conftest import assert_problem
from tests.clusters.conftest import PASSWORD, _checks_in_turn, begin, start_nodes, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_IN = {"username": "admin@example.com", "password": PASSWORD}
OTHER = "Other-horse-8-battery"


def is_paused(run):
    return run.status is RunState.PAUSED


def expire(run):
    SealedCredentials.objects.filter(owner=run.pk).update(expires_at=timezone.now())


def offered(api, run):
    return {each["name"]: each["url"] for each in api.get(f"/plans/{run.pk}").json()["choices"]}


@pytest.fixture
def resting(begin, start_nodes, maria):  # noqa: F811
    """A run that somebody paused before its first node."""
    run = begin(start_nodes(1))
    engine.choose(run.pk, RunChoice.PAUSE, by=maria)
    return work(run, until=is_paused)


@pytest.fixture
def failed(begin, start_nodes):  # noqa: F811
    """A run whose node failed once."""
    return work(begin(start_nodes(1, faults=["answer=400:post:once"])), until=is_paused)


def test_resume_takes_credentials_after_the_stored_ones_expired(api, resting):
    expire(resting)
    url = f"/api/v1/plans/{resting.pk}/resume"
    assert offered(api, resting)["credentials"] == url
    assert "resume" not in offered(api, resting)

    without = api.post(f"/plans/{resting.pk}/resume")
    answer = api.post(f"/plans/{resting.pk}/resume", {"credentials": SIGN_IN})

    assert_problem(without, 409, "not_offered")
    assert (answer.status_code, answer.json()["state"]) == (200, "running")
    assert work(resting, until=lambda run: run.status.is_final).status is RunState.SUCCEEDED


def test_retry_takes_credentials_and_changes(api, failed):
    expire(failed)
    address = failed.plan.content.nodes[0].address
    assert offered(api, failed)["credentials"] == f"/api/v1/plans/{failed.pk}/retry"

    answer = api.post(f"/plans/{failed.pk}/retry", {"credentials": SIGN_IN, "nodes": {address: {"rack_id": "rack-9"}}})

    assert (answer.status_code, answer.json()["state"]) == (200, "running")
    failed.plan.refresh_from_db()
    assert failed.plan.content.nodes[0].rack_id == "rack-9"
    assert work(failed, until=lambda run: run.status.is_final).status is RunState.SUCCEEDED


def test_new_credentials_replace_those_that_are_stored(api, resting, maria):
    api.post(f"/plans/{resting.pk}/resume", {"credentials": {"username": "other@example.com", "password": OTHER}})

    stored = vault.open_for(resting.pk)
    assert (stored.username, stored.password.reveal()) == ("other@example.com", OTHER)
    entries = AuditEvent.objects.filter(action__in=["plan-credentials", "plan-resume"], user_id=maria.pk)
    assert sorted(entries.values_list("action", flat=True)) == ["plan-credentials", "plan-resume"]


def test_credentials_are_refused_where_the_page_has_no_form_for_them(api, begin, start_nodes, failed):  # noqa: F811
    running = begin(start_nodes(1))
    waiting = work(begin(start_nodes(1), accept_new_certificate=False), until=is_paused)
    other = {"username": "other@example.com", "password": OTHER}

    for run, call in [(running, "resume"), (running, "retry"), (waiting, "resume"), (waiting, "retry")]:
        assert_problem(api.post(f"/plans/{run.pk}/{call}", {"credentials": other}), 409, "not_offered")
    assert_problem(api.post(f"/plans/{failed.pk}/resume", {"credentials": other}), 409, "not_offered")

    assert {vault.open_for(run.pk).password.reveal() for run in (running, waiting, failed)} == {PASSWORD}


@pytest.mark.parametrize("call", ["resume", "retry"])
@pytest.mark.parametrize(
    ("entered", "path"),
    [
        ({"username": "admin@example.com"}, "credentials.password"),
        ({"password": OTHER}, "credentials.username"),
        ({"username": "", "password": OTHER}, "credentials.username"),
        ({"username": "a:b", "password": OTHER}, "credentials.username"),
        ({"username": "admin@example.com", "password": ""}, "credentials.password"),
        ({"username": "admin@example.com", "password": [OTHER]}, "credentials.password"),
        ({**SIGN_IN, "client_key": OTHER}, "credentials.client_key"),
        (OTHER, "credentials"),
    ],
)
def test_wrong_credentials_change_nothing(api, maria, call, entered, path):
    plan = plans.add(read_document({"nodes": [{"address": "10.0.0.5:9443"}]}), by=maria)
    run = Run.objects.create(plan=plan, started_by=maria, state="paused", reason="requested")

    answer = api.post(f"/plans/{run.pk}/{call}", {"credentials": entered})

    assert_problem(answer, 422, "invalid", path)
    assert OTHER not in answer.text
    assert Run.objects.get(pk=run.pk).status is RunState.PAUSED
    assert not SealedCredentials.objects.exists()


@pytest.fixture
def failed_or_resting(request):
    return lambda call: request.getfixturevalue("failed" if call == "retry" else "resting")


@pytest.mark.parametrize("call", ["resume", "retry"])
def test_nothing_shows_the_new_password(api, failed_or_resting, call, caplog):
    caplog.set_level(logging.DEBUG)
    run = failed_or_resting(call)

    assert api.post(f"/plans/{run.pk}/{call}", {"credentials": {**SIGN_IN, "password": OTHER}}).status_code == 200
    api.post(f"/plans/{run.pk}/{call}", {"credentials": {**SIGN_IN, "password": OTHER}})
    api.get(f"/plans/{run.pk}")

    rows = [row for model in apps.get_models() if model._meta.managed for row in model._default_manager.all()]
    assert run.pk in {getattr(row, "owner", None) for row in rows}  # so the sealed credentials are among them
    assert OTHER not in serializers.serialize("json", rows)
    assert OTHER not in api.received
    assert OTHER not in caplog.text
