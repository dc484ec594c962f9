"""A probe shows the code and times of a node's last failure, never the node's own message."""

import json

import pytest

from setup_wizard.access import tokens
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import Probe, probe
from setup_wizard.wizard.models import Draft
from tests.attempts.attempt_rows import add_attempt
from tests.reference_node.conftest import Caller
from tests.reference_node.running import start_node
from tests.spellings import leaks
from tests.wizard.conftest import PASSWORD, bootstrap, wait_for_state

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def echoing_node(tmp_path_factory):
    """A node whose last error message contains the request with its password."""
    place = tmp_path_factory.mktemp("echoing")
    with start_node(place, pace=0.02, faults=["echo"], options=("--no-validate",)) as node:
        paths = {"persistent_path": "/proc/nowhere", "ephemeral_path": "/proc/nowhere"}
        bootstrap(node, "create_cluster", {"cluster": {"name": "redis-old.example.com"}, "node": {"paths": paths}})
        wait_for_state(node, "error")
        assert PASSWORD in Caller(node.address).get().text
        yield node


@pytest.fixture
def attempt(maria, echoing_node):
    """Maria's attempt that caused the failure."""
    return add_attempt(
        maria.user,
        echoing_node.address,
        state=State.FAILED,
        reason="node_error",
        error_code="path_error",
        error_details={"message": "the disk of the blue otters is full", "request": "********"},
        accepted_start_time=Caller(echoing_node.address).status()["start_time"],
        fingerprint=probe(Address.parse(echoing_node.address)).certificate.fingerprint,
    )


def test_no_page_shows_a_nodes_message_to_others(ben, echoing_node, settings):
    settings.SETUP_WIZARD_NODES = [echoing_node.address]

    pages = [ben.approve(echoing_node), ben.fill(read_failure="on"), ben.open("/")]
    pages.append(ben.post("/setup/available/", address=echoing_node.address))
    pages += [ben.open(f"/setup/{ben.draft.pk}/{step}/") for step in ("action", "node")]

    for page in pages:
        assert leaks(page.content, PASSWORD) == []
        assert b"redis-old.example.com" not in page.content
    assert "cannot be used" in ben.open(f"/setup/{ben.draft.pk}/action/").content.decode()


def test_no_draft_stores_a_nodes_message(ben, echoing_node):
    ben.approve(echoing_node)
    ben.fill(read_failure="on")

    kept = json.dumps(list(Draft.objects.values("probe", "member_probe", "data")))

    assert "path_error" in kept
    assert leaks(kept.encode(), PASSWORD) == []
    assert "redis-old.example.com" not in kept


def test_an_api_probe_has_no_message_of_the_node(ben, echoing_node):
    token = tokens.issue(ben.user)
    answer = ben.client.post(
        "/api/v1/probe",
        {"address": echoing_node.address},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 200
    assert leaks(answer.content, PASSWORD) == []


def test_an_older_stored_probe_shows_no_message(echoing_node):
    document = probe(Address.parse(echoing_node.address)).as_json()
    document["answer"]["bootstrap_status"]["error_details"] = {"message": PASSWORD}

    read = Probe.from_json(document)

    assert read.answer.status.error_code == "path_error"
    assert read.answer.status.error_details == {}


def test_the_message_comes_from_the_attempt_with_that_start_time(ben, attempt, echoing_node):
    ben.approve(echoing_node)

    assert "the disk of the blue otters is full" in ben.text


def test_an_attempt_with_another_start_time_gives_no_message(ben, attempt, echoing_node):
    Attempt.objects.update(accepted_start_time="2026-01-01T00:00:00Z")

    ben.approve(echoing_node)

    assert "blue otters" not in ben.text
    assert "cannot be used" in ben.text


def test_who_may_not_see_the_attempt_sees_no_message(ben, attempt, echoing_node, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"

    ben.approve(echoing_node)

    assert "blue otters" not in ben.text
