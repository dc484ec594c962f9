"""The administration site: whom it lets in, and what most of its pages have in common."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from setup_wizard.access import views
from setup_wizard.access.permissions import Permission, needs

# Generic for the type checker only.
if TYPE_CHECKING:
    AnyAdmin = ModelAdmin[Any]
else:
    AnyAdmin = ModelAdmin


class Site(AdminSite):
    """Reviewers and administrators come in, by the same door as everybody; `is_staff` means nothing here."""

    site_header = "Cluster setup"
    site_title = "Cluster setup"
    index_title = "Review and administration"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may see the site at all."""
        return request.user.has_perm(Permission.REVIEW)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Guard a page of the site as every other page is guarded, so that a refusal is said in the same words."""
        return needs(Permission.REVIEW)(super().admin_view(view, cacheable))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one page where people sign in."""
        del extra_context
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the one page where people change their password: Django's own counts no guesses and tells nobody."""
        del request, extra_context
        return redirect("access:password")

    def password_change_done(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Lead there too: nobody comes here after a change."""
        del request, extra_context
        return redirect("access:password")

    def logout(  # type: ignore[override]  # no page of its own is shown, which is all that the narrower type is about
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Sign out as every other page does."""
        del extra_context
        return views.sign_out(request)


class ReadOnly(AnyAdmin):
    """Rows to look at: nobody adds, changes or deletes one here."""

    permission = Permission.REVIEW

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the index lists them."""
        return request.user.has_perm(self.permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may be read."""
        del obj
        return request.user.has_perm(self.permission)

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Nobody."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        del request, obj
        return False
