"""The account page: the user's own role, time zone and API tokens."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from setup_wizard.access import tokens
from setup_wizard.access.account_forms import TimeZoneForm, TokenForm
from setup_wizard.access.models import ApiToken, Preferences
from setup_wizard.access.permissions import needs_sign_in, signed_in_user
from setup_wizard.access.roles import held_by
from setup_wizard.access.throttle import limited


@needs_sign_in
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the account of the user."""
    return _page(request)


@needs_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
@limited
def save_time_zone(request: HttpRequest) -> HttpResponse:
    """Save the time zone, and show the account; GET only shows it, after a reload."""
    if request.method != "POST":
        return redirect("access:account")
    form = TimeZoneForm(request.POST)
    if not form.is_valid():
        return _page(request, zone_form=form)
    zone = form.cleaned_data["time_zone"]
    Preferences.objects.update_or_create(user=signed_in_user(request), defaults={"time_zone": zone})
    messages.success(request, f"Times are shown in {zone}." if zone else "Times are shown in the browser's time zone.")
    return redirect("access:account")


@needs_sign_in
@require_http_methods(["GET", "HEAD", "POST"])
@limited
@sensitive_variables("token")
def make_token(request: HttpRequest) -> HttpResponse:
    """Create a token, and show it in the response to this request alone; GET only shows the account."""
    if request.method != "POST":
        return redirect("access:account")
    user, form = signed_in_user(request), TokenForm(request.POST)
    token = form.issue(user, by=user) if form.is_valid() else ""
    return _page(request, token=token) if token else _page(request, token_form=form)


@needs_sign_in
@require_POST
@limited
def revoke_token(request: HttpRequest, token: int) -> HttpResponse:
    """Revoke a token of the user.

    Raises:
        Http404: the user has no such token.
    """
    user = signed_in_user(request)
    found = get_object_or_404(ApiToken.objects.select_related("user"), pk=token, user=user)
    tokens.revoke_one(found, by=user)
    messages.success(request, f"The token {found.prefix}… no longer works.")
    return redirect("access:account")


@sensitive_variables("token")
def _page(
    request: HttpRequest,
    *,
    token: str = "",
    token_form: TokenForm | None = None,
    zone_form: TimeZoneForm | None = None,
) -> HttpResponse:
    user = signed_in_user(request)
    preferences = getattr(user, "preferences", None)
    context: dict[str, Any] = {
        "roles": held_by(user),
        "tokens": user.api_tokens.filter(revoked_at=None).select_related("made_by"),
        "new_token": token,
        "token_form": token_form or TokenForm(),
        "zone_form": zone_form or TimeZoneForm({"time_zone": preferences.time_zone if preferences else ""}),
    }
    return render(request, "access/account.html", context, status=422 if token_form or zone_form else 200)
