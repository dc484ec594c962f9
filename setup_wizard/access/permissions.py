"""What users may do, and the decorator with which every view declares the permission it needs.

The four permissions are Django permissions, so groups, superusers and the admin site work as usual. A view
without the decorator is either public (`login_not_required`) or a mistake that a test finds.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

View = TypeVar("View", bound=Callable[..., Any])
MAX_ADMINISTRATORS = 5
SIGNED_IN = "every signed-in user"


class Permission(StrEnum):
    """A permission; its value is for `user.has_perm`, its codename for templates."""

    READ = "access.read"
    OPERATE = "access.operate"
    REVIEW = "access.review"
    ADMINISTER = "access.administer"

    @property
    def codename(self) -> str:
        """The name within the app: `perms.access.<codename>` in a template."""
        return self.value.partition(".")[2]

    @property
    def label(self) -> str:
        """The permission as administrators read it."""
        return _LABELS[self]


_LABELS = {
    Permission.READ: "May read attempts",
    Permission.OPERATE: "May set up nodes and decide about attempts",
    Permission.REVIEW: "May review attempts, and read the admin site",
    Permission.ADMINISTER: "May manage users and groups",
}


def needs(permission: Permission) -> Callable[[View], View]:
    """Require a permission for a view, synchronous or not; must be its outermost decorator.

    Anonymous users are sent to the sign-in page, users without any permission see who can grant one, and all others get
    403. The permission is readable as `view.permission`.
    """

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):
            async_view = cast("Callable[..., Awaitable[Any]]", view)

            @wraps(view)
            async def async_guard(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                # in one step, in Django's own thread: each of its asynchronous steps may open another connection
                if not await sync_to_async(lambda: request.user.has_perm(permission))():
                    return await sync_to_async(refuse)(request)
                return await async_view(request, *args, **kwargs)

            return cast("View", _declared(async_guard, permission))

        @wraps(view)
        def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.has_perm(permission):
                return refuse(request)
            return view(request, *args, **kwargs)

        return cast("View", _declared(guard, permission))

    return decorate


def needs_sign_in(view: View) -> View:
    """Open a view to every signed-in user, with or without a role; the middleware handles anonymous users."""
    view.permission = SIGNED_IN  # type: ignore[attr-defined]  # for the test that visits every URL
    return view


def signed_in_user(request: HttpRequest) -> User:
    """Return the user of a view that requires a sign-in.

    Raises:
        PermissionDenied: nobody is signed in; the middleware stops such requests before most views.
    """
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied


def refuse(request: HttpRequest) -> HttpResponse:
    """Answer a request that its user has no permission for.

    Raises:
        PermissionDenied: the user has other permissions.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if has_any(request.user):
        raise PermissionDenied
    return render(request, "access/no_role.html", {"administrators": administrators()}, status=403)


def has_any(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Tell whether the user has any permission."""
    return any(cast("User", user).has_perm(permission) for permission in Permission)


def administrators() -> list[str]:
    """Name some of the users who can grant a role."""
    granted = Q(groups__permissions__codename=Permission.ADMINISTER.codename) & Q(
        groups__permissions__content_type__app_label="access"
    )
    found = User.objects.filter(Q(is_superuser=True) | granted, is_active=True).distinct().order_by("username")
    return [user.get_full_name() or user.get_username() for user in found[:MAX_ADMINISTRATORS]]


def _declared(guard: Callable[..., Any], permission: Permission) -> Any:
    guard.permission = permission  # type: ignore[attr-defined]  # for the test that visits every URL
    return guard
