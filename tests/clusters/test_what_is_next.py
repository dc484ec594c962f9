"""The page of a successful attempt knows its run, its cluster and how many nodes that has."""

import pytest
from django.urls import reverse

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.models import Cluster, Plan, Run, RunStep
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(client, maria):
    client.force_login(maria)
    return lambda attempt: client.get(reverse("live:detail", args=[attempt.pk])).content.decode()


def add_nodes(maria, count):
    actions = ["create_cluster", *["join_cluster"] * (count - 1)]
    return [
        add_attempt(maria, f"10.0.0.{number}:9443", action=action, minutes_ago=90 - number, node_uid=str(number))
        for number, action in enumerate(actions, start=1)
    ]


@pytest.mark.parametrize(("count", "words"), [(1, "has 1 node."), (2, "has 2 nodes."), (4, "has 4 nodes.")])
def test_a_cluster_with_too_few_nodes_takes_the_next_one(maria, page_of, count, words):
    page = page_of(add_nodes(maria, count)[-1])

    assert "Join the next node" in page
    assert words in page


def test_a_cluster_with_three_nodes_is_enough(maria, page_of):
    page = page_of(add_nodes(maria, 3)[-1])

    assert "Join the next node" not in page
    assert "It has 3 nodes, enough for production." in page
    assert f'href="{reverse("inventory:detail", args=[Cluster.objects.get().pk])}">Open the cluster</a>' in page


def test_a_node_of_a_run_leads_back_to_the_run(maria, page_of):
    [attempt] = add_nodes(maria, 1)
    run = Run.objects.create(plan=Plan.objects.create(created_by=maria, changed_by=maria), started_by=maria)
    RunStep.objects.create(run=run, position=0, number=1, attempt_id=attempt.pk)

    page = page_of(attempt)

    assert f'href="{reverse("clusters:run", args=[run.pk])}">Open the run</a>' in page
    assert "Join the next node" not in page


@pytest.fixture
def run_page_of(client, maria):
    """The page of a run in this state, whose plan has these nodes."""

    def open_page(state, *attempts, reason=""):
        nodes = [{"address": each.address} for each in attempts]
        document = {"cluster": {"name": "redis-prod.example.com"}, "nodes": nodes}
        plan = Plan.objects.create(created_by=maria, changed_by=maria, document=document)
        run = Run.objects.create(plan=plan, started_by=maria, state=state, reason=reason)
        for position, attempt in enumerate(attempts):
            RunStep.objects.create(run=run, position=position, number=1, attempt_id=attempt.pk)
        client.force_login(maria)
        return client.get(reverse("clusters:run", args=[run.pk])).content.decode()

    return open_page


def test_run_of_one_node_does_not_count_it(maria, run_page_of):
    one, *two = add_nodes(maria, 3)

    assert "The node is active" in run_page_of(RunState.SUCCEEDED, one)
    assert "2 of 2 nodes are active" in run_page_of(RunState.SUCCEEDED, *two)


def test_demo_says_that_nothing_answers_at_the_address_of_the_cluster(maria, run_page_of, settings, tmp_path):
    one, other = add_nodes(maria, 2)
    in_production = run_page_of(RunState.SUCCEEDED, one)
    settings.SETUP_WIZARD_DEMO_DIRECTORY = str(tmp_path)

    in_demo = run_page_of(RunState.SUCCEEDED, other)

    assert "In the demo nothing answers there." in in_demo
    assert "In the demo" not in in_production


def test_run_leads_to_the_new_fingerprint_that_has_to_be_compared(maria, run_page_of):
    [waiting] = add_nodes(maria, 1)
    Attempt.objects.update(state=State.NEEDS_OPERATOR, reason=Reason.TRUST, ended_at=None)
    waiting.refresh_from_db()

    page = run_page_of(RunState.PAUSED, waiting, reason=PauseReason.ATTEMPT_NEEDS_OPERATOR)

    assert "compare it with the new one.</li>" in page
    assert "Press <em>Decide</em> to see the new fingerprint." in page
