"""Attempts whose nodes are still there: a demo can replace its nodes by fresh ones at the same addresses."""

from django.db.models import QuerySet

from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes import renewal


def present() -> QuerySet[Attempt]:
    """Give every attempt but those on nodes that were replaced since: what those made is gone."""
    renewed = renewal.renewed_at()
    return Attempt.objects.filter(created_at__gt=renewed) if renewed else Attempt.objects.all()


def is_present(attempt: Attempt) -> bool:
    """Tell whether the attempt's node is still the one that it was about."""
    renewed = renewal.renewed_at()
    return renewed is None or attempt.created_at > renewed
