"""One-time sign-in links, so that a demo can be opened without making up a password first."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.models import SignInLink

LIFETIME = timedelta(minutes=30)
ADMINISTRATOR = "admin"


def create_link() -> str:
    """Make a link that signs the administrator in once, within `LIFETIME`.

    Returns its path, "/sign-in/<token>/": the only time that the token can be read.
    Reference: docs/failure-modes.md, W1: 128 bits or more from a secure source, stored hashed.
    """
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now).delete()
    SignInLink.objects.create(digest=_digest(token), expires_at=now + LIFETIME)
    return reverse("access:link", args=[token])


def redeem_link(token: str) -> User | None:
    """Use a link up and return the administrator whom it signs in; None when it is used, late or unknown."""
    now = timezone.now()
    with transaction.atomic():
        usable = SignInLink.objects.filter(digest=_digest(token), used_at=None, expires_at__gt=now)
        # One UPDATE decides: of any number of browsers that open the link at once, exactly one changes the row.
        if usable.update(used_at=now) != 1:
            return None
        return administrator()


def administrator() -> User:
    """Give the demo's administrator, made on first use, without a password."""
    user, created = User.objects.get_or_create(username=ADMINISTRATOR)
    if created:
        user.set_unusable_password()
    user.is_active = user.is_staff = user.is_superuser = True
    user.save()
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
