"""The 409 that does not tell whose bootstrap runs: another's, ours from before, or ours that something sent twice."""

import pytest

from setup_wizard.failpoints import Point
from tests.faults import other_client
from tests.faults.journal_checks import check_journals, describe, sent_by_us
from tests.faults.test_doubt import approve_what_it_shows
from tests.faults.test_joins import clusters
from tests.faults.test_points import begin

pytestmark = [pytest.mark.faults, pytest.mark.chaos, pytest.mark.timeout(400)]

BEFORE_THE_INTENT = f"{Point.RECEIVED_GET.value}=pause 3:3"
"""Between baseline and intent: the validation before it has two answers."""
ONE_LATE_AND_ONE_HELD = ["hold-post=6.5:once:after=1", "hold-post=26:once"]
"""The first request counts after the quiet time, while the second one, sent then, is held."""


def test_a_409_to_the_only_request_is_never_our_bootstrap(system, note):
    """The other client is quicker by more than a second."""
    system.supervisor()
    operator, attempts = system.operator(), []
    for number in (1, 2):
        pausing = system.worker(BEFORE_THE_INTENT, name=f"worker-{number}", threads=1)
        attempts.append(begin(system, operator, pace=8))
        system.wait_for_failpoint(pausing, Point.RECEIVED_GET)
        assert other_client.create(system.attempts[attempts[-1]]) == 200
        system.settled()
        pausing.kill()
    for attempt in attempts:
        row, [answered] = system.row(attempt), sent_by_us(system.posts(system.attempts[attempt]))
        assert (row["reason"], row["baseline_state"], answered["status"]) == ("foreign_in_progress", "idle", 409)
    system.worker()
    watched, claimed = attempts

    operator.ask("choose", attempt=watched, choice="keep-watching")
    operator.ask("choose", attempt=claimed, choice="ours")
    system.settled()
    assert system.row(watched)["reason"] == "trust"  # their cluster's certificate, which was not allowed in advance
    approve_what_it_shows(system, operator, watched)
    system.settled()

    assert system.row(watched)["reason"] == "already_in_cluster"
    assert system.row(claimed)["reason"] == "credentials_refused"
    note("409 to the only POST, watched as theirs and claimed in vain", describe(check_journals(system)))


def test_a_409_to_a_second_request_after_a_lost_first_is_our_bootstrap(system, note):
    """The first one counts only after the baseline of the second."""
    system.supervisor()
    system.worker()
    attempt = begin(system, system.operator(), faults=ONE_LATE_AND_ONE_HELD, pace=8)

    [row] = system.settled()

    assert (row["state"], row["submits"]) == ("succeeded", 2)
    assert [line["status"] for line in system.posts(system.attempts[attempt])] == [200, 409]
    assert {"resubmitting", "conflict", "attributed"} <= set(system.kinds(attempt))
    note("409 to the second POST, after a first that was lost and late", describe(check_journals(system)))


def test_a_request_sent_twice_by_a_gateway_is_unconfirmed_at_first(system, note):
    """A create, a create that fails, and a join."""
    [member] = clusters(system, 1)
    created, failing, joined = (system.gateway(system.node(validates=False, alone=False)) for _ in range(3))
    system.supervisor()
    system.worker()
    operator = system.operator()
    create = system.start(operator, created)
    fail = system.start(operator, failing, path="/nowhere/persist")
    join = system.start(operator, joined, member=member)

    system.settled()
    assert system.row(create)["reason"] == "trust"  # in doubt, the certificate allowed in advance is not believed
    approve_what_it_shows(system, operator, create)
    rows = system.settled(create, fail, join)

    assert [row["reason"] or row["state"] for row in rows] == ["succeeded", "foreign_failed", "succeeded"]
    for attempt, node in system.attempts.items():
        assert [line["status"] for line in system.posts(node)] == [200, 409]
        assert {"conflict", "unconfirmed"} <= set(system.kinds(attempt))
    note("a gateway that sends each POST twice: create, failure, join", describe(check_journals(system)))
