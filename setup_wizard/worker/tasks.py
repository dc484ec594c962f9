"""The Celery tasks."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task
from structlog.contextvars import bound_contextvars

from setup_wizard.attempts import engine
from setup_wizard.monitoring import health, heartbeats, histograms


@shared_task
def tick(attempt_id: str) -> None:
    """Do one claim, one exchange, one commit, if the attempt is due and no other worker holds it."""
    with bound_contextvars(attempt=attempt_id):
        if lease := engine.claim(UUID(attempt_id)):
            histograms.count_claim(lease)
            held = bound_contextvars(node=lease.attempt.address, lease=lease.token)
            with held, suppress(engine.LeaseLost):  # another process moved the attempt and wrote the result
                _exchange(lease)


def _exchange(lease: engine.Lease) -> None:
    try:
        engine.record(lease, histograms.timed(engine.exchange, lease))  # the row says when the next tick is due
    except engine.LeaseLost:
        raise
    except Exception as problem:
        if not health.is_outage(problem):  # in an outage nothing can be written; the lease ends by itself
            with suppress(engine.LeaseLost):
                engine.save_failure(lease, problem)
        raise


@shared_task
def canary() -> None:
    """Show that a worker runs tasks."""
    heartbeats.beat(heartbeats.WORKER)
