"""Killed and frozen at every named point of an attempt's way: at most one bootstrap, and everything goes on.

Each test is one system, in which many attempts run side by side, since what takes long is waiting: for the lease of the
dead (15 s) and for the quiet time of a POST that may have been lost (20 s).
"""

from itertools import count

import pytest

from setup_wizard.failpoints import Point
from tests.faults.conftest import LONG
from tests.faults.journal_checks import check_journals, describe
from tests.faults.system import Refused
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

RESUMED_WITHIN = 30
OVERDUE_SECONDS = 60
ENQUEUING = [Point.ENQUEUE_SEND, Point.ENQUEUE_SENT]
SWEEPS = [Point.SWEEP_COMMIT, Point.SWEEP_COMMITTED]
STARTS = [Point.START_COMMIT, Point.START_COMMITTED]
CHOICES = [Point.CHOICE_COMMIT, Point.CHOICE_COMMITTED]
RUNS = [point for point in Point if point.value.startswith("run.")]  # in test_runs
NOTICES = [point for point in Point if point.value.startswith("notice.")]  # in tests of notifications
IN_THE_WORKER = [point for point in Point if point not in {*ENQUEUING, *SWEEPS, *STARTS, *CHOICES, *RUNS, *NOTICES}]
IN_A_TRANSACTION = [point for point in IN_THE_WORKER if point.value.endswith(".commit")]
TO_FREEZE = [point for point in IN_THE_WORKER if point not in IN_A_TRANSACTION]
BEFORE_THE_BASELINE = [Point.CONNECT, Point.CONNECTED, Point.SECURED, Point.SEND_GET, Point.SENT_GET]
# a worker that dies before the first answer always leaves the same behind; `make chaos` tries all points
TO_KILL = [point for point in IN_THE_WORKER if LONG or point not in BEFORE_THE_BASELINE]
AROUND_THE_POST = [
    Point.CLAIM_COMMITTED,
    Point.RECEIVED_GET,
    Point.INTENT_COMMITTED,
    Point.SEND_POST,
    Point.SENT_POST,
    Point.RECEIVED_POST,
]
NODES = {
    "slow": {"pace": 4},
    "failing": {"path": "/nowhere/persist", "validates": False},  # a node that checked would never be sent it
    "answer reset": {"faults": ["drop-answer=reset"]},
    "answer silent": {"faults": ["drop-answer=silence"]},
    "answer 502": {"faults": ["drop-answer=502"]},
    "late": {"faults": ["hold-post=6"]},
}
WRITTEN_AT_START = ["attempts_attempt", "attempts_event", "access_auditevent WHERE action = 'start'"]
UNANSWERED = {"answer reset", "answer silent"}


def come_to(points, node):
    """The points that are passed with such a node: what never answers a POST is never heard."""
    return [point for point in points if not (point is Point.RECEIVED_POST and node in UNANSWERED)]


def begin(system, operator, *, faults=(), pace=0.1, validates=True, **words):
    return system.start(operator, system.node(*faults, pace=pace, validates=validates), **words)


def stop_at_each(system, points, action, ended, *, env=None, begin=begin, passes=1, retry_locked=False, **node):
    """Let one worker after another come to its point, with an attempt begun for each; gives the workers.

    With `retry_locked` a worker that was frozen while another of its threads wrote is killed, and the next one tries.
    """
    operator, workers, number = system.operator(), [], count(1)
    for point in points:
        # with one thread no other attempt of it holds SQLite's lock at the moment in which it freezes
        threads = 1 if action == "stop" else 16
        while True:
            name = f"worker-{next(number)}"
            worker = system.worker(f"{point.value}={action}:{passes}", name=name, threads=threads, env=env)
            try:
                begin(system, operator, **node)
            except Refused:
                # it may freeze with the work of an earlier worker, before this Start is through
                if not (retry_locked and system.database.is_locked()):
                    raise
            wait_until(lambda worker=worker: ended(worker), seconds=120)
            if not (retry_locked and system.database.is_locked()):
                break
            worker.kill()
        workers.append(worker)
    return workers


def check_it_goes_on(system, moment):
    """Progress within 30 s of a worker's return, for all that is not behind another node; gives the longest wait."""
    rows = {attempt: system.row(attempt) for attempt in system.attempts}
    moving = [attempt for attempt, row in rows.items() if row["ended_at"] is None and not row["blocked_by"]]
    waits = [system.resumed_by(attempt, moment) for attempt in moving]
    assert max(waits, default=0) < RESUMED_WITHIN
    system.settled()
    return max(waits, default=0)


def kill_at_each(system, rounds, *, begin=begin, **node):
    """Kill a worker at each point and pass, and have one more finish; gives how many, and what was found."""
    system.supervisor()
    killed = [
        worker
        for points, passes in rounds
        for worker in stop_at_each(
            system, points, "kill", lambda worker: not worker.is_up, begin=begin, passes=passes, **node
        )
    ]
    longest = check_it_goes_on(system, system.worker().back_at)
    assert all(worker.killed_itself for worker in killed)
    return len(killed), f"{describe(check_journals(system))}; back in {longest:.0f} s"


@pytest.mark.parametrize("node", ["fast", *(pytest.param(node, marks=pytest.mark.chaos) for node in NODES)])
def test_a_worker_killed_at_any_point_costs_nothing(system, note, node):
    points = come_to(IN_THE_WORKER, node) if node in NODES else TO_KILL

    killed, found = kill_at_each(system, [(points, 1)], **NODES.get(node, {}))

    note(f"kill -9 of the worker {killed} times, nodes: {node}", found)


def freeze_and_take_over(system, points, *, begin=begin, **node):
    """Freeze a worker at each point, let another one finish what they had begun, and only then let them go on."""
    system.supervisor()
    frozen = stop_at_each(
        system, points, "stop", lambda worker: worker.is_frozen, begin=begin, retry_locked=True, **node
    )
    second = system.worker(name="second")
    longest = check_it_goes_on(system, second.back_at)

    before = {attempt: (system.row(attempt), system.kinds(attempt)) for attempt in system.attempts}
    for worker in frozen:
        worker.thaw()
    for worker in frozen:
        wait_until(lambda worker=worker: not worker.is_frozen)
    for worker in frozen:
        system.wait_until_idle(worker)

    assert {attempt: (system.row(attempt), system.kinds(attempt)) for attempt in system.attempts} == before
    return f"{describe(check_journals(system))}; taken over in {longest:.0f} s"


@pytest.mark.parametrize(
    ("points", "node"),
    [
        pytest.param(AROUND_THE_POST, "fast", marks=pytest.mark.slow, id="around the POST"),
        *(pytest.param(TO_FREEZE, node, marks=pytest.mark.chaos, id=node) for node in ["fast", *NODES]),
    ],
)
def test_a_worker_frozen_around_the_post_sends_nothing_when_it_resumes(system, note, points, node):
    points = come_to(points, node)

    found = freeze_and_take_over(system, points, **NODES.get(node, {}))

    note(f"SIGSTOP of the worker at {len(points)} points, nodes: {node}", found)


@pytest.mark.chaos
@pytest.mark.parametrize("point", IN_A_TRANSACTION)
def test_a_worker_frozen_inside_a_transaction_only_delays_the_others(system, note, point):
    system.supervisor()
    [frozen] = stop_at_each(system, [point], "stop", lambda worker: worker.is_frozen)
    second = system.worker(name="second")

    wait_until(lambda: (system.now() - second.back_at).total_seconds() > 10, seconds=60)  # the time itself is tried
    frozen.thaw()

    system.settled()
    note(f"SIGSTOP for 10 s inside a transaction, {point.value}", describe(check_journals(system)))


@pytest.mark.chaos
def test_an_error_of_ours_at_any_point_costs_nothing_but_time(system, note):
    system.supervisor()
    operator = system.operator()
    system.worker(*(f"{point.value}=raise" for point in IN_THE_WORKER))
    for _ in IN_THE_WORKER:
        begin(system, operator)

    system.settled()

    note(f"an exception at {len(IN_THE_WORKER)} points of the worker", describe(check_journals(system)))


@pytest.mark.slow
def test_a_supervisor_killed_while_it_enqueues_is_replaced_by_any_other(system, note):
    """Two at once, each with its own point; then a third that stays."""
    operator, worker = system.operator(), system.worker()
    killed = [system.supervisor(f"{point.value}=kill:{nth}") for nth in (1, 4) for point in ENQUEUING]
    attempts = [begin(system, operator) for _ in range(4)]
    wait_until(lambda: not any(supervisor.is_up for supervisor in killed), seconds=120)
    last = system.supervisor()

    longest = check_it_goes_on(system, last.back_at)

    assert all(supervisor.killed_itself for supervisor in killed)
    assert worker.is_up
    assert {system.row(attempt)["state"] for attempt in attempts} == {"succeeded"}
    note(
        "kill -9 of four supervisors before and after a ring",
        f"{describe(check_journals(system))}; back in {longest:.0f} s",
    )


def test_a_process_killed_at_start_or_a_choice_commits_all_or_nothing(system, note):
    node, other = system.node(), system.node()
    before = system.operator("start.commit=kill")
    assert system.start(before, node) is None
    assert [system.database.read(f"SELECT id FROM {rows}") for rows in WRITTEN_AT_START] == [[], [], []]

    after = system.operator("start.committed=kill")
    assert system.start(after, node) is None
    [begun], [_], [_] = [
        [str(row["id"]) for row in system.database.read(f"SELECT id FROM {rows}")] for rows in WRITTEN_AT_START
    ]
    system.attempts[begun] = node
    second = system.start(system.operator(), other)
    half = system.operator("choice.commit=kill")
    assert half.ask("choose", attempt=second, choice="cancel") is None
    assert system.row(second)["state"] == "queued"
    whole = system.operator("choice.committed=kill")
    assert whole.ask("choose", attempt=second, choice="cancel") is None
    assert system.row(second)["state"] == "cancelled"
    system.worker()
    system.supervisor()
    system.settled()

    assert system.row(begun)["state"] == "succeeded"
    assert system.posts(other) == []
    note("kill -9 of web before and after the commit of Start and of a choice", describe(check_journals(system)))


@pytest.mark.chaos
@pytest.mark.parametrize("point", SWEEPS)
def test_any_supervisor_keeps_a_deadline_without_a_worker(system, note, point):
    """The first dies while it ends what is overdue; the worker had died after the request was sent."""
    more = {"env": {"SETUP_WIZARD_DEADLINE_SECONDS": str(OVERDUE_SECONDS)}}
    first = system.supervisor(f"{point.value}=kill", **more)
    stop_at_each(system, [Point.SENT_POST], "kill", lambda worker: not worker.is_up, **more)
    wait_until(lambda: not first.is_up, seconds=2 * OVERDUE_SECONDS)
    system.supervisor(**more)

    [row] = system.settled(seconds=120)

    assert first.killed_itself
    assert row["state"] == "needs_operator"
    assert (system.now() - system.as_time(row["deadline_at"])).total_seconds() < 60
    note(f"kill -9 of the supervisor at a deadline, {point.value}", describe(check_journals(system)))
