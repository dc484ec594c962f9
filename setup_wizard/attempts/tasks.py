"""The worker's door."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task
from structlog.contextvars import bound_contextvars

from setup_wizard.attempts import engine, measures
from setup_wizard.attempts.engine import schedule


@shared_task
def tick(attempt_id: str) -> None:
    """Take the attempt one step on, if it is due and nobody else holds it."""
    with bound_contextvars(attempt=attempt_id):
        if lease := engine.claim(UUID(attempt_id)):
            measures.taken_up(lease)
            held = bound_contextvars(node=lease.attempt.address, lease=lease.attempt.lease_token)
            with held, suppress(engine.LeaseLost):  # whoever moved it has written what counts
                engine.record(lease, measures.timed(engine.exchange, lease))  # the row says when the next tick is due


@shared_task
def canary() -> None:
    """Show that a worker really takes what is rung for."""
    schedule.beat(schedule.WORKER)
