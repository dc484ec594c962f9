"""Old plans are deleted."""

from datetime import datetime, timedelta

from setup_wizard.clusters.models import Plan
from setup_wizard.worker.periodic import periodic

MAX_AGE = timedelta(days=30)


def register() -> None:
    """Let the supervisor delete plans that nobody started."""
    periodic.add(delete_old)


def delete_old(now: datetime) -> int:
    """Delete every plan that was not started and not changed for 30 days; return how many."""
    return Plan.objects.filter(run=None, updated_at__lt=now - MAX_AGE).delete()[0]
