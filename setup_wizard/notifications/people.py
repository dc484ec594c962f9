"""Which people a notice is for, and what each chose."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts import visibility
from setup_wizard.notifications.models import Notice, NoticeKind, Preferences


def preferences_of(user: User) -> Preferences:
    """Return what this person chose, or the defaults, which are not saved."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


def wanting_email(notice: Notice) -> Iterable[User]:
    """Give the people who want this by e-mail, may see it, and have an address."""
    chosen = Preferences.objects.filter(_wants(notice.kind), told_since__lte=notice.at, user__is_active=True)
    for preferences in chosen.exclude(user__email="").select_related("user"):
        user = preferences.user
        is_own = notice.starter_id == user.pk
        if user.has_perm(Permission.READ) and (is_own or (preferences.all_setups and visibility.sees_all(user))):
            yield user


def notices_for(user: User) -> QuerySet[Notice]:
    """Return the notices about setups that this person wants to hear of and may see."""
    notices = Notice.objects.exclude(kind=NoticeKind.TEST)
    if preferences_of(user).all_setups and visibility.sees_all(user):
        return notices
    return notices.filter(starter_id=user.pk)


def _wants(kind: str) -> Q:
    match NoticeKind(kind):
        case NoticeKind.ENDED:
            return Q(email_on_ended=True)
        case NoticeKind.NEEDS_OPERATOR:
            return Q(email_on_needs_operator=True)
        case NoticeKind.RUN_ENDED:
            return Q(email_on_run_ended=True)
        case _:
            return Q(pk__in=[])
