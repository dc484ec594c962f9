"""Whether a user may see an attempt, for pages that link to it."""

from django import template
from django.contrib.auth.models import User

from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt

register = template.Library()


@register.filter
def visible_to(attempt: Attempt | None, user: User) -> bool:
    """Tell whether `user` may see the attempt; False when there is none."""
    return attempt is not None and visibility.sees(user, attempt)
