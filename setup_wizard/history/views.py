"""The list of attempts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.history.listing import listing

UNCHANGED = 204


@needs(Permission.READ)
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """The attempts that the query asks for; the newest first by default."""
    found = listing(request.GET.dict(), reader=signed_in_user(request))
    response = render(request, "history/list.html", {"list": found})
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
