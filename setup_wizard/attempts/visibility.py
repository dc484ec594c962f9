"""Which attempts somebody may see, and so decide about.

With SETUP_WIZARD_ATTEMPTS=own whoever may not review sees what they have started themselves; to them the attempts of
others are not there. That a node is taken, and by whom, is told all the same: they have to ask somebody.

Reference: docs/failure-modes.md, W2.
"""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts.models import Attempt

OWN = "own"


def seen_by(user: User, among: QuerySet[Attempt] | None = None) -> QuerySet[Attempt]:
    """Give the attempts, of all or of some, that `user` may see."""
    rows = Attempt.objects.all() if among is None else among
    return rows if _sees_all(user) else rows.filter(requested_by=user)


def sees(user: User, attempt: Attempt) -> bool:
    """Tell whether `user` may see this one."""
    return _sees_all(user) or attempt.requested_by_id == user.pk


def _sees_all(user: User) -> bool:
    return settings.SETUP_WIZARD_ATTEMPTS != OWN or user.has_perm(Permission.REVIEW)
