"""Every duration that an attempt's life rests on, in seconds; `checks.py` asserts how they relate.

Reference: docs/failure-modes.md, D2 to D5 and the settings that hold.
"""

from datetime import timedelta

from setup_wizard.nodes.limits import GET_SECONDS, POST_SECONDS, VALIDATE_SECONDS

LEASE = timedelta(seconds=15)  # how long one worker may hold an attempt without renewing
LONGEST_LEASE = LEASE + timedelta(seconds=5)  # one that ends later was taken by a clock that was put back since
ENQUEUE_AGAIN = timedelta(seconds=5)  # a ring that nobody claimed is repeated
WORKER_LIMIT = 30.0  # no tick may take longer
SEND_WITHIN = 2.0  # G: an intent older than this is not sent any more
SETTLE_TIME = timedelta(seconds=20)  # Q: after this, a POST that changed nothing can no longer arrive
SUPERVISOR_LATENESS = 0.1
WORKER_THREADS = 32  # what docs/operations.md, docker-compose.yml and the demo start a worker with
SILENT_AT_ONCE = 20  # nodes that say nothing keep at most so many of them waiting
HEARTBEAT_EVERY = timedelta(seconds=5)
HEARTBEAT_STALE = timedelta(seconds=15)
CANARY_EVERY = timedelta(seconds=5)  # a task that only shows that somebody takes tasks
CANARY_STALE = timedelta(seconds=15)
CANARY_LIFE = 60.0  # while no worker is there they must not pile up in the queue
BROADCASTER_STALE = timedelta(seconds=15)  # it comes round once a second while somebody watches
BROADCASTER_QUESTION = 10.0  # a question to the database that takes longer is given up, with its thread
BANNER_EVERY = timedelta(seconds=12)  # so often an open page asks what does not work
TOLD_WITHIN = timedelta(seconds=30)  # a part that is wedged is named on every page
WEB_FORGOTTEN = timedelta(minutes=5)  # a web process that stopped without a farewell
MEASURES_EVERY = 5.0
BROKER_ANSWER = 1.0

UNKNOWN_LOOK = 1.0  # how often to look while it is not known whether a request arrived
SETTLE_STEP = timedelta(seconds=10)  # the most by which one look may bring Q on: a clock that jumps is not quiet
LONGEST_GAP = timedelta(seconds=30)  # the most by which one look may shorten the time to the deadline
LONGEST_PLAN = timedelta(minutes=1)  # nothing is planned further ahead; what is, was planned by a clock that went back
SILENCE_TOLD_AGAIN = timedelta(minutes=5)
SEND_WINDOW = timedelta(seconds=1)  # the precision of a node's start time

UNREACHABLE_AFTER = timedelta(minutes=5)  # a fresh node needs three to five minutes
SIGN_IN_TRIES = 2  # a new member may know the cluster's accounts a moment after it shows the certificate
SIGN_IN_AGAIN = timedelta(seconds=10)
REFUSED_PAIR_HELD = timedelta(minutes=15)  # so long the same credentials are not sent again to who refused them
LOCKOUT_THRESHOLD = 5  # a cluster's default: refused sign-ins, within the window, that lock the account
LOCKOUT_WINDOW = timedelta(minutes=15)
LOCKOUT_RESERVE = 2  # so many tries are left to the people who share the account
POLICY_FRESH = timedelta(hours=1)  # so long a cluster's policy is not read again
POLICY_BELIEVED = timedelta(days=1)  # an older one is believed only where it is stricter than the default
POLICY_KEPT = timedelta(days=30)
SIGN_INS_KEPT = timedelta(days=1)  # also the longest window that is kept to
ERROR_READS_APART = timedelta(seconds=2)
RESET_READS = 3
UNCHANGED_READS = 2
FAILED_TICKS_MOST = 6  # of our own, one right after the other
LONGEST_WAIT = 15.0  # between two tries
ABANDONED_AFTER = timedelta(days=7)

DRAFT_SECRET_LIFE = timedelta(minutes=15)
WAITING_SECRET_LIFE = timedelta(hours=24)
SPENT_SECRET_LIFE = timedelta(hours=24)  # from when they were last sent; used to search answers, never to sign in

__all__ = ["GET_SECONDS", "POST_SECONDS", "VALIDATE_SECONDS"]


def poll_interval(age: timedelta) -> float:
    """Say how long to wait between two looks at a node whose attempt is this old."""
    if age < timedelta(minutes=1):
        return 0.5
    if age < timedelta(minutes=5):
        return 1.0
    if age < timedelta(minutes=15):
        return 2.0
    return 5.0


def error_patience(max_retries: int | None, retry_time: int | None) -> float:
    """Say for how many seconds a node must say `error` until it is believed.

    A node that was asked to retry by itself may say it between two tries, `retry_time` seconds apart.
    """
    apart = ERROR_READS_APART.total_seconds()
    return apart + retry_time if max_retries and retry_time else apart
