"""What a success leaves to do, told by real reference nodes."""

import pytest

from setup_wizard.attempts.explanations import remarks
from setup_wizard.attempts.states import State
from tests.attempts.conftest import PASSWORD, follow, kinds
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


def remarks_of(attempt):
    return {remark.name: remark for remark in remarks(attempt, attempt.events.all())}


def test_create_that_ignores_rack_awareness_succeeds_with_a_remark(start, tmp_path):
    with start_node(tmp_path / "node", options=("--ignore-policy",)) as node:
        attempt = follow(start(node, rack_aware=True, rack_id="rack-a"))
        asked = [line for line in node.requests() if line["path"] == "/v1/cluster"]

    event = attempt.events.get(kind="rack_awareness")
    remark = remarks_of(attempt)["rack_awareness"]
    assert attempt.status is State.SUCCEEDED
    assert event.data == {"rack_aware": False}
    assert len(asked) == 1  # the question for the name
    assert remark.title == "The cluster is not rack-aware"
    assert "This node has rack-a." in remark.steps[0]
    assert attempt.new_fingerprint in remark.script
    assert PASSWORD not in remark.script


def test_create_of_a_rack_aware_cluster_leaves_nothing_to_do(start, fresh_node):
    attempt = follow(start(fresh_node, rack_aware=True, rack_id="rack-a"))

    assert attempt.events.get(kind="rack_awareness").data == {"rack_aware": True}
    assert remarks_of(attempt) == {}


def test_create_without_rack_awareness_is_not_checked_for_it(start, fresh_node):
    attempt = follow(start(fresh_node, rack_id="rack-a"))

    assert "rack_awareness" not in kinds(attempt)
    assert remarks_of(attempt) == {}


def test_module_that_was_not_downloaded_is_an_event_and_a_remark(start, tmp_path):
    with start_node(tmp_path / "node", faults=("module-warning=graph",)) as node:
        attempt = follow(start(node))

    event = attempt.events.get(kind="bootstrap_warning")
    remark = remarks_of(attempt)["bootstrap_warnings"]
    assert attempt.status is State.SUCCEEDED
    assert event.message.startswith("The node did not install the module graph: “Failed to download")
    assert event.data["warning_type"] == "module_download_failed"
    assert remark.title == "The module graph was not installed"
    assert remark.said == ("Failed to download and install custom module 'graph': HTTP 404",)


def test_node_that_takes_no_shards_gets_the_command_for_quorum_only(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        attempt = follow(start(second, member=fresh_node, accept_servers=False))

    assert attempt.node_uid == "2"
    assert remarks_of(attempt)["quorum_only"].script == "rladmin tune node 2 quorum_only enabled"
