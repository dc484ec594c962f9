"""The page of an attempt, its panel, and the operator's choices."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import engine, visibility
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.rules import warn_password_spelling
from setup_wizard.live.forms import ClusterForm, CredentialsForm
from setup_wizard.live.panel import panel

UNCHANGED = 204
INVALID = 422
CONFIRMED = "confirmed"


@needs(Permission.READ)
@require_GET
def show(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Show one attempt."""
    user = signed_in_user(request)
    attempt = get_object_or_404(visibility.visible_to(user), pk=attempt_id)
    return render(request, "live/attempt.html", _page(attempt, user))


@needs(Permission.READ)
@in_background
@require_GET
def show_panel(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """The part of the page that changes; 204 when nothing is newer than the event numbered `?after=`."""
    attempt = get_object_or_404(visibility.visible_to(signed_in_user(request)), pk=attempt_id)
    if request.GET.get("after") == str(attempt.last_seq):
        return HttpResponse(status=UNCHANGED)
    return render(request, "live/_news.html", _panel(attempt))


@needs(Permission.READ)
@in_background
@require_GET
def show_action_needed(request: HttpRequest) -> HttpResponse:
    """Show the count in the bar of what waits for an operator."""
    return render(request, "live/_action_needed.html")


@needs(Permission.READ)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "client_cert", "client_key")
def choose(request: HttpRequest, attempt_id: UUID, choice: str) -> HttpResponse:
    """Carry out the operator's choice and show the attempt; if it was refused, with what was typed."""
    user = signed_in_user(request)
    if not user.has_perm(Choice(choice).permission):
        raise PermissionDenied
    attempt = get_object_or_404(visibility.visible_to(user), pk=attempt_id)
    if request.method == "POST":  # a GET: somebody reloads the URL of a refused choice
        form = CredentialsForm(request.POST, request.FILES, attempt=attempt)
        try:
            _decide(request, attempt, Choice(choice), user, form)
        except engine.ChoiceRefused as refusal:
            messages.error(request, refusal.message)
            attempt.refresh_from_db()
            if choice == Choice.CREDENTIALS and choice in attempt.choices:
                return render(request, "live/attempt.html", _page(attempt, user) | {"sign_in": form}, status=INVALID)
    return redirect("live:detail", attempt_id=attempt.pk)


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "client_cert", "client_key")
def ask_cluster(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Ask a node that is already in a cluster which one, and show the answer; the credentials are not stored."""
    user = signed_in_user(request)
    attempt = get_object_or_404(visibility.visible_to(user), pk=attempt_id)
    if request.method != "POST":  # a GET: somebody reloads the answer
        return redirect("live:detail", attempt_id=attempt.pk)
    context = _page(attempt, user)
    approval = context["panel"].approval_to_find_cluster
    if approval is None:
        raise Http404
    form = ClusterForm(request.POST, request.FILES, attempt=attempt)
    found = form.find_cluster(approval, by=user)
    template = "live/_cluster.html" if getattr(request, "htmx", False) else "live/attempt.html"
    return render(request, template, context | {"cluster": form, "found": found}, status=200 if found else INVALID)


def _page(attempt: Attempt, user: User) -> dict[str, Any]:
    mark, notes = getattr(attempt, "review_mark", None), attempt.review_notes.select_related("by")
    same_node = visibility.visible_to(user).filter(address=attempt.address)
    others = {
        "previous": same_node.filter(created_at__lt=attempt.created_at).order_by("-created_at", "-id").first(),
        "following": same_node.filter(created_at__gt=attempt.created_at).order_by("created_at", "id").first(),
    }
    return _panel(attempt) | {"mark": mark, "notes": notes} | others


def _panel(attempt: Attempt) -> dict[str, Any]:
    sign_in, cluster = CredentialsForm(attempt=attempt), ClusterForm(attempt=attempt)
    return {"panel": panel(attempt), "sign_in": sign_in, "cluster": cluster}


def _decide(request: HttpRequest, attempt: Attempt, choice: Choice, user: User, sign_in: CredentialsForm) -> None:
    if choice.confirmation and choice in attempt.choices and CONFIRMED not in request.POST:
        raise engine.ChoiceRefused("unconfirmed", f"“{choice.label}” was not done. Tick its checkbox first.")
    seq = _seq(request)
    match choice:
        case Choice.APPROVE_CERTIFICATE:
            engine.approve_certificate(attempt.pk, request.POST.get("fingerprint", ""), by=user, seq=seq)
        case Choice.CREDENTIALS:
            if not sign_in.is_valid():
                raise engine.ChoiceRefused("invalid", "Nothing was sent: check the credentials.")
            anyway = sign_in.cleaned_data["send_anyway"]
            engine.give_credentials(attempt.pk, sign_in.credentials, by=user, send_anyway=anyway)
            for text in warn_password_spelling(sign_in.credentials.password.reveal()):
                messages.warning(request, text)
        case _:
            engine.choose(attempt.pk, choice, by=user, seq=seq)


def _seq(request: HttpRequest) -> int:
    text = request.POST.get("seq", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else engine.NO_EVENT
