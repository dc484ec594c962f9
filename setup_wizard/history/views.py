"""The list of attempts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.history.listing import listing
from setup_wizard.history.search import Search

NOT_NEW = 204


@needs(Permission.READ)
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """The attempts that the address asks for, the newest first unless it says otherwise."""
    shown = listing(Search.parse(request.GET.dict()), request.GET.get("page"), reader=signed_in_user(request))
    answer = render(request, "history/list.html", {"list": shown})
    answer["HX-Push-Url"] = shown.url  # what a form leaves empty need not stand in the address
    return answer


@needs(Permission.READ)
@in_background
@require_GET
def show_rows(request: HttpRequest) -> HttpResponse:
    """The part of the list that changes; 204 when it is still the one that `?seen=` names."""
    shown = listing(Search.parse(request.GET.dict()), request.GET.get("page"), reader=signed_in_user(request))
    seen = request.GET.get("seen", "")
    if seen == shown.version:
        return HttpResponse(status=NOT_NEW)
    answer = render(request, "history/_rows.html", {"list": shown, "is_answer": True})
    if not seen and not shown.search.is_filtered:  # the form comes with the first row: the page has none yet
        answer["HX-Refresh"] = "true"
    return answer
