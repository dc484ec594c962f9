"""The stages of an attempt, from what was written down about it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.durations import Usual
from setup_wizard.attempts.models import Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.live.panel import panel
from setup_wizard.live.stages import stages
from tests.attempts.attempt_rows import add_attempt

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

    assert list(found)[:3] == ["Queued", "Validated by the node", "Sent to the node"]
    assert found["Validated by the node"] == ("bad", "path_error")
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

    assert found["Validated by the node"][0] == mark
    assert found["Sent to the node"] == ("todo", "")


@pytest.mark.parametrize(
    ("was_validated", "note"), [(False, "validating the request"), (True, "connecting to the node")]
)
def test_the_stage_says_that_the_node_validates_until_it_has(shown, was_validated, note):
    found = shown("checking", state=State.CHECKING, was_validated=was_validated)

    assert found["Validated by the node"] == ("now", note)


def test_a_node_that_cannot_validate_is_shown_as_skipped(shown):
    found = shown("checking", "not_validated", "submitting", state=State.SUBMITTING, was_validated=True)

    assert found["Validated by the node"] == ("skipped", "skipped, see Events")
    assert found["Sent to the node"] == ("now", "sending the request")


def test_a_check_that_found_nothing_wrong_is_done(shown):
    found = shown("checking", "validated", "submitting", "accepted", state=State.IN_PROGRESS, was_validated=True)

    assert found["Validated by the node"] == ("done", "no problems found")
    assert found["Sent to the node"] == ("done", "accepted by the node")


def test_a_refused_request_is_still_the_sending_that_failed(shown):
    found = shown("checking", "validated", "submitting", state=State.FAILED, reason=Reason.REJECTED, was_validated=True)

    assert found["Validated by the node"][0] == "done"
    assert found["Sent to the node"] == ("bad", "rejected")


def test_an_attempt_from_before_the_check_has_every_stage(shown):
    found = shown("checking", "accepted", "succeeded")

    assert {mark for mark, _ in found.values()} == {"done"}


def add_events(attempt, *events):
    """Add events, each as (seconds since the attempt was created, kind, the node's state)."""
    for seq, (seconds, kind, node_state) in enumerate(events, start=2):
        Event.objects.create(
            attempt=attempt,
            seq=seq,
            kind=kind,
            message=kind,
            data={"node_state": node_state},
            at=attempt.created_at + timedelta(seconds=seconds),
        )


def test_a_stage_does_not_count_the_wait_for_a_person(maria):
    attempt = add_attempt(maria, took=60)
    add_events(
        attempt,
        (1, "needs_operator", ""),
        (19, "credentials", ""),
        (20, "checking", ""),
        (21, "submitting", ""),
        (22, "accepted", ""),
        (24, "node_state", "creating_cluster"),
        (26, "needs_operator", ""),
        (50, "certificate_approved", ""),
        (55, "node_state", "completed"),
    )

    took = [stage.took for stage in panel(attempt).stages]

    assert took == ["2.0 s", "1.0 s", "1.0 s", "2.0 s", "7.0 s", "5.0 s"]


@pytest.mark.parametrize(
    ("state", "reason", "headline"),
    [
        (State.SUCCEEDED, Reason.NONE, "Your cluster is up"),
        (State.FAILED, Reason.NODE_RESET, "Failed"),
        (State.CANCELLED, Reason.STOPPED, "No longer watched"),
    ],
)
def test_the_duration_names_the_time_spent_waiting_for_decisions(client, maria, state, reason, headline):
    attempt = add_attempt(maria, took=24 * 60, state=state, reason=reason)
    add_events(
        attempt, (10, "needs_operator", ""), (70, "keep_watching", ""), (90, "needs_operator", ""), (1350, "ours", "")
    )
    client.force_login(maria)

    page = client.get(f"/attempts/{attempt.pk}/").text

    assert panel(attempt).headline == headline
    assert ">after 24 min 0 s, of which 22 min 0 s waiting for a decision<" in page


def test_the_duration_of_an_attempt_without_decisions_is_plain(maria):
    assert panel(add_attempt(maria, took=16)).duration == "16 s"


def test_an_open_attempt_has_no_duration_yet(maria):
    attempt = add_attempt(maria, state=State.IN_PROGRESS)
    add_events(attempt, (1, "needs_operator", ""), (300, "keep_watching", ""))

    assert panel(attempt).duration == ""


def test_a_stopped_attempt_says_so_once(shown):
    found = shown("checking", "submitting", "accepted", state=State.CANCELLED, reason=Reason.STOPPED)

    assert found["Initiated"] == ("warn", "no longer watched")


@pytest.mark.parametrize("state", [State.QUEUED, State.IN_PROGRESS])
def test_times_that_go_on_leave_that_wait_out_too(maria, state):
    attempt = add_attempt(maria, state=state)
    add_events(attempt, (1, "needs_operator", ""), (19, "credentials", ""))

    shown = panel(attempt)

    assert shown.since == shown.stages[0].since == attempt.created_at + timedelta(seconds=18)


def test_an_attempt_that_waited_for_a_person_is_not_compared_with_others(maria):
    for number in range(5):
        add_attempt(maria, f"10.0.1.{number}:9443", took=16)
    add_events(add_attempt(maria, "10.0.0.7:9443", took=4000), (1, "needs_operator", ""), (3999, "credentials", ""))
    straight = add_attempt(maria, "10.0.0.8:9443", state=State.IN_PROGRESS)
    asked = add_attempt(maria, "10.0.0.9:9443", state=State.IN_PROGRESS)
    add_events(asked, (1, "needs_operator", ""), (300, "certificate_approved", ""))

    assert panel(straight).usual == Usual(16.0, 16.0)
    assert panel(asked).usual is None


@pytest.mark.parametrize(
    ("word", "headline"), [("initiated", "Initiated"), ("creating_cluster", "Creating the cluster")]
)
def test_the_headline_names_the_stage_that_goes_on(maria, word, headline):
    attempt = add_attempt(maria, state=State.IN_PROGRESS, node_state=word)
    add_events(attempt, (1, "checking", ""), (2, "submitting", ""), (3, "accepted", ""), (4, "node_state", word))

    shown = panel(attempt)

    assert shown.headline == headline == next(stage.title for stage in shown.stages if stage.mark == "now")


def test_somebody_elses_bootstrap_is_not_shown_as_ours(maria):
    attempt = add_attempt(maria, state=State.IN_PROGRESS, not_ours=True, node_state="creating_cluster")
    add_events(attempt, (1, "checking", ""), (2, "needs_operator", ""), (9, "keep_watching", ""))

    shown = panel(attempt)

    assert shown.headline == "Watching another bootstrap"
    assert [stage.note for stage in shown.stages if stage.mark == "now"] == ["another bootstrap is running"]
