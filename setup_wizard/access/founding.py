"""The first administrator: made once, on a page, by whoever can read a token on the server.

Reference: docs/failure-modes.md, W1: 128 bits or more from a secure source, stored hashed, once, within 30 minutes, and
not after five wrong tries.
"""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.access.deeds import Deed
from setup_wizard.access.models import SetupToken

LIFETIME = timedelta(minutes=30)
MOST_WRONG = 5


class TokenWrong(Exception):
    """The token is wrong, used or late: which of these is not said."""


class TokenLocked(Exception):
    """Too many wrong tokens were tried: only a new one works."""


class Founded(Exception):
    """There is an administrator already."""


def is_needed() -> bool:
    """Tell whether nobody may do everything here yet."""
    return not User.objects.filter(is_superuser=True).exists()


def create_token() -> str:
    """Make the only token that works from now on; what is returned is the only time that it can be read.

    Raises:
        Founded: it would open nothing.
    """
    if not is_needed():
        raise Founded
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SetupToken.objects.all().delete()
        SetupToken.objects.create(digest=_digest(token), expires_at=timezone.now() + LIFETIME)
        audit.record(Deed.SETUP_TOKEN_MADE, by=None)
    return token


@sensitive_variables("token")
def check(token: str) -> None:
    """Look whether the token works; one UPDATE compares it and counts it if it does not, however many come at once.

    Raises:
        Founded: there is an administrator meanwhile.
        TokenWrong: it does not work.
        TokenLocked: no token does, after too many wrong ones.
    """
    unused = SetupToken.objects.filter(used_at=None)
    is_right = When(digest=_digest(token), expires_at__gt=timezone.now(), then=F("wrong"))
    compared = unused.filter(wrong__lt=MOST_WRONG).update(wrong=Case(is_right, default=F("wrong") + 1))
    if compared and _working(token).exists():
        return
    if not is_needed():
        raise Founded
    raise TokenWrong if compared or not unused.exists() else TokenLocked


@sensitive_variables("token")
def use_up(token: str) -> None:
    """Use the token up, in the transaction that makes the administrator.

    Raises:
        Founded: somebody was faster.
        TokenWrong: it does not work any more.
    """
    if not is_needed():
        raise Founded
    # One UPDATE decides: of any number of browsers that bring the token at once, exactly one changes the row.
    if _working(token).update(used_at=timezone.now()) != 1:
        if not is_needed():  # another one has, while this one waited for the row
            raise Founded
        raise TokenWrong


def _working(token: str) -> QuerySet[SetupToken]:
    return SetupToken.objects.filter(digest=_digest(token), used_at=None, expires_at__gt=timezone.now())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
