"""What a run does next."""

import pytest

from setup_wizard.clusters.decisions import Next, NodeProgress, PauseReason, RunState, RunView, decide

TODO, DONE = NodeProgress.TODO, NodeProgress.DONE


def run(*nodes, state=RunState.RUNNING, **known):
    return RunView(state=state, nodes=nodes, **known)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (run(TODO, TODO), Next.CHOOSE_NODE),
        (run(NodeProgress.CHOSEN, TODO), Next.BEGIN),
        (run(NodeProgress.CHOSEN, pause_requested=True), Next.PAUSE),
        (run(NodeProgress.CHOSEN, is_permitted=False), Next.PAUSE),
        (run(DONE, NodeProgress.CHOSEN, is_fit=False), Next.CHECK_CLUSTER),
        (run(NodeProgress.MOVING, TODO), Next.NOTHING),
        (run(NodeProgress.FAILED, TODO), Next.PAUSE),
        (run(NodeProgress.NEEDS_OPERATOR, TODO), Next.PAUSE),
        (run(NodeProgress.SKIPPING, TODO), Next.CHECK_SKIPPED),
        (run(DONE, TODO, is_fit=False), Next.CHECK_CLUSTER),
        (run(DONE, TODO, pause_requested=True), Next.PAUSE),
        (run(DONE, TODO, pause_requested=True, is_fit=False), Next.PAUSE),
        (run(DONE, pause_requested=True), Next.SUCCEED),
        (run(DONE, TODO, has_credentials=False), Next.PAUSE),
        (run(DONE, TODO, is_permitted=False), Next.PAUSE),
        (run(DONE, DONE), Next.SUCCEED),
        (run(DONE, DONE, is_fit=False), Next.CHECK_CLUSTER),
        (run(DONE, NodeProgress.SKIPPED), Next.SUCCEED),
    ],
)
def test_running_run_goes_on(view, expected):
    assert decide(view).next is expected


@pytest.mark.parametrize("node", list(NodeProgress))
@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.STOPPED])
def test_ended_run_does_nothing(state, node):
    assert decide(run(node, state=state)).next is Next.NOTHING


@pytest.mark.parametrize("reason", [reason for reason in PauseReason if not reason.is_about_attempt])
@pytest.mark.parametrize("node", [TODO, NodeProgress.CHOSEN])
def test_paused_run_begins_no_node(reason, node):
    assert decide(run(DONE, node, state=RunState.PAUSED, reason=reason)).next is Next.NOTHING


@pytest.mark.parametrize("node", [NodeProgress.MOVING, DONE])
def test_run_resumes_when_the_attempt_goes_on(node):
    view = run(node, TODO, state=RunState.PAUSED, reason=PauseReason.ATTEMPT_NEEDS_OPERATOR)

    assert decide(view).next is Next.RESUME
