"""What somebody may do here, and the one decorator by which every view says what it takes.

Four permissions, Django's own rows in Django's own tables, so that groups, superusers and the administration site work
on them as on any other. A view without the decorator is either open to strangers (`login_not_required`) or a mistake
that a test finds.

Reference: docs/failure-modes.md, W2.
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
NAMED = 5
SIGNED_IN = "whoever is signed in"


class Permission(StrEnum):
    """One thing that somebody may do; its value is what `user.has_perm` takes, its codename what templates name."""

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
        """What an administrator reads who puts a group together."""
        return _LABELS[self]


_LABELS = {
    Permission.READ: "May read attempts",
    Permission.OPERATE: "May set up nodes and decide about attempts",
    Permission.REVIEW: "May review attempts, and read the administration site",
    Permission.ADMINISTER: "May manage users and groups",
}


def needs(permission: Permission) -> Callable[[View], View]:
    """Let a view, synchronous or not, be reached only with this permission; the outermost decorator of the view.

    A stranger is sent to sign in, somebody without any permission is told whom to ask, and everybody else is refused
    with 403. The view carries its permission as `view.permission`.
    """

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):
            ask = cast("Callable[..., Awaitable[Any]]", view)

            @wraps(view)
            async def guard_later(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                # in one step, and in Django's own thread: each of its asynchronous steps may open a connection anew
                if not await sync_to_async(lambda: request.user.has_perm(permission))():
                    return await sync_to_async(refuse)(request)
                return await ask(request, *args, **kwargs)

            return cast("View", _declared(guard_later, permission))

        @wraps(view)
        def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.has_perm(permission):
                return refuse(request)
            return view(request, *args, **kwargs)

        return cast("View", _declared(guard, permission))

    return decorate


def needs_sign_in(view: View) -> View:
    """Let whoever is signed in reach a view, with a role or without; the middleware sends strangers to sign in."""
    view.permission = SIGNED_IN  # type: ignore[attr-defined]  # what the walk over all addresses reads
    return view


def refuse(request: HttpRequest) -> HttpResponse:
    """Answer a request that its user has no permission for.

    Raises:
        PermissionDenied: the user may do other things here.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if has_any(request.user):
        raise PermissionDenied
    return render(request, "access/no_role.html", {"administrators": administrators()}, status=403)


def has_any(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Tell whether there is anything that this user may do."""
    return any(cast("User", user).has_perm(permission) for permission in Permission)


def administrators() -> list[str]:
    """Name some of those who can give a role, for people who have none."""
    granted = Q(groups__permissions__codename=Permission.ADMINISTER.codename) & Q(
        groups__permissions__content_type__app_label="access"
    )
    found = User.objects.filter(Q(is_superuser=True) | granted, is_active=True).distinct().order_by("username")
    return [user.get_full_name() or user.get_username() for user in found[:NAMED]]


def _declared(guard: Callable[..., Any], permission: Permission) -> Any:
    guard.permission = permission  # type: ignore[attr-defined]  # what the walk over all addresses reads
    return guard
