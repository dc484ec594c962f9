"""The first administrator: created once, on a page, by someone who can read a setup token on the server.

The token has 256 random bits and is stored hashed. It works once, within 30 minutes, and not after five wrong tokens.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.models import SetupToken
from setup_wizard.access.tokens import digest, generate

LIFETIME = timedelta(minutes=30)
MAX_WRONG_TOKENS = 5


class WrongToken(Exception):
    """The token is wrong, used or expired; the page does not say which."""


class TokenLocked(Exception):
    """Too many wrong tokens were entered: only a new one works."""


class AdminExists(Exception):
    """There is an administrator already."""


def is_needed() -> bool:
    """Tell whether there is no administrator yet."""
    return not User.objects.filter(is_superuser=True).exists()


def create_token() -> str:
    """Create a setup token, which replaces any earlier one; it can be read only here.

    Raises:
        AdminExists: the token would be of no use.
    """
    if not is_needed():
        raise AdminExists
    token = generate()
    with transaction.atomic():
        SetupToken.objects.all().delete()
        SetupToken.objects.create(digest=digest(token), expires_at=timezone.now() + LIFETIME)
        audit.record(AccessAudit.SETUP_TOKEN_MADE, by=None)
    return token


@sensitive_variables("token")
def check(token: str) -> None:
    """Check the token; a single UPDATE compares it and counts a wrong one, however many requests arrive at once.

    Raises:
        AdminExists: an administrator has been created meanwhile.
        WrongToken: the token does not work.
        TokenLocked: no token works, after too many wrong ones.
    """
    unused = SetupToken.objects.filter(used_at=None)
    is_right = When(digest=digest(token), expires_at__gt=timezone.now(), then=F("wrong_count"))
    compared = unused.filter(wrong_count__lt=MAX_WRONG_TOKENS).update(
        wrong_count=Case(is_right, default=F("wrong_count") + 1)
    )
    if compared and _valid(token).exists():
        return
    if not is_needed():
        raise AdminExists
    raise WrongToken if compared or not unused.exists() else TokenLocked


@sensitive_variables("token")
def use_up(token: str) -> None:
    """Use the token up, in the transaction that creates the administrator.

    Raises:
        AdminExists: another request was faster.
        WrongToken: the token no longer works.
    """
    if not is_needed():
        raise AdminExists
    # One UPDATE decides: of any number of browsers that send the token at once, exactly one changes the row.
    if _valid(token).update(used_at=timezone.now()) != 1:
        if not is_needed():  # another request has, while this one waited for the row
            raise AdminExists
        raise WrongToken


def _valid(token: str) -> QuerySet[SetupToken]:
    return SetupToken.objects.filter(digest=digest(token), used_at=None, expires_at__gt=timezone.now())
