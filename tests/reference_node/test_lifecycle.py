import pytest

from setup_wizard.reference_node import lifecycle
from setup_wizard.reference_node.errors import Busy, Failure
from setup_wizard.reference_node.lifecycle import Action, Phase, Progress, State

NOON = 1_800_000_000.25
RUNNING = lifecycle.begin(Progress(), Action.CREATE, NOON, 2.0)


def test_a_fresh_node_is_idle_and_has_no_times():
    assert Progress().document() == {"state": "idle"}


@pytest.mark.parametrize(("action", "state"), [(Action.CREATE, "creating_cluster"), (Action.JOIN, "joining_cluster")])
def test_a_bootstrap_goes_through_its_states_in_order(action, state):
    progress = lifecycle.begin(Progress(), action, NOON, 2.0)
    seen = [progress.state]

    progress = lifecycle.work(progress, NOON + 1, 2.0)
    seen.append(progress.state)
    progress = lifecycle.settle(progress, NOON + 2, 2.0)
    seen.append(progress.state)
    progress = lifecycle.complete(progress, NOON + 4)
    seen.append(progress.state)

    assert seen == ["initiated", state, state, "completed"]
    assert progress.document() == {
        "state": "completed",
        "start_time": "2027-01-15T08:00:00Z",
        "end_time": "2027-01-15T08:00:04Z",
    }


def test_the_stages_take_half_a_pace_and_one_and_a_half():
    begun = lifecycle.begin(Progress(), Action.CREATE, NOON, 2.0)
    working = lifecycle.work(begun, begun.due, 2.0)
    settling = lifecycle.settle(working, working.due, 2.0)

    assert begun.due - NOON == 1.0
    assert settling.due - begun.due == 3.0


def test_a_failure_shows_its_code_and_its_details():
    failed = lifecycle.fail(RUNNING, Failure("path_error", {"path": "/data"}), NOON + 1)

    assert failed.document()["error_code"] == "path_error"
    assert failed.document()["error_details"] == {"path": "/data"}
    assert failed.due is None


def test_the_next_request_after_an_error_clears_it():
    failed = lifecycle.fail(RUNNING, Failure("path_error"), NOON)

    again = lifecycle.begin(failed, Action.JOIN, NOON + 60, 2.0)

    assert again.state is State.INITIATED
    assert again.failure is None
    assert again.end_time is None


@pytest.mark.parametrize("later", [0.0, 0.3, -3600.0])
def test_start_times_grow_within_a_second_and_when_the_clock_is_set_back(later):
    failed = lifecycle.fail(RUNNING, Failure("path_error"), NOON)

    again = lifecycle.begin(failed, Action.CREATE, NOON + later, 2.0)

    assert again.start_time == RUNNING.start_time + 1
    assert lifecycle.complete(again, NOON).end_time >= again.start_time


@pytest.mark.parametrize("phase", [Phase.INITIATED, Phase.WORKING, Phase.SETTLING, Phase.COMPLETED])
def test_requests_are_refused_while_one_runs_and_after_completion(phase):
    with pytest.raises(Busy):
        lifecycle.begin(Progress(phase, Action.CREATE, int(NOON)), Action.CREATE, NOON, 2.0)
