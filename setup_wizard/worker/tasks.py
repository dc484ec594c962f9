"""The worker's door."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task
from structlog.contextvars import bound_contextvars

from setup_wizard.attempts import engine
from setup_wizard.monitoring import health, heartbeats, histograms


@shared_task
def tick(attempt_id: str) -> None:
    """Take the attempt one step on, if it is due and nobody else holds it."""
    with bound_contextvars(attempt=attempt_id):
        if lease := engine.claim(UUID(attempt_id)):
            histograms.taken_up(lease)
            held = bound_contextvars(node=lease.attempt.address, lease=lease.token)
            with held, suppress(engine.LeaseLost):  # whoever moved it has written what counts
                _take_on(lease)


def _take_on(lease: engine.Lease) -> None:
    try:
        engine.record(lease, histograms.timed(engine.exchange, lease))  # the row says when the next tick is due
    except engine.LeaseLost:
        raise
    except Exception as problem:
        if not health.is_outage(problem):  # of one nothing could be written now; the lease ends by itself
            with suppress(engine.LeaseLost):
                engine.save_failure(lease, problem)
        raise


@shared_task
def canary() -> None:
    """Show that a worker really takes what is rung for."""
    heartbeats.beat(heartbeats.WORKER)
