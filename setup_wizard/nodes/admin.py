"""Approved certificates in the admin site."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from setup_wizard.access.admin_site import ReadOnlyAdmin
from setup_wizard.nodes.models import TrustedCertificate


@admin.register(TrustedCertificate)
class TrustedCertificates(ReadOnlyAdmin):
    """Read-only list of approved certificates."""

    list_display = ["address", "fingerprint", "origin", "cluster", "approved_by", "approved_at"]
    list_filter = ["origin", ("approved_by", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["approved_by"]
    search_fields = ["address", "host", "fingerprint", "cluster", "subject"]
    date_hierarchy = "approved_at"
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Approved certificates", **(extra_context or {})})
