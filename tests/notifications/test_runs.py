"""The end of a run, and a pause that needs a person, are told like those of attempts."""

import pytest

from setup_wizard.clusters import plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import Run, RunEvent
from setup_wizard.notifications.models import Notice, NoticeKind
from tests.notifications.conftest import KEY, make_notices, try_due
from tests.notifications.receivers import verified

pytestmark = pytest.mark.django_db

NODES = [{"address": "10.0.0.5:9443", "addr": "10.0.0.5"}, {"address": "10.0.0.6:9443", "addr": "10.0.0.6"}]


@pytest.fixture
def run(maria):
    wanted = {"cluster": {"name": "redis-prod.example.com"}, "nodes": NODES}
    return Run.objects.create(plan=plans.add(read_document(wanted), by=maria), started_by=maria)


def add_event(run, kind, message="Words", **data):
    return RunEvent.objects.create(run=run, seq=run.events.count() + 1, kind=kind, message=message, data=data)


def test_end_of_a_run_arrives(receive, add_webhook, run):
    receiver = receive()
    add_webhook(receiver.url())
    add_event(run, "succeeded", "All 2 nodes are active")
    make_notices()

    try_due()

    message = verified(receiver.requests[0], KEY)
    assert message["type"] == "run.ended"
    assert message["data"]["title"] == "Setup of redis-prod.example.com succeeded"
    assert message["data"]["message"] == "All 2 nodes are active"
    assert Notice.objects.get().document["path"] == f"/plans/{run.pk}/"


@pytest.mark.parametrize(
    ("kind", "reason", "told"),
    [
        ("stop", "", NoticeKind.RUN_ENDED),
        ("paused", "cluster_not_fit", NoticeKind.NEEDS_OPERATOR),
        ("paused", "attempt_failed", NoticeKind.NEEDS_OPERATOR),
        ("paused", "requested", None),
        ("paused", "attempt_needs_operator", None),
        ("node_started", "", None),
        ("resume", "", None),
    ],
)
def test_events_of_a_run_that_need_a_person_are_told(add_webhook, run, kind, reason, told):
    add_webhook("https://127.0.0.1:1/")
    add_event(run, kind, **({"reason": reason} if reason else {}))

    make_notices()

    assert [notice.kind for notice in Notice.objects.all()] == ([told] if told else [])
