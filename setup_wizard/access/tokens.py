"""API tokens: each belongs to a user, has 256 random bits, is shown once and stored as a digest.

`generate` and `digest` serve every kind of token, setup tokens too.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.models import ApiToken

PREFIX = "sw_"
PREFIX_LENGTH = len(PREFIX) + 8
SAVE_LAST_USE_EVERY = timedelta(minutes=1)
MAX_VALID = 50
_BEARER = re.compile(r"bearer +([A-Za-z0-9_-]{20,200}) *", re.IGNORECASE)


def generate() -> str:
    """Return 256 random bits as text that fits into a URL."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored in place of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class TooManyTokens(Exception):
    """The user has `MAX_VALID` tokens that work."""


@sensitive_variables()
def issue(user: User, *, by: User | None = None, name: str = "", lifetime: timedelta | None = None) -> str:
    """Create a token for `user`; it can be read only here. `by` is None on the command line.

    Raises:
        TooManyTokens: the user has too many already.
    """
    token = PREFIX + generate()
    with transaction.atomic():
        if by and _valid(timezone.now()).filter(user=user).count() >= MAX_VALID:
            raise TooManyTokens
        ApiToken.objects.create(
            user=user,
            made_by=by,
            name=name,
            prefix=token[:PREFIX_LENGTH],
            digest=digest(token),
            expires_at=timezone.now() + lifetime if lifetime else None,
        )
        audit.record(AccessAudit.TOKEN_MADE, by=by, target=_target(user, token))
    return token


@sensitive_variables()
def find_user(token: str) -> User | None:
    """Return the token's user; None when the token is unknown, expired or revoked, or the user is inactive.

    `last_used_at` is saved at most once a minute, so that most requests need no write.
    """
    now = timezone.now()
    found = _valid(now).filter(digest=digest(token)).select_related("user").first()
    if found is None:
        return None
    if found.last_used_at is None or found.last_used_at < now - SAVE_LAST_USE_EVERY:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user


@sensitive_variables()
def user_of_request(request: HttpRequest) -> User | None:
    """Return the user of a request by its `Authorization: Bearer` alone; cookies do not count."""
    given = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    return find_user(given[1]) if given else None


def revoke(user: User, token_or_prefix: str) -> int:
    """Revoke every token of `user` that begins like this; return how many."""
    matching = ApiToken.objects.filter(user=user, prefix=token_or_prefix[:PREFIX_LENGTH], revoked_at=None)
    with transaction.atomic():
        count = matching.update(revoked_at=timezone.now())
        if count:
            audit.record(AccessAudit.TOKEN_REVOKED, by=None, target=_target(user, token_or_prefix))
    return count


def revoke_one(token: ApiToken, *, by: User) -> bool:
    """Revoke a token; False when that was done before."""
    with transaction.atomic():
        if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            return False
        audit.record(AccessAudit.TOKEN_REVOKED, by=by, target=_target(token.user, token.prefix))
    return True


def _target(user: User, token: str) -> audit.Target:
    shown = token[:PREFIX_LENGTH]
    return audit.Target("token", shown, f"{shown}… of {user.get_username()}")


def _valid(now: datetime) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True)
