"""System checks: durations, queue and database fit together, and the credential keys exist and are private."""

import os
import stat
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from setup_wizard.attempts import timing, vault
from setup_wizard.nodes.limits import CONNECT_SECONDS, DNS_SECONDS, TLS_SECONDS, UNACKNOWLEDGED_SECONDS


@register()
def time_limits_fit(**_: Any) -> list[CheckMessage]:
    """Refuse to start with durations that could let a second POST through or lose a lease during a send."""
    return [
        Error(
            f"attempts/timing.py and nodes/limits.py contradict each other: {promise} no longer holds.",
            id="attempts.E001",
        )
        for promise, holds in limits().items()
        if not holds
    ]


@register()
def queue_is_set(**_: Any) -> list[CheckMessage]:
    """Refuse to start with queue or database settings that could lose work, repeat it, delay it or leak it."""
    return [
        Error(f"A setting of Celery or the database breaks a promise: {promise} no longer holds.", id="attempts.E005")
        for promise, holds in {**queue(), **database(settings.DATABASES["default"])}.items()
        if not holds
    ]


def limits() -> dict[str, bool]:
    """What must hold between the durations. Reference: docs/failure-modes.md."""
    lease, settle = timing.LEASE.total_seconds(), timing.SETTLE_TIME.total_seconds()
    again = timing.ENQUEUE_AGAIN.total_seconds() + 1
    stale = max(timing.HEARTBEAT_STALE, timing.CANARY_STALE, timing.BROADCASTER_STALE)
    return {
        "connection and handshake fit into a GET": CONNECT_SECONDS + TLS_SECONDS <= timing.GET_SECONDS,
        "the GET fits into a lease": lease > timing.GET_SECONDS,
        "the GET and then the node's validation fit into one lease": (
            lease > timing.GET_SECONDS + timing.VALIDATE_SECONDS
        ),
        "the POST fits into the lease that its intent renews": lease > timing.SEND_WITHIN + timing.POST_SECONDS,
        "a lease ends before the worker's own limit": lease < timing.WORKER_LIMIT,
        "a tick ends before the worker's own limit": (
            DNS_SECONDS + timing.GET_SECONDS + timing.SEND_WITHIN + timing.POST_SECONDS < timing.WORKER_LIMIT
        ),
        "the settle time outlasts a late send": settle > timing.SEND_WITHIN + timing.POST_SECONDS,
        "the settle time outlasts what the kernel sends by itself": (
            settle > timing.SEND_WITHIN + UNACKNOWLEDGED_SECONDS
        ),
        "the settle time does so even when the clock jumps": (
            settle - timing.SETTLE_STEP.total_seconds() >= timing.SEND_WITHIN + timing.POST_SECONDS
        ),
        "a lost worker is replaced within 30 s": lease + again <= 30,
        "a tick is enqueued at most 0.1 s late": timing.SUPERVISOR_LATENESS <= 0.1,
        "a heartbeat may be missed once": 2 * timing.HEARTBEAT_EVERY < timing.HEARTBEAT_STALE,
        "a canary may be missed once": 2 * timing.CANARY_EVERY < timing.CANARY_STALE,
        "a canary outlives the time after which it is missed": timing.CANARY_STALE.total_seconds() < timing.CANARY_LIFE,
        "every page names a part that hangs in time": stale + timing.BANNER_EVERY < timing.REPORTED_WITHIN,
        "a hanging query of the streams is abandoned before they count as stuck": (
            timing.BROADCASTER_STALE.total_seconds() > timing.BROADCASTER_QUERY_TIMEOUT
        ),
        "the tries of one attempt stay below a cluster's default lockout": (
            timing.SIGN_IN_TRIES + 1 <= timing.LOCKOUT_THRESHOLD - timing.LOCKOUT_RESERVE
        ),
        "silent nodes leave threads for the others": timing.MAX_SILENT_NODES < timing.WORKER_THREADS,
        "secrets are purged within a minute": timing.HEARTBEAT_EVERY.total_seconds() < 60,
    }


def queue() -> dict[str, bool]:
    """What must hold for the queue. Reference: docs/failure-modes.md."""
    options: dict[str, Any] = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    retry: dict[str, Any] = settings.CELERY_TASK_PUBLISH_RETRY_POLICY
    frozen = options["socket_timeout"] * (1 + max(options["max_retries"], retry["max_retries"]))
    return {
        "a tick ends before the broker gives it to another worker": (
            timing.WORKER_LIMIT < options["visibility_timeout"] <= 60
        ),
        "the tasks of a killed worker soon go to another": (
            options["unacked_restore_interval"] <= 5 and options["unacked_restore_throttle"] <= 1
        ),
        "a half-open connection is noticed": (
            options["socket_connect_timeout"] <= 2
            and options["socket_timeout"] <= 5
            and options["health_check_interval"] <= 10
            and options["socket_keepalive"]
        ),
        "a frozen queue does not silence the supervisor": frozen < timing.HEARTBEAT_STALE.total_seconds(),
        "a publish that fails is retried once, at once": (
            settings.CELERY_TASK_PUBLISH_RETRY and retry["max_retries"] == 1 and retry["interval_max"] <= 0.2
        ),
        "a worker never stops trying to reach its broker": (
            settings.CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP and settings.CELERY_BROKER_CONNECTION_MAX_RETRIES is None
        ),
        "a tick is acknowledged when it is done": (
            settings.CELERY_TASK_ACKS_LATE and settings.CELERY_TASK_REJECT_ON_WORKER_LOST
        ),
        "a worker fetches no more tasks than it can run": settings.CELERY_WORKER_PREFETCH_MULTIPLIER == 1,
        "a short outage of the broker stops no tick": (
            not settings.CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS
        ),
        "a worker that is told to stop finishes its POST": (
            settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT >= timing.POST_SECONDS
        ),
        "results of tasks are not stored": (
            settings.CELERY_RESULT_BACKEND is None
            and settings.CELERY_TASK_IGNORE_RESULT
            and not settings.CELERY_RESULT_EXTENDED
        ),
        "messages are JSON, and nothing else is accepted": (
            settings.CELERY_TASK_SERIALIZER == "json" and settings.CELERY_ACCEPT_CONTENT == ["json"]
        ),
        "workers send no task events and take no remote commands": (
            not settings.CELERY_WORKER_SEND_TASK_EVENTS and not settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL
        ),
    }


def database(entry: dict[str, Any]) -> dict[str, bool]:
    """What must hold for the database. Reference: docs/failure-modes.md."""
    options, given = entry["OPTIONS"], str(entry["OPTIONS"].get("options", ""))
    is_file = entry["ENGINE"].endswith("sqlite3")
    return {
        "a write never fails because a read came first": not is_file or options["transaction_mode"] == "IMMEDIATE",
        "what was committed survives a power cut": (
            "synchronous=FULL" in options["init_command"] if is_file else "synchronous_commit=on" in given
        ),
        "a deleted secret is gone from the file": not is_file or "secure_delete=ON" in options["init_command"],
        "waiting for a lock has a timeout": options["timeout"] <= 20 if is_file else "lock_timeout=" in given,
        "no connection goes stale": entry["CONN_MAX_AGE"] == 0,
    }


@register()
def credential_keys_open(**_: Any) -> list[CheckMessage]:
    """Refuse to start without a usable key for the credentials, or with a key file that others may read."""
    errors: list[CheckMessage] = []
    try:
        vault.keys()
    except vault.KeyUnusable as problem:
        errors.append(Error(str(problem), id="attempts.E002"))
    if settings.SECRET_KEY in settings.SETUP_WIZARD_CREDENTIAL_KEYS:
        errors.append(
            Error(
                "A credential key is the same as SECRET_KEY, so a leaked SECRET_KEY would also expose passwords.",
                hint="Create a separate key: openssl rand -base64 32",
                id="attempts.E004",
            )
        )
    if path := os.environ.get("SETUP_WIZARD_CREDENTIAL_KEYS_FILE"):
        mode = Path(path).stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            errors.append(
                Error(
                    f"Other users can read {path}, which holds the credential keys.",
                    hint=f"chmod 600 {path}",
                    id="attempts.E003",
                )
            )
    return errors


@register()
def failpoints_are_off(**_: Any) -> list[CheckMessage]:
    """Refuse to start with failpoints outside the demo and DEBUG."""
    if not settings.SETUP_WIZARD_FAILPOINTS or settings.DEBUG or settings.SETUP_WIZARD_DEMO:
        return []
    return [
        Error(
            "SETUP_WIZARD_FAILPOINTS is set. It kills processes on purpose, is meant for tests only, and was ignored.",
            hint="Remove it from the environment.",
            id="attempts.E006",
        )
    ]
