"""One-time sign-in links, which open the demo without a password."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.tokens import digest, generate
from setup_wizard.project.demo.models import SignInLink

LIFETIME = timedelta(minutes=30)
ADMIN_NAME = "admin"


def create_link() -> str:
    """Create a link that signs the administrator in once, within `LIFETIME`.

    Returns its path, "/sign-in/<token>/"; the token can be read only here.
    """
    get_or_create_admin()  # can have an API token before anyone opens the link
    token = generate()
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now).delete()
    SignInLink.objects.create(digest=digest(token), expires_at=now + LIFETIME)
    return reverse("demo:sign-in", args=[token])


def redeem_link(token: str) -> User | None:
    """Use a link up and return the administrator; None when it is used, expired or unknown."""
    now = timezone.now()
    with transaction.atomic():
        usable = SignInLink.objects.filter(digest=digest(token), used_at=None, expires_at__gt=now)
        # One UPDATE decides: of any number of browsers that open the link at once, exactly one changes the row.
        if usable.update(used_at=now) != 1:
            return None
        return get_or_create_admin()


def get_or_create_admin() -> User:
    """Return the demo's administrator, created on first use without a password."""
    user, created = User.objects.get_or_create(username=ADMIN_NAME)
    if created:
        user.set_unusable_password()
    user.is_active = user.is_staff = user.is_superuser = True
    user.save()
    return user
