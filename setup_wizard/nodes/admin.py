"""Approved certificates in the admin site."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format

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
    change_form_template = "nodes/approval.html"
    fields = [
        "address",
        "host",
        "fingerprint",
        "subject",
        "issuer",
        "valid",
        "origin",
        "cluster",
        "approved_by",
        "approved",
        "withdrawn",
    ]
    readonly_fields = ["valid", "approved", "withdrawn"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Approved certificates", **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one approval; a POST withdraws it."""
        can_withdraw = self.has_withdraw_permission(request)
        approval = self.get_object(request, unquote(object_id)) if request.method == "POST" else None
        if approval and can_withdraw and "withdraw" in request.POST:
            self._withdraw(request, [approval])
            return redirect("admin:nodes_trustedcertificate_change", approval.pk)
        context = {"title": "Approved certificate", "can_withdraw": can_withdraw, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="Valid")
    def valid(self, approval: TrustedCertificate) -> str:
        """From when until when the certificate is valid."""
        if not approval.not_before or not approval.not_after:
            return "unknown"
        return f"{date_format(approval.not_before)} to {date_format(approval.not_after)}"

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ADMINISTER)

    @admin.action(permissions=["withdraw"], description="Withdraw the approval (asks again next time)")
    def withdraw(self, request: HttpRequest, chosen: "QuerySet[TrustedCertificate]") -> None:
        """Withdraw the selected approvals and write their audit entries: all or none."""
        self._withdraw(request, chosen)

    def _withdraw(self, request: HttpRequest, chosen: Iterable[TrustedCertificate]) -> None:
        by = signed_in_user(request)
        with transaction.atomic():
            done = [approval for approval in chosen if trust.withdraw_approval(approval, by=by)]
        if not done:
            self.message_user(request, "No approval was withdrawn: that was done before.", messages.WARNING)
        elif len(done) == 1:
            text = f"1 approval withdrawn. The next setup of {done[0].address} asks to compare the certificate again."
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = (
                f"{len(done)} approvals withdrawn. The next setup of each node asks to compare its certificate again."
            )
            self.message_user(request, text, messages.SUCCESS)
