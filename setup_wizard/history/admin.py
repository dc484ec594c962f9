"""Past attempts, for reviewers: everything to read, nothing to change, a note and a mark to leave behind."""

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


class ErrorCodes(admin.SimpleListFilter):
    """The node's own codes, those that have occurred."""

    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name them."""
        del request, model_admin
        codes = Attempt.objects.exclude(error_code="").order_by("error_code").values_list("error_code", flat=True)
        return [(code, code) for code in codes.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        """Leave the attempts that ended with the chosen one."""
        del request
        return queryset.filter(error_code=self.value()) if self.value() else queryset


class Reviewed(admin.SimpleListFilter):
    """Whether somebody has looked at it."""

    title = "review"
    parameter_name = "reviewed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two."""
        del request, model_admin
        return [("no", "Not reviewed"), ("yes", "Reviewed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        """Leave the attempts that are marked, or that are not."""
        del request
        if self.value() in {"yes", "no"}:
            return queryset.filter(review_mark__isnull=self.value() == "no")
        return queryset


@admin.register(Attempt)
class Attempts(ReadOnlyAdmin):
    """Past and present attempts. Only the engine changes one; a review is a row of its own beside it."""

    list_display = ["node", "what", "state", "why", "requested_by", "when", "took", "reviewed"]
    list_filter = ["state", "action", ErrorCodes, ("requested_by", admin.RelatedOnlyFieldListFilter), Reviewed]
    list_select_related = ["requested_by", "review_mark__by"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    date_hierarchy = "created_at"
    search_fields = ["address", "host", "cluster_name", "member_address", "error_code", "reason"]
    actions = ["mark_reviewed", "export_csv", "export_json"]

    @admin.display(description="Node", ordering="address")
    def node(self, attempt: Attempt) -> str:
        """Say which one."""
        return attempt.address

    @admin.display(description="What", ordering="cluster_name")
    def what(self, attempt: Attempt) -> str:
        """Say what was asked for."""
        return Row(attempt).what

    @admin.display(description="Why", ordering="error_code")
    def why(self, attempt: Attempt) -> str:
        """Say what went wrong, in words."""
        return Row(attempt).why or "–"

    @admin.display(description="When, UTC", ordering="created_at")
    def when(self, attempt: Attempt) -> str:
        """Say when it was started."""
        return date_format(attempt.created_at, "j M Y, H:i")

    @admin.display(description="Took")
    def took(self, attempt: Attempt) -> str:
        """Say for how long it went on."""
        return Row(attempt).took or "–"

    @admin.display(description="Reviewed", ordering="review_mark__at")
    def reviewed(self, attempt: Attempt) -> str:
        """Name who has looked at it."""
        mark = getattr(attempt, "review_mark", None)
        return f"by {mark.by.get_username()}" if mark else "–"

    @admin.action(description="Mark as reviewed")
    def mark_reviewed(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> None:
        """Mark the selection, as far as nobody has yet."""
        new = reviews.write(queryset, by=signed_in_user(request), mark=True)
        word = "attempt was" if new == 1 else "attempts were"
        self.message_user(request, f"{new} {word} marked as reviewed.", messages.SUCCESS)

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> HttpResponseBase:
        """Give the selection as a file for a spreadsheet."""
        _note_export(request, queryset, "CSV")
        return exports.export_csv(queryset)

    @admin.action(description="Export as JSON")
    def export_json(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> HttpResponseBase:
        """Give the selection as a file for a program."""
        _note_export(request, queryset, "JSON")
        return exports.export_json(queryset)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list."""
        return super().changelist_view(request, {"title": "Attempts", **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one attempt with all that happened in it; a POST adds a note, or marks it as reviewed.

        Raises:
            Http404: there is no such attempt.
        """
        del form_url
        attempt = self._found(request, object_id)
        form = ReviewForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reviews.write(Attempt.objects.filter(pk=attempt.pk), by=signed_in_user(request), **form.cleaned_data)
            return redirect("admin:attempts_attempt_change", attempt.pk)
        shown = panel(attempt)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": shown.title,
            "opts": self.opts,
            "panel": shown,
            "timeline": shown.events[::-1],
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


def _note_export(request: HttpRequest, chosen: QuerySet[Attempt], kind: str) -> None:
    """Put it down before the first row leaves: without that there is no file."""
    target = audit.Target("attempts", "", f"{chosen.count():,} of the list of attempts")
    audit.record(ReviewAudit.EXPORT, by=signed_in_user(request), target=target, note=f"as {kind}")
