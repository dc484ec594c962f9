"""Attempts in the admin site: everything can be read, nothing changed; reviewers add notes and marks."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format

from setup_wizard.access import audit
from setup_wizard.access.admin_site import ReadOnlyAdmin
from setup_wizard.access.permissions import signed_in_user
from setup_wizard.attempts.models import Attempt
from setup_wizard.history import exports, reviews
from setup_wizard.history.audit_actions import ReviewAudit
from setup_wizard.history.forms import ReviewForm
from setup_wizard.history.listing import Row
from setup_wizard.live.panel import panel


class ErrorCodeFilter(admin.SimpleListFilter):
    """The error codes of nodes that have occurred."""

    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        codes = Attempt.objects.exclude(error_code="").order_by("error_code").values_list("error_code", flat=True)
        return [(code, code) for code in codes.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        del request
        return queryset.filter(error_code=self.value()) if self.value() else queryset


class ReviewedFilter(admin.SimpleListFilter):
    """Whether somebody has reviewed the attempt."""

    title = "review"
    parameter_name = "reviewed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [("no", "Not reviewed"), ("yes", "Reviewed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        del request
        if self.value() in {"yes", "no"}:
            return queryset.filter(review_mark__isnull=self.value() == "no")
        return queryset


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """All attempts. Only the engine changes one; a review is a row beside it."""

    list_display = ["node", "setup", "state", "problem", "requested_by", "when", "duration", "reviewed"]
    list_filter = [
        "state",
        "action",
        ErrorCodeFilter,
        ("requested_by", admin.RelatedOnlyFieldListFilter),
        ReviewedFilter,
    ]
    list_select_related = ["requested_by", "review_mark__by"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    date_hierarchy = "created_at"
    search_fields = ["address", "host", "cluster_name", "member_address", "error_code", "reason"]
    actions = ["mark_reviewed", "export_csv", "export_json"]

    @admin.display(description="Node", ordering="address")
    def node(self, attempt: Attempt) -> str:
        """The address of the node."""
        return attempt.address

    @admin.display(description="Setup", ordering="cluster_name")
    def setup(self, attempt: Attempt) -> str:
        """Action and cluster."""
        return Row(attempt).setup

    @admin.display(description="Problem", ordering="error_code")
    def problem(self, attempt: Attempt) -> str:
        """What is wrong, in words."""
        return Row(attempt).problem or "–"

    @admin.display(description="When, UTC", ordering="created_at")
    def when(self, attempt: Attempt) -> str:
        """When it was started."""
        return date_format(attempt.created_at, "j M Y, H:i")

    @admin.display(description="Duration")
    def duration(self, attempt: Attempt) -> str:
        """The time from Start to the outcome."""
        return Row(attempt).duration or "–"

    @admin.display(description="Reviewed", ordering="review_mark__at")
    def reviewed(self, attempt: Attempt) -> str:
        """Who reviewed it."""
        mark = getattr(attempt, "review_mark", None)
        return f"by {mark.by.get_username()}" if mark else "–"

    @admin.action(description="Mark as reviewed")
    def mark_reviewed(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> None:
        """Mark those of the selection that are not marked yet."""
        new = reviews.write(queryset, by=signed_in_user(request), mark=True)
        noun = "attempt" if new == 1 else "attempts"
        self.message_user(request, f"{new} {noun} marked as reviewed.", messages.SUCCESS)

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> HttpResponseBase:
        """Export the selection for a spreadsheet."""
        _record_export(request, queryset, "CSV")
        return exports.export_csv(queryset)

    @admin.action(description="Export as JSON")
    def export_json(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> HttpResponseBase:
        """Export the selection for a program."""
        _record_export(request, queryset, "JSON")
        return exports.export_json(queryset)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Attempts", **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one attempt and its events; a POST adds a note, or marks it as reviewed.

        Raises:
            Http404: there is no such attempt.
        """
        del form_url
        attempt = self._found(request, object_id)
        form = ReviewForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reviews.write(Attempt.objects.filter(pk=attempt.pk), by=signed_in_user(request), **form.cleaned_data)
            return redirect("admin:attempts_attempt_change", attempt.pk)
        page = panel(attempt)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": page.title,
            "opts": self.opts,
            "panel": page,
            "timeline": page.events[::-1],
            "mark": getattr(attempt, "review_mark", None),
            "notes": attempt.review_notes.select_related("by"),
            "form": form,
        }
        return TemplateResponse(request, "history/review.html", context, status=422 if form.errors else 200)

    def _found(self, request: HttpRequest, object_id: str) -> Attempt:
        attempt: Attempt | None = self.get_object(request, object_id)
        if attempt is None:
            raise Http404
        return attempt


def _record_export(request: HttpRequest, attempts: QuerySet[Attempt], file_format: str) -> None:
    """Record the export before the first row is sent: if this fails there is no file."""
    count = attempts.count()
    target = audit.Target("attempts", "", f"{count:,} attempt{'' if count == 1 else 's'}")
    audit.record(ReviewAudit.EXPORT, by=signed_in_user(request), target=target, note=f"as {file_format}")
