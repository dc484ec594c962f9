"""Requests and answers that are lost, late, refused or somebody else's: found out, never sent twice into the dark."""

import pytest

from tests.faults import strangers
from tests.faults.judge import describe, judge
from tests.faults.test_points import begin
from tests.faults.world import PASSWORD
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

LOST = {
    # what the node does: how it ends, how often we mean to send, how many of those count
    "drop-answer=reset": ("succeeded", 1, 1),
    "drop-answer=silence": ("succeeded", 1, 1),
    "drop-answer=half": ("succeeded", 1, 1),
    "drop-answer=502": ("succeeded", 1, 1),
    "hold-post=6": ("succeeded", 1, 1),
    "hold-post=12": ("succeeded", 1, 1),
    "swallow=reset": ("succeeded", 2, 1),
    "swallow=silence": ("succeeded", 2, 1),
    "swallow=502": ("succeeded", 2, 1),
    "answer=400": ("rejected", 1, 0),
    "answer=405": ("unsupported_action", 1, 0),
    "html:post": ("succeeded", 1, 1),
}
FOREIGN = {"foreign_in_progress", "foreign_cluster", "credentials_refused"}


def together(world, attempts):
    return {
        fault: (row["reason"] or row["state"], row["submits"], len(world.accepted(node)))
        for fault, attempt in attempts.items()
        for row, node in [(world.row(attempt), world.attempts[attempt])]
    }


def test_a_request_whose_fate_is_unknown_is_looked_into_and_sent_once_more_at_most(world, note):
    world.supervisor()
    world.supervisor(name="second supervisor")
    world.worker()
    world.worker(name="second worker")
    operator = world.operator()
    attempts = {fault: begin(world, operator, faults=[fault]) for fault in LOST}
    # sent again too soon, this one would begin twice: what was held begins after our patience, and fails at once
    late = begin(world, operator, faults=["hold-post=12"], path="/nowhere/persist", validates=False)

    world.settled()

    assert together(world, attempts) == LOST
    assert together(world, {"late": late}) == {"late": ("node_error", 1, 1)}
    done = f"{len(world.attempts)} ways to lose, hold or refuse a POST, two of each process"
    note(done, describe(judge(world)))


@pytest.mark.chaos
def test_what_a_node_never_takes_rests_and_is_sent_again_on_request_alone(world, note):
    operator = world.operator()
    world.supervisor()
    world.worker()
    resting = begin(world, operator, faults=["swallow=reset:all"])
    world.settled()
    assert together(world, {"all": resting}) == {"all": ("not_accepted", 2, 0)}

    operator.ask("choose", attempt=resting, choice="send-again")
    wait_until(lambda: len(world.posts(world.attempts[resting])) == 3, seconds=60)
    world.settled()

    assert world.row(resting)["state"] == "needs_operator"
    note("a node that swallows every POST, sent again on request", describe(judge(world)))


@pytest.mark.slow
def test_somebody_elses_bootstrap_is_never_ours(world, note):
    """A 409 before, at and after our POST, and a POST of theirs in the place of ours that was lost."""
    operator = world.operator()
    before = begin(world, operator, pace=30)
    assert strangers.create(world.attempts[before]) == 200

    world.supervisor()
    pausing = world.worker("intent.committed=pause 1", threads=1)
    wait_until(lambda: world.row(before)["state"] == "needs_operator", seconds=60)
    during = begin(world, operator)
    wait_until(lambda: world.row(during)["submits"] == 1, seconds=60)
    assert strangers.create(world.attempts[during]) == 200
    wait_until(lambda: world.row(during)["state"] != "submitting", seconds=60)
    pausing.kill()

    world.worker()
    after = begin(world, operator, pace=3)
    wait_until(lambda: world.row(after)["state"] == "in_progress", seconds=60)
    assert strangers.create(world.attempts[after]) == 409
    instead = begin(world, operator, faults=["swallow=reset"])
    wait_until(lambda: world.row(instead)["state"] == "unknown", seconds=60)
    assert strangers.create(world.attempts[instead]) == 200
    same_words = begin(world, operator, faults=["swallow=reset"])
    wait_until(lambda: world.row(same_words)["state"] == "unknown", seconds=60)
    name = "redis-somebody-elses.example.com"
    assert strangers.create(world.attempts[same_words], cluster=name, password=PASSWORD) == 200
    world.settled()

    ended = {attempt: world.row(attempt)["reason"] or world.row(attempt)["state"] for attempt in world.attempts}
    assert ended[before] == "foreign_in_progress"
    assert ended[during] in FOREIGN
    assert ended[after] == "succeeded"
    assert ended[instead] in FOREIGN
    assert ended[same_words] in FOREIGN
    note("somebody else's POST before, at, after and instead of ours", describe(judge(world)))


def approve_what_it_shows(world, operator, attempt):
    seen = world.row(attempt)["seen_certificate"]
    seen = seen if isinstance(seen, dict) else world.parse(seen)
    operator.ask("choose", attempt=attempt, choice="approve-certificate", fingerprint=seen["fingerprint"])


@pytest.mark.chaos
def test_a_new_certificate_that_nobody_allowed_waits_for_approval_and_for_a_worker_that_is_killed(world, note):
    operator = world.operator()
    world.supervisor()
    first = world.worker("record.commit=kill:4")
    attempt = begin(world, operator, accept_new_certificate=False)
    wait_until(lambda: not first.is_up or world.row(attempt)["reason"] == "trust", seconds=120)
    world.worker()
    wait_until(lambda: world.row(attempt)["reason"] == "trust", seconds=120)

    assert world.database.has_secret(attempt)
    approve_what_it_shows(world, operator, attempt)
    [row] = world.settled()

    assert row["state"] == "succeeded"
    note("a certificate nobody allowed, approved later; worker killed", describe(judge(world)))
