"""Rack awareness that the nodes ignored during setup is turned on after it, with consent."""

import pytest
import requests
from django.urls import reverse

from setup_wizard.access import tokens
from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts.models import SealedCredentials, SentSignIn, SignInOutcome
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters import engine
from setup_wizard.clusters.engine import ChoiceRefused, offers_rack_awareness
from setup_wizard.clusters.models import Cluster, Run
from setup_wizard.clusters.progress import RunProgress
from setup_wizard.nodes.models import TrustedCertificate
from tests.api.conftest import Caller, assert_problem
from tests.clusters.conftest import CREDENTIALS, PASSWORD, attempts_of, has_ended, is_paused_or_ended, kinds, work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
]

WRONG = Credentials(username="admin@example.com", password=Secret("Mistyped-horse-8"))
RACKS = {0: {"rack_id": "rack-a"}, 1: {"rack_id": "rack-b"}}
RACK_AWARE = {"name": "redis-prod.example.com", "rack_aware": True}


@pytest.fixture
def ignored(begin, start_nodes):
    """A run whose nodes ignored the rack awareness, with its nodes."""
    nodes = start_nodes(2, options=("--ignore-policy",))
    return work(begin(nodes, own=RACKS, cluster=RACK_AWARE), until=is_paused_or_ended), nodes


def is_offered(run):
    return offers_rack_awareness(RunProgress(Run.objects.get(pk=run.pk)))


def is_rack_aware(node):
    sign_in = ("admin@example.com", PASSWORD)
    return requests.get(f"{node.url}/v1/cluster", auth=sign_in, verify=False, timeout=20).json()["rack_aware"]


def test_rack_awareness_is_turned_on_and_read_back(ignored, jan):
    run, nodes = ignored
    assert is_offered(run)
    assert [is_rack_aware(node) for node in nodes] == [False, False]

    engine.turn_on_rack_awareness(run.pk, CREDENTIALS, by=jan)

    assert [is_rack_aware(node) for node in nodes] == [True, True]
    assert kinds(run)[-2:] == ["rack_awareness_requested", "rack_awareness_on"]
    assert run.events.get(kind="rack_awareness_requested").by == jan
    assert AuditEvent.objects.get(action="plan-rack-awareness").user_id == jan.pk
    assert not SealedCredentials.objects.exists()
    assert not is_offered(run)
    assert Cluster.objects.get().rack_aware
    with pytest.raises(ChoiceRefused, match="no rack awareness"):
        engine.turn_on_rack_awareness(run.pk, CREDENTIALS, by=jan)


def test_attempt_says_how_to_turn_rack_awareness_on_only_until_then(ignored, pages, jan):
    run, _ = ignored
    url = reverse("live:detail", args=[attempts_of(run)[0].pk])
    before = pages.get(url).content.decode()

    engine.turn_on_rack_awareness(run.pk, CREDENTIALS, by=jan)

    assert "The cluster is not rack-aware" in before
    assert "The cluster is not rack-aware" not in pages.get(url).content.decode()


def test_wrong_password_for_rack_awareness_is_counted_and_said(ignored, maria):
    run, nodes = ignored
    SentSignIn.objects.all().delete()

    with pytest.raises(ChoiceRefused, match="refused the credentials"):
        engine.turn_on_rack_awareness(run.pk, WRONG, by=maria)
    with pytest.raises(ChoiceRefused, match="not sent again"):
        engine.turn_on_rack_awareness(run.pk, WRONG, by=maria)

    assert SentSignIn.objects.get().result is SignInOutcome.REFUSED
    assert kinds(run).count("rack_awareness_failed") == 2
    assert is_offered(run)
    assert not is_rack_aware(nodes[0])


def test_no_password_is_sent_to_a_certificate_that_is_not_approved(ignored, maria):
    run, nodes = ignored
    TrustedCertificate.objects.all().delete()

    with pytest.raises(ChoiceRefused, match="not approved"):
        engine.turn_on_rack_awareness(run.pk, CREDENTIALS, by=maria)

    assert not is_rack_aware(nodes[0])


def test_cluster_that_is_not_rack_aware_afterwards_is_said(ignored, maria):
    run, nodes = ignored
    for reported in ("false", "null"):
        nodes[0].put_faults(f'overlay=/v1/cluster,{{"rack_aware": {reported}}}')

        with pytest.raises(ChoiceRefused, match="does not report"):
            engine.turn_on_rack_awareness(run.pk, CREDENTIALS, by=maria)

    assert is_offered(run)


def test_cluster_that_is_rack_aware_already_is_offered_nothing(begin, start_nodes):
    run = work(begin(start_nodes(1), own=RACKS, cluster=RACK_AWARE), until=has_ended)

    assert not is_offered(run)


def test_page_turns_rack_awareness_on_only_with_its_tick(ignored, pages):
    run, nodes = ignored
    url = reverse("clusters:rack-awareness", args=[run.pk])
    sign_in = {"username": "admin@example.com", "password": PASSWORD}
    assert url in pages.get(reverse("clusters:run", args=[run.pk])).content.decode()

    without = pages.post(url, sign_in, follow=True)
    assert not is_rack_aware(nodes[0])
    done = pages.post(url, sign_in | {"confirmed": "yes"}, follow=True)

    assert "Confirm it first" in without.content.decode()
    assert "The cluster is rack-aware now." in done.content.decode()
    assert url not in done.content.decode()
    assert is_rack_aware(nodes[0])


def test_api_turns_rack_awareness_on_only_with_consent(ignored, maria):
    run, nodes = ignored
    api = Caller(tokens.issue(maria))
    url = f"/plans/{run.pk}/rack-awareness"
    sign_in = {"credentials": {"username": "admin@example.com", "password": PASSWORD}}
    offered = {each["name"]: each["url"] for each in api.get(f"/plans/{run.pk}").json()["choices"]}
    assert offered == {"rack-awareness": f"/api/v1{url}"}

    assert_problem(api.post(url, sign_in), 422, "invalid", "confirmed")
    assert not is_rack_aware(nodes[0])
    done = api.post(url, sign_in | {"confirmed": True})

    assert (done.status_code, done.json()["choices"]) == (200, [])
    assert is_rack_aware(nodes[0])
    assert_problem(api.post(url, sign_in | {"confirmed": True}), 409, "not_offered")
