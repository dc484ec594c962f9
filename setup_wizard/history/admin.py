"""Attempts in the admin site: everything can be read, nothing changed; reviewers add notes and marks."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from setup_wizard.access import times
from setup_wizard.access.admin_site import ReadOnlyAdmin, StrictChangeList
from setup_wizard.access.permissions import signed_in_user
from setup_wizard.attempts import search_index, search_text
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.history import exports, reviews
from setup_wizard.history.forms import ReviewForm
from setup_wizard.history.listing import Row
from setup_wizard.history.pages import MAX_COUNT, in_order, with_marks
from setup_wizard.history.search import Column, by_person, has_index_by_time, people
from setup_wizard.live.panel import panel

# Generic for the type checker only.
if TYPE_CHECKING:
    AttemptPaginator = Paginator[Attempt]
else:
    AttemptPaginator = Paginator


class ErrorCodeFilter(admin.SimpleListFilter):
    """The error codes that nodes document."""

    title = "error code"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return [(code.value, code.value) for code in ErrorCode]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        del request
        return queryset.filter(error_code=self.value()) if self.value() else queryset


class PersonFilter(admin.SimpleListFilter):
    """The people who have started an attempt."""

    title = "started by"
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del model_admin
        return [(name, name) for name in people(signed_in_user(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        del request
        return by_person(queryset, self.value() or "")


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
            return queryset.filter(is_reviewed=self.value() == "yes")
        return queryset


class BoundedPaginator(AttemptPaginator):
    """Pages of the first 10,000 attempts that match: filters find the others."""

    @cached_property
    def count(self) -> int:
        """How many there are, at most `MAX_COUNT`; the list may have counted them already."""
        counted = getattr(self.object_list, "counted", None)
        return _count(cast("QuerySet[Attempt]", self.object_list)) if counted is None else int(counted)


class AttemptChangeList(StrictChangeList):
    """The list, in an order that an index has."""

    @property
    def is_cut(self) -> bool:
        """Whether there may be more attempts than the pages have."""
        return int(self.result_count) >= MAX_COUNT

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Attempt]:
        found: QuerySet[Attempt] = super().get_queryset(request, exclude_parameters)
        asked = str(self.get_ordering(request, found.order_by())[0])
        by_field = {column.fields[0]: column for column in Column}
        column = by_field.get(asked.removeprefix("-"), Column.WHEN)
        descending = asked.startswith("-") or asked not in by_field
        if column is Column.DURATION:
            found = found.filter(ended_at__isnull=False)
        is_narrow = bool(self.query) or (self.has_active_filters and column is not Column.WHEN)
        counted = _count(found) if is_narrow else None
        filters = {name.removesuffix("__exact") for name in self.get_filters_params()}
        is_few = counted is not None and counted < MAX_COUNT and not has_index_by_time(filters, column)
        few = counted if is_few else None
        ordered = with_marks(in_order(found, column, descending=descending, few=few))
        cast("Any", ordered).counted = counted  # for the paginator
        return ordered


def _count(found: QuerySet[Attempt]) -> int:
    return found.order_by()[:MAX_COUNT].count()


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """All attempts. Only the engine changes one; a review is a row beside it."""

    list_display = ["node", "setup", "state", "problem", "started_by", "when", "took", "reviewed"]
    list_filter = ["state", "action", ErrorCodeFilter, "created_at", PersonFilter, ReviewedFilter]
    sortable_by = ["node", "setup", "when", "took"]
    list_select_related = ["requested_by"]
    list_per_page = 25
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    search_fields = ["search_text"]
    when = times.column("created_at", "When")
    actions = ["mark_reviewed", "export_csv", "export_json"]

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        del request
        return AttemptChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Attempt], search_term: str
    ) -> tuple[QuerySet[Attempt], bool]:
        """Search as the list for everybody does."""
        del request
        parts = search_text.parts_of(search_term)
        return (queryset.filter(search_index.mentions(parts)) if parts else queryset), False

    @admin.display(description="Node", ordering="address")
    def node(self, attempt: Attempt) -> str:
        """The address of the node."""
        return attempt.address

    @admin.display(description="Setup", ordering="cluster_name")
    def setup(self, attempt: Attempt) -> str:
        """Action and cluster."""
        return Row(attempt).setup

    @admin.display(description="Problem")
    def problem(self, attempt: Attempt) -> str:
        """What is wrong, in words."""
        return Row(attempt).problem or "–"

    @admin.display(description="Started by")
    def started_by(self, attempt: Attempt) -> str:
        """Who pressed Start."""
        return attempt.requested_by.get_username()

    @admin.display(description="Duration", ordering="duration")
    def took(self, attempt: Attempt) -> str:  # under the name of the field, Django would show its seconds
        """The time from Start to the outcome."""
        return Row(attempt).duration or "–"

    @admin.display(description="Reviewed")
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
        reviews.record_export(queryset, "CSV", by=signed_in_user(request))
        return exports.export_csv(exports.rows_of(queryset))

    @admin.action(description="Export as JSON")
    def export_json(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> HttpResponseBase:
        """Export the selection for a program."""
        reviews.record_export(queryset, "JSON", by=signed_in_user(request))
        return exports.export_json(exports.rows_of(queryset))

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
