"""The Celery tasks."""

from uuid import UUID

from celery import shared_task

from setup_wizard.notifications import deliveries, outbox


@shared_task
def read_events(cursor_id: str) -> None:
    """Make notices of the new events of one source."""
    outbox.read(UUID(cursor_id))


@shared_task
def deliver(delivery_id: str) -> None:
    """Try one delivery, if it is due and no other worker has it."""
    deliveries.deliver(UUID(delivery_id))
