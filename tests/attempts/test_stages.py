"""The stages of an attempt, from what was written down about it."""

import pytest
from django.utils import timezone

from setup_wizard.attempts.models import Event
from setup_wizard.attempts.stages import stages
from setup_wizard.attempts.states import Reason, State
from tests.attempts.rows import add_attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(maria):
    """The stages of an attempt with these fields and events, as title, mark and note."""

    def read(*kinds, **fields):
        attempt = add_attempt(maria, **fields)
        for seq, kind in enumerate(kinds, start=2):
            Event.objects.create(attempt=attempt, seq=seq, kind=kind, message=kind, at=timezone.now())
        return {stage.title: (stage.mark, stage.note) for stage in stages(attempt, attempt.events.all())}

    return read


def test_a_refused_check_is_the_stage_that_failed(shown):
    found = shown("checking", "failed", state=State.FAILED, reason=Reason.VALIDATION, error_code="path_error")

    assert list(found)[:3] == ["Queued", "Checked by the node", "Sent to the node"]
    assert found["Checked by the node"] == ("bad", "path_error")
    assert found["Sent to the node"] == ("todo", "")


@pytest.mark.parametrize(
    ("state", "reason", "mark"),
    [
        (State.FAILED, Reason.UNREACHABLE, "bad"),
        (State.FAILED, Reason.NOT_A_NODE, "bad"),
        (State.CANCELLED, Reason.CANCELLED, "warn"),
        (State.NEEDS_OPERATOR, Reason.TRUST, "warn"),
    ],
)
def test_what_ends_before_the_request_leaves_is_not_a_failed_sending(shown, state, reason, mark):
    found = shown("checking", state=state, reason=reason)

    assert found["Checked by the node"][0] == mark
    assert found["Sent to the node"] == ("todo", "")


def test_a_node_that_cannot_check_is_shown_as_skipped(shown):
    found = shown("checking", "not_checked", "submitting", state=State.SUBMITTING, was_checked=True)

    assert found["Checked by the node"] == ("skipped", "not checked: see the events")
    assert found["Sent to the node"] == ("now", "sending the request")


def test_a_check_that_found_nothing_wrong_is_done(shown):
    found = shown("checking", "checked", "submitting", "accepted", state=State.IN_PROGRESS, was_checked=True)

    assert found["Checked by the node"] == ("done", "nothing wrong found")
    assert found["Sent to the node"] == ("done", "accepted by the node")


def test_a_refused_request_is_still_the_sending_that_failed(shown):
    found = shown("checking", "checked", "submitting", state=State.FAILED, reason=Reason.REJECTED, was_checked=True)

    assert found["Checked by the node"][0] == "done"
    assert found["Sent to the node"] == ("bad", "rejected")


def test_an_attempt_from_before_the_check_has_every_stage(shown):
    found = shown("checking", "accepted", "succeeded")

    assert {mark for mark, _ in found.values()} == {"done"}
