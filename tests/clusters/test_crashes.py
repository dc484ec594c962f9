"""A worker that fails at any commit of a run: the run pauses, and goes on when it is resumed."""

import pytest

from setup_wizard import failpoints
from setup_wizard.attempts.models import Attempt
from setup_wizard.clusters import engine
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.failpoints import FailpointReached, Point
from tests.clusters.conftest import accepted_once, has_credentials, work

pytestmark = pytest.mark.django_db(transaction=True)

POINTS = [Point.RUN_STEP_COMMIT, Point.RUN_STEP_COMMITTED, Point.RUN_BEGUN, Point.RUN_COMMIT]


@pytest.fixture
def fail_at():
    """Let the worker fail the first time that it comes to a point."""
    yield lambda point: failpoints.arm([f"{point.value}=raise"])
    failpoints.arm([])


@pytest.mark.parametrize("point", POINTS)
def test_run_survives_a_worker_that_fails(begin, start_nodes, fail_at, maria, point):
    nodes = start_nodes(2)
    run = begin(nodes)
    fail_at(point)
    with pytest.raises(FailpointReached):
        work(run, until=lambda run: run.status.is_final)
    run.refresh_from_db()
    assert run.why is PauseReason.FAULT

    engine.choose(run.pk, engine.RunChoice.RESUME, by=maria)
    work(run, until=lambda run: run.status.is_final)

    assert run.status is RunState.SUCCEEDED
    assert accepted_once(nodes)
    assert Attempt.objects.count() == 2
    assert not has_credentials(run)
