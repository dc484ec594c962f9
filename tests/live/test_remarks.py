"""What the page of a success says is left to do."""

import re
from html import unescape

import pytest
from django.urls import reverse

from setup_wizard.attempts.models import Event
from setup_wizard.attempts.states import State
from tests.attempts.attempt_rows import REQUEST, add_attempt

pytestmark = pytest.mark.django_db

WARNING = {"warning_type": "module_download_failed", "message": "404 of <graph>", "module": "graph"}


@pytest.fixture
def read(client, maria):
    client.force_login(maria)

    def get(attempt):
        page = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))

    return get


@pytest.fixture
def add(maria):
    """Add an attempt whose request has this identity, with events of these kinds and data."""

    def make(*events, identity=(), **fields):
        request = REQUEST | {"node": {"identity": dict(identity)}}
        attempt = add_attempt(maria, request=request, **fields)
        for seq, (kind, data) in enumerate(events, start=2):
            Event.objects.create(attempt=attempt, seq=seq, kind=kind, message=kind, data=data)
        return attempt

    return make


@pytest.mark.parametrize(
    ("said", "title"), [(False, "The cluster is not rack-aware"), (None, "Check the rack awareness")]
)
def test_missed_rack_awareness_comes_with_the_call_that_turns_it_on(read, add, said, title):
    page = read(add(("rack_awareness", {"rack_aware": said}), facts={"software_version": "8.0.6-54"}))

    assert title in page
    assert "10.0.0.5:9443 runs 8.0.6-54." in page
    assert "/v1/cluster/policy" in page
    assert '{"rack_aware": true}' in page
    assert "username='admin@example.com'" in page


def test_later_answer_about_rack_awareness_counts(read, add):
    attempt = add(("rack_awareness", {"rack_aware": False}), ("rack_awareness", {"rack_aware": True}))

    assert "The cluster is not rack-aware" not in read(attempt)


def test_warnings_quote_the_node(read, add):
    page = read(add(("bootstrap_warning", WARNING), ("bootstrap_warning", WARNING | {"module": "json"})))

    assert "Some modules were not installed" in page
    assert page.count("“404 of <graph>”") == 2


def test_unknown_warning_gets_a_general_text(read, add):
    page = read(add(("bootstrap_warning", {"warning_type": "disk_slow", "message": "", "module": ""})))

    assert "The node reported warnings" in page
    assert "“disk_slow”" in page


@pytest.mark.parametrize(("uid", "command"), [("3", "rladmin tune node 3 quorum"), ("", "rladmin tune node ID quorum")])
def test_node_without_shards_gets_the_command_for_its_id(read, add, uid, command):
    page = read(add(identity={"accept_servers": False}, node_uid=uid))

    assert f"{command}_only enabled" in page
    assert ("shows the ID of the node" in page) == (not uid)


def test_failure_has_nothing_left_to_do(read, add):
    attempt = add(("bootstrap_warning", WARNING), identity={"accept_servers": False}, state=State.FAILED)

    assert "quorum_only enabled" not in read(attempt)
    assert "not installed" not in read(attempt)
