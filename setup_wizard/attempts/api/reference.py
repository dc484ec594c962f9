"""The description of the API: as openapi.json for programs, and as a page for people."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from setup_wizard.attempts.api.calls import api
from setup_wizard.attempts.api.shapes import ROOT


@login_not_required
@require_safe
def show_schema(request: HttpRequest) -> HttpResponse:
    """Give the description for programs; it holds nothing that is not public."""
    del request
    return JsonResponse(schema())


@require_safe
def show_page(request: HttpRequest) -> HttpResponse:
    """Show the description to people who are signed in."""
    raise NotImplementedError


def schema() -> dict[str, Any]:
    """Describe every call, with the token that each of them wants."""
    document = dict(api.get_openapi_schema(path_prefix=f"{ROOT}/"))
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document
