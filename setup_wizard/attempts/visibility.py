"""Which attempts a user may see and change.

With SETUP_WIZARD_ATTEMPTS=own, users without the review permission see only their own attempts. They still see that
another user holds a node, so that they know who to ask.
"""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts.models import Attempt

OWN = "own"


def visible_to(user: User, among: QuerySet[Attempt] | None = None) -> QuerySet[Attempt]:
    """Give the attempts that `user` may see, out of all or of some."""
    rows = Attempt.objects.all() if among is None else among
    return rows if sees_all(user) else rows.filter(requested_by=user)


def sees(user: User, attempt: Attempt) -> bool:
    """Tell whether `user` may see this attempt."""
    return sees_all(user) or attempt.requested_by_id == user.pk


def sees_all(user: User) -> bool:
    """Tell whether `user` may see the attempts of everybody."""
    return settings.SETUP_WIZARD_ATTEMPTS != OWN or user.has_perm(Permission.REVIEW)
