"""Approved certificates in the admin site."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from setup_wizard.access import times
from setup_wizard.access.admin_site import ReadOnlyAdmin
from setup_wizard.access.permissions import Permission, signed_in_user
from setup_wizard.nodes import trust
from setup_wizard.nodes.models import TrustedCertificate

if TYPE_CHECKING:
    from django.db.models import QuerySet


class ApprovalFilter(admin.SimpleListFilter):
    """Whether the approval was withdrawn."""

    title = "approval"
    parameter_name = "approval"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [("valid", "Valid"), ("withdrawn", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        del request
        if self.value() in {"valid", "withdrawn"}:
            return queryset.filter(withdrawn_at__isnull=self.value() == "valid")
        return queryset


@admin.register(TrustedCertificate)
class TrustedCertificates(ReadOnlyAdmin):
    """Approved certificates; administrators can withdraw an approval, but not change one."""

    list_display = ["address", "fingerprint", "origin", "cluster", "approved_by", "approved", "withdrawn"]
    approved = times.column("approved_at", "Approved")
    withdrawn = times.column("withdrawn_at", "Withdrawn")
    list_filter = [
        ApprovalFilter,
        "origin",
        ("approved_by", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["approved_by"]
    search_fields = ["address", "host", "fingerprint", "cluster", "subject"]
    date_hierarchy = "approved_at"
    show_facets = admin.ShowFacets.NEVER
    actions = ["withdraw"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Approved certificates", **(extra_context or {})})

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ADMINISTER)

    @admin.action(permissions=["withdraw"], description="Withdraw the approval: the node was reinstalled or is gone")
    def withdraw(self, request: HttpRequest, chosen: "QuerySet[TrustedCertificate]") -> None:
        """Withdraw the selected approvals and write their audit entries: all or none."""
        by = signed_in_user(request)
        with transaction.atomic():
            count = sum(trust.withdraw_approval(approval, by=by) for approval in chosen)
        self.message_user(request, f"Approvals withdrawn: {count}. These certificates are no longer trusted.")
