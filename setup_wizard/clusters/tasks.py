"""The Celery tasks."""

from uuid import UUID

from celery import shared_task
from structlog.contextvars import bound_contextvars

from setup_wizard.clusters import engine, looks


@shared_task
def advance_run(run_id: str) -> None:
    """Take a run further, if it is due and no other worker holds it."""
    with bound_contextvars(run=run_id):
        engine.advance(UUID(run_id))


@shared_task
def ask_nodes(batch: str) -> None:
    """Ask nodes of a plan who they are."""
    looks.answer(UUID(batch))
