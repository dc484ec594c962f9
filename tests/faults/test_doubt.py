"""Requests and answers that are lost, late, refused or somebody else's: found out, never sent twice into the dark."""

import pytest

from tests.faults import other_client
from tests.faults.journal_checks import check_journals, describe
from tests.faults.system import PASSWORD
from tests.faults.test_points import begin
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

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


def together(system, attempts):
    return {
        fault: (row["reason"] or row["state"], row["submits"], len(system.accepted(node)))
        for fault, attempt in attempts.items()
        for row, node in [(system.row(attempt), system.attempts[attempt])]
    }


def test_a_request_with_an_unknown_outcome_is_sent_once_more_at_most(system, note):
    system.supervisor()
    system.supervisor(name="second supervisor")
    system.worker()
    system.worker(name="second worker")
    operator = system.operator()
    attempts = {fault: begin(system, operator, faults=[fault]) for fault in LOST}
    # sent again too soon, this one would begin twice: what was held begins after our patience, and fails at once
    late = begin(system, operator, faults=["hold-post=12"], path="/nowhere/persist", validates=False)

    system.settled()

    assert together(system, attempts) == LOST
    assert together(system, {"late": late}) == {"late": ("node_error", 1, 1)}
    done = f"{len(system.attempts)} ways to lose, hold or refuse a POST, two of each process"
    note(done, describe(check_journals(system)))


def test_a_bootstrap_of_another_client_is_never_ours(system, note):
    """A 409 before, at and after our POST, and a POST of theirs in the place of ours that was lost."""
    operator = system.operator()
    before = begin(system, operator, pace=30)
    assert other_client.create(system.attempts[before]) == 200

    system.supervisor()
    pausing = system.worker("intent.committed=pause 1", threads=1)
    wait_until(lambda: system.row(before)["state"] == "needs_operator", seconds=60)
    during = begin(system, operator)
    wait_until(lambda: system.row(during)["submits"] == 1, seconds=60)
    assert other_client.create(system.attempts[during]) == 200
    wait_until(lambda: system.row(during)["state"] != "submitting", seconds=60)
    pausing.kill()

    system.worker()
    after = begin(system, operator, pace=3)
    wait_until(lambda: system.row(after)["state"] == "in_progress", seconds=60)
    assert other_client.create(system.attempts[after]) == 409
    instead = begin(system, operator, faults=["swallow=reset"])
    wait_until(lambda: system.row(instead)["state"] == "unknown", seconds=60)
    assert other_client.create(system.attempts[instead]) == 200
    same_words = begin(system, operator, faults=["swallow=reset"])
    wait_until(lambda: system.row(same_words)["state"] == "unknown", seconds=60)
    name = "redis-somebody-elses.example.com"
    assert other_client.create(system.attempts[same_words], cluster=name, password=PASSWORD) == 200
    system.settled()

    ended = {attempt: system.row(attempt)["reason"] or system.row(attempt)["state"] for attempt in system.attempts}
    assert ended[before] == "foreign_in_progress"
    assert ended[during] in FOREIGN
    assert ended[after] == "succeeded"
    assert ended[instead] in FOREIGN
    assert ended[same_words] in FOREIGN
    note("somebody else's POST before, at, after and instead of ours", describe(check_journals(system)))


def approve_what_it_shows(system, operator, attempt):
    seen = system.row(attempt)["seen_certificate"]
    seen = seen if isinstance(seen, dict) else system.parse(seen)
    operator.ask("choose", attempt=attempt, choice="approve-certificate", fingerprint=seen["fingerprint"])
