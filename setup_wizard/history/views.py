"""The list of attempts and its exports, the review and the report of one, and two compared."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.visibility import visible_to
from setup_wizard.history import exports, reviews
from setup_wizard.history.comparison import compare
from setup_wizard.history.figures import figures
from setup_wizard.history.forms import ReviewForm
from setup_wizard.history.listing import listing
from setup_wizard.history.reports import report_html, report_json
from setup_wizard.history.search import Search

UNCHANGED = 204
INVALID = 422


@needs(Permission.READ)
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """The attempts that the query asks for; the newest first by default."""
    found = listing(request.GET.dict(), reader=signed_in_user(request))
    response = render(request, "history/list.html", {"list": found})
    if not found.asks_for_filters:
        response["HX-Push-Url"] = found.url  # without the parameters that the form left empty
    return response


@needs(Permission.READ)
@in_background
@require_GET
def show_rows(request: HttpRequest) -> HttpResponse:
    """The part of the list that changes; 204 when its version is the one in `?seen=`."""
    found = listing(request.GET.dict(), reader=signed_in_user(request))
    seen = request.GET.get("seen", "")
    if seen == found.version:
        return HttpResponse(status=UNCHANGED)
    response = render(request, "history/_rows.html", {"list": found, "is_answer": True})
    if not seen and not found.is_filtered:  # the page has no filter form before the first row: load it whole
        response["HX-Refresh"] = "true"
    return response


@needs(Permission.READ)
@require_GET
def show_figures(request: HttpRequest) -> HttpResponse:
    """Show the pictures of some days."""
    found = figures(request.GET.dict(), reader=signed_in_user(request))
    return render(request, "history/figures.html", {"figures": found})


@needs(Permission.REVIEW)
@require_GET
def download_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Download all attempts that the query asks for, for a spreadsheet."""
    search, user = Search.parse(request.GET.dict()), signed_in_user(request)
    reviews.record_export(search.attempts(user), "CSV", by=user)
    return exports.export_csv(exports.rows_of_search(search, reader=user))


@needs(Permission.REVIEW)
@require_GET
def download_json(request: HttpRequest) -> StreamingHttpResponse:
    """Download all attempts that the query asks for, for a program."""
    search, user = Search.parse(request.GET.dict()), signed_in_user(request)
    reviews.record_export(search.attempts(user), "JSON", by=user)
    return exports.export_json(exports.rows_of_search(search, reader=user))


@needs(Permission.REVIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Add a note to an attempt, mark it as reviewed, or both; shows the form again when it was empty."""
    user, attempt = signed_in_user(request), _visible(request, attempt_id)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reviews.write(Attempt.objects.filter(pk=attempt.pk), by=user, **form.cleaned_data)
        return redirect("live:detail", attempt.pk)
    context = {
        "attempt": attempt,
        "form": form,
        "mark": getattr(attempt, "review_mark", None),
        "notes": attempt.review_notes.select_related("by"),
    }
    is_refused = request.method == "POST"
    return render(request, "history/review_attempt.html", context, status=INVALID if is_refused else 200)


@needs(Permission.READ)
@require_GET
def show_report(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Download the report of one attempt as an HTML file."""
    return report_html(_visible(request, attempt_id))


@needs(Permission.READ)
@require_GET
def show_report_as_json(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Download the report of one attempt as JSON."""
    return report_json(_visible(request, attempt_id))


@needs(Permission.READ)
@require_GET
def show_comparison(request: HttpRequest) -> HttpResponse:
    """Compare the attempts `?a=` and `?b=`; the form of the list sends them as two of `?attempt=`, in any order."""
    if "a" not in request.GET and "b" not in request.GET:
        return _redirect_to_comparison(request)
    first, second = (_visible(request, _parse_id(request.GET.get(name, ""))) for name in ("a", "b"))
    comparison = compare(first, second)
    return render(request, "history/compare.html", {"comparison": comparison})


def _redirect_to_comparison(request: HttpRequest) -> HttpResponse:
    ticked = set(request.GET.getlist("attempt"))
    if len(ticked) != len(("a", "b")):
        messages.warning(request, "Tick two attempts to compare them.")
        return redirect("history:list")
    found = sorted((_visible(request, _parse_id(text)) for text in ticked), key=lambda attempt: attempt.created_at)
    query = urlencode({name: attempt.pk for name, attempt in zip(("a", "b"), found, strict=True)})
    return redirect(f"{reverse('history:compare')}?{query}")


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _visible(request: HttpRequest, attempt_id: UUID) -> Attempt:
    return get_object_or_404(visible_to(signed_in_user(request)), pk=attempt_id)
