"""Who is asking."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def signed_in_user(request: HttpRequest) -> User:
    """Give the user of a page that needs one.

    Raises:
        PermissionDenied: nobody is signed in; the middleware keeps such requests away from every page but a few.
    """
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
