"""Durations and limits of an attempt; plain floats are seconds. `checks.py` asserts how they relate.

Reference: docs/failure-modes.md explains the ones that guard the promise of a single bootstrap.
"""

from datetime import timedelta

from setup_wizard.nodes.limits import GET_SECONDS, POST_SECONDS, VALIDATE_SECONDS

LEASE = timedelta(seconds=15)  # how long one worker may hold an attempt without renewing
LONGEST_LEASE = LEASE + timedelta(seconds=5)  # a lease that ends later was taken before the clock was set back
ENQUEUE_AGAIN = timedelta(seconds=5)  # a tick that no worker claimed is enqueued again
WORKER_LIMIT = 30.0  # no tick may take longer
SEND_WITHIN = 2.0  # after this, an intent is too old to be sent
SETTLE_TIME = timedelta(seconds=20)  # after this, a POST that changed nothing can no longer arrive
SUPERVISOR_LATENESS = 0.1
WORKER_THREADS = 32  # what docs/operations.md, docker-compose.yml and the demo start a worker with
MAX_SILENT_NODES = 20  # silent nodes block at most this many threads
HEARTBEAT_EVERY = timedelta(seconds=5)
HEARTBEAT_STALE = timedelta(seconds=15)
CANARY_EVERY = timedelta(seconds=5)  # a task that only shows that a worker runs tasks
CANARY_STALE = timedelta(seconds=15)
CANARY_LIFE = 60.0  # without a worker they must not pile up in the queue
BROADCASTER_STALE = timedelta(seconds=15)  # with open streams it runs once a second
BROADCASTER_QUERY_TIMEOUT = 10.0  # a slower database query is abandoned, with its thread
BANNER_EVERY = timedelta(seconds=12)  # how often an open page asks what is down
REPORTED_WITHIN = timedelta(seconds=30)  # every page names a part that hangs within this time
WEB_HEARTBEAT_KEPT = timedelta(minutes=5)  # of a web process that died without removing its row
HISTOGRAMS_EVERY = 5.0
BROKER_TIMEOUT = 1.0

UNKNOWN_POLL_INTERVAL = 1.0  # while it is not known whether a request arrived
SETTLE_STEP = timedelta(seconds=10)  # the most that one poll may add to the settle time: clocks jump
LONGEST_GAP = timedelta(seconds=30)  # the most that one poll may take off the time to the deadline
LONGEST_DELAY = timedelta(minutes=1)  # a tick planned further ahead was planned before the clock was set back
SILENCE_REPORTED_AFTER = timedelta(minutes=5)
SEND_WINDOW = timedelta(seconds=1)  # the precision of a node's start time

UNREACHABLE_AFTER = timedelta(minutes=5)  # a new node needs three to five minutes
SIGN_IN_TRIES = 2  # a new member shows the cluster's certificate a moment before it knows the cluster's accounts
SIGN_IN_RETRY_AFTER = timedelta(seconds=10)
REFUSED_CREDENTIALS_HELD = timedelta(minutes=15)  # refused credentials are not sent to the same cluster again
LOCKOUT_THRESHOLD = 5  # a cluster's default: refused sign-ins within the window that lock the account
LOCKOUT_WINDOW = timedelta(minutes=15)
LOCKOUT_RESERVE = 2  # tries that are left for the people who share the account
POLICY_FRESH = timedelta(hours=1)  # a cluster's policy is read again after this
POLICY_TRUSTED = timedelta(days=1)  # an older policy is used only where it is stricter than the default
POLICY_KEPT = timedelta(days=30)
SIGN_INS_KEPT = timedelta(days=1)  # also the longest lockout window
ERROR_READS_APART = timedelta(seconds=2)
RESET_READS = 3
UNCHANGED_READS = 2
MAX_FAILED_TICKS = 6  # in a row, from a bug of ours
LONGEST_RETRY_PAUSE = 15.0
ABANDONED_AFTER = timedelta(days=7)

DRAFT_SECRET_LIFE = timedelta(minutes=15)
RETRY_SECRET_LIFE = timedelta(minutes=15)  # from the failure, for the person who started it
WAITING_SECRET_LIFE = timedelta(hours=24)
USED_SECRET_LIFE = timedelta(hours=24)  # from when they were last sent; to search answers for them, not to sign in

__all__ = ["GET_SECONDS", "POST_SECONDS", "VALIDATE_SECONDS"]


def poll_interval(age: timedelta) -> float:
    """Say how long to wait between two polls of a node whose attempt is this old."""
    if age < timedelta(minutes=1):
        return 0.5
    if age < timedelta(minutes=5):
        return 1.0
    if age < timedelta(minutes=15):
        return 2.0
    return 5.0


def error_patience(max_retries: int | None, retry_time: int | None) -> float:
    """Say for how many seconds a node must report `error` before the attempt fails.

    A node that was asked to retry may report it between two tries, `retry_time` seconds apart.
    """
    apart = ERROR_READS_APART.total_seconds()
    return apart + retry_time if max_retries and retry_time else apart
