"""Runs with real nodes, from Start to the end."""

import itertools

import pytest

from setup_wizard.attempts.states import State
from setup_wizard.clusters.decisions import RunState
from tests.clusters.conftest import attempts_of, has_credentials, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_run_brings_up_three_nodes_one_after_the_other(begin, three_nodes):
    run = work(begin(three_nodes), until=lambda run: run.status.is_final)

    attempts = attempts_of(run)
    assert run.status is RunState.SUCCEEDED
    assert [attempt.status for attempt in attempts] == [State.SUCCEEDED] * 3
    assert all(later.created_at >= earlier.ended_at for earlier, later in itertools.pairwise(attempts))
    assert not has_credentials(run)
