"""The worker's door."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task

from setup_wizard.attempts import engine


@shared_task
def tick(attempt_id: str) -> None:
    """Take the attempt one step on, if it is due and nobody else holds it."""
    if lease := engine.claim(UUID(attempt_id)):
        with suppress(engine.LeaseLost):  # whoever moved it has written what counts
            engine.record(lease, engine.exchange(lease))  # the row says when the next tick is due
