"""The API tokens of all users, for administrators."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import times, tokens
from setup_wizard.access.account_forms import TokenForUserForm
from setup_wizard.access.admin_site import ReadOnlyAdmin
from setup_wizard.access.models import ApiToken
from setup_wizard.access.permissions import Permission, signed_in_user

if TYPE_CHECKING:
    from django.db.models import QuerySet


NEVER = "never"


class StateFilter(admin.SimpleListFilter):
    """Whether the token works."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [("valid", "Valid"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        del request
        if self.value() == "revoked":
            return queryset.filter(revoked_at__isnull=False)
        has_expired = Q(expires_at__isnull=False, expires_at__lte=timezone.now())
        wanted = {"valid": ~has_expired, "expired": has_expired}.get(str(self.value()))
        return queryset.filter(wanted, revoked_at=None) if wanted else queryset


@admin.register(ApiToken)
class ApiTokens(ReadOnlyAdmin):
    """API tokens: administrators create them for others, and revoke them; they see no token again."""

    permission = Permission.ADMINISTER
    list_display = ["start", "user", "name", "maker", "created", "last_used", "expires", "state"]
    created = times.column("created_at", "Created")
    list_filter = [
        ("user", admin.RelatedOnlyFieldListFilter),
        StateFilter,
    ]
    list_select_related = ["user", "made_by"]
    list_per_page = 50
    search_fields = ["prefix", "name", "user__username"]
    show_facets = admin.ShowFacets.NEVER
    fields = ["user", "name", "prefix", "made_by", "created_at", "last_used_at", "expires_at", "revoked_at"]
    actions = ["revoke"]

    @admin.display(description="Token", ordering="prefix")
    def start(self, token: ApiToken) -> str:
        return f"{token.prefix}…"

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, token: ApiToken) -> str:
        return times.relative(token.last_used_at) or NEVER

    @admin.display(description="Ends", ordering="expires_at")
    def expires(self, token: ApiToken) -> str:
        return times.relative(token.expires_at) or NEVER

    @admin.display(description="Made by")
    def maker(self, token: ApiToken) -> str:
        return str(token.made_by or "the command line")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "API tokens", **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return request.user.has_perm(self.permission)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    @sensitive_variables("token")
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Create a token for a user, and show it in the response to this request alone.

        Raises:
            PermissionDenied: the user is not an administrator.
        """
        del form_url
        if not self.has_add_permission(request):
            raise PermissionDenied
        by = signed_in_user(request)
        form = TokenForUserForm(request.POST or None, by=by)
        token = form.issue(form.cleaned_data["user"], by=by) if form.is_valid() else ""
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": "New API token",
            "opts": self.opts,
            "form": form,
            "token": token,
        }
        return TemplateResponse(request, "access/new_token.html", context, status=422 if form.errors else 200)

    @admin.action(permissions=["revoke"], description="Revoke the tokens")
    def revoke(self, request: HttpRequest, chosen: "QuerySet[ApiToken]") -> None:
        """Revoke the selected tokens, but none of a superuser, unless by another superuser."""
        by, count = signed_in_user(request), 0
        for token in chosen.select_related("user"):
            if token.user.is_superuser and not by.is_superuser:
                self.message_user(request, f"Only superusers can revoke {token}, a superuser.", messages.WARNING)
            else:
                count += tokens.revoke_one(token, by=by)
        if count:
            self.message_user(request, f"Tokens revoked: {count}. They no longer work.", messages.SUCCESS)
