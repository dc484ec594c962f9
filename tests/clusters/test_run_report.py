"""The report of a run: one file that says who did what and why, without secrets and for those who may see it."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from setup_wizard.clusters import engine, timing
from setup_wizard.clusters.decisions import PauseReason
from setup_wizard.clusters.engine import RunChoice
from setup_wizard.clusters.models import Plan, Run
from tests.clusters.conftest import PASSWORD, has_ended, is_paused_or_ended, work

pytestmark = pytest.mark.django_db(transaction=True)

UNFIT = {"cluster_test_result": False, "nodes": [{"node_uid": "1", "result": False, "error": "services: down"}]}
WRONG_PATH = {"paths": {"persistent_path": "/nowhere/persist"}}
LICENSE = "----- LICENSE START -----\nsecret-license-text\n----- LICENSE END -----"
HOSTILE = '<script>alert(1)</script><img src="https://evil.example.com/x">'


@pytest.fixture
def reports(client, maria):
    client.force_login(maria)
    return lambda run, name="report": client.get(reverse(f"clusters:{name}", args=[run.pk]))


@pytest.fixture
def troubled(begin, start_nodes, maria, jan):
    """A run that paused for its cluster and for a node that failed; jan continued it each time."""
    nodes = [*start_nodes(1), *start_nodes(1, bind="127.0.0.77", options=("--no-validate",))]
    run = begin(nodes, own={1: WRONG_PATH})
    nodes[0].put_faults(f"overlay=/v1/cluster/check,{json.dumps(UNFIT)}")
    run = work(run, until=lambda run: run.fit_since)
    Run.objects.filter(pk=run.pk).update(fit_since=timezone.now() - timing.FIT_WITHIN - timedelta(seconds=1))
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.CLUSTER_NOT_FIT
    engine.choose(run.pk, RunChoice.RESUME, by=jan, accept={"cluster_check": HOSTILE})
    run = work(run, until=is_paused_or_ended)
    assert run.why is PauseReason.ATTEMPT_FAILED
    changed = {"paths": {"persistent_path": "/var/opt/redislabs/persist"}}
    engine.retry(run.pk, {nodes[1].address: changed}, all_left=False, by=jan)
    return work(run, until=has_ended), nodes


def test_report_of_a_run_has_attempts_pauses_and_decisions(troubled, reports):
    run, nodes = troubled

    response = reports(run)
    found, text = json.loads(reports(run, "report-json").content), response.content.decode()

    assert response["Content-Disposition"] == f'attachment; filename="run-{run.created_at:%Y-%m-%d}-{run.pk}.html"'
    ended = [(each["reason"], each["ended_by"]) for each in found["pauses"]]
    assert ended == [("cluster_not_fit", "jan"), ("attempt_failed", "jan")]
    assert [(each["position"], each["try"], each["state"]) for each in found["attempts"]] == [
        (0, 1, "succeeded"),
        (1, 1, "failed"),
        (1, 2, "succeeded"),
    ]
    assert found["accepted"] == [{"node": None, "check": "The cluster’s own check", "reason": HOSTILE}]
    retry = next(event for event in found["events"] if event["kind"] == "retry")
    assert retry["data"]["changed"][nodes[1].address]["paths"]["persistent_path"] == "/var/opt/redislabs/persist"
    assert (found["started_by"], retry["by"]) == ("maria", "jan")
    events = [*found["events"], *(event for each in found["attempts"] for event in each["events"])]
    assert len(events) > 15
    assert all(escape(event["message"]) in text for event in events)
    assert "services: down" in text
    assert f"Changed {nodes[1].address}" in text


def test_report_of_a_run_needs_no_other_file_and_runs_nothing(troubled, reports):
    text = reports(troubled[0]).content.decode()

    assert re.findall(r"<(?:script|img|link|iframe)\b|<[^>]*\s(?:src|href|on\w+)=|url\(|@import", text) == []
    assert escape(HOSTILE) in text


def test_report_of_a_run_has_no_secret(begin, start_nodes, reports):
    run = work(begin(start_nodes(1)), until=has_ended)
    Plan.objects.filter(pk=run.pk).update(document=run.plan.document | {"license": LICENSE})

    for name in ("report", "report-json"):
        text = reports(run, name).content.decode()
        assert PASSWORD not in text
        assert "secret-license-text" not in text
        assert "********" in text


def test_report_hides_attempts_that_the_reader_may_not_see(begin, start_nodes, client, jan, settings):
    run = work(begin(start_nodes(1)), until=has_ended)
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    client.force_login(jan)

    found = json.loads(client.get(reverse("clusters:report-json", args=[run.pk])).content)
    text = client.get(reverse("clusters:report", args=[run.pk])).content.decode()

    assert set(found["attempts"][0]) == {"position", "try", "id", "node", "state"}
    assert "You may not see the details of this attempt" in text
    assert found["plan"]["nodes"]


def test_plan_that_was_not_started_has_no_report(plan, reports):
    assert reports(plan).status_code == 404


def test_page_of_a_run_links_its_report(begin, start_nodes, client, maria):
    client.force_login(maria)
    run = begin(start_nodes(1))

    page = client.get(reverse("clusters:run", args=[run.pk])).content.decode()

    for name in ("report", "report-json"):
        assert f'href="{reverse(f"clusters:{name}", args=[run.pk])}" download' in page
        assert client.get(reverse(f"clusters:{name}", args=[run.pk])).status_code == 200
