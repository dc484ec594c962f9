"""The review of a draft: its checks, their remedies, the look-up of the name, and Start."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access import throttle
from setup_wizard.access.permissions import Permission, needs
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import preflight, vault
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import InvalidRequest
from setup_wizard.wizard import drafts, steps
from setup_wizard.wizard.checks import Accepted
from setup_wizard.wizard.delegation import ShownDelegation, look_up
from setup_wizard.wizard.forms import parse_version
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.remedies import RemedyGone, apply_remedy
from setup_wizard.wizard.replacement import find_replacement
from setup_wizard.wizard.review import Review, StartRefused, build_review, start, start_checks
from setup_wizard.wizard.views import own_draft, user_of

PASSWORD_EXPIRED = "The password was deleted after 15 minutes. Enter it again; everything else is saved."  # noqa: S105


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Show all answers and checks; a POST starts the setup."""
    found = own_draft(request, draft)
    if not found.is_open:
        return redirect("live:detail", found.attempt_id)
    if incomplete := steps.first_incomplete(found):
        found = own_draft(request, draft)  # a concurrent Start takes the password away
        return redirect(incomplete.url(found)) if found.is_open else redirect("live:detail", found.attempt_id)
    if request.method == "POST":
        return _start(request, found)
    return _review_page(request, found, build_review(found, by=user_of(request)))


@needs(Permission.OPERATE)
@require_POST
def check_again(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Run all checks of a draft, unless they are running."""
    start_checks(own_draft(request, draft), by=user_of(request), again=True)
    return redirect(f"{reverse('wizard:review', args=[draft])}#checks")


@needs(Permission.OPERATE)
@in_background
@require_GET
def checks(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Show the checks while they run; 204 when `?seen=` is the current token."""
    found = own_draft(request, draft)
    if not found.is_open or steps.first_incomplete(found):
        return HttpResponse(status=204)
    if not getattr(request, "htmx", False):
        return redirect("wizard:review", draft)
    if request.GET.get("seen", "") == preflight.stored_runs.read(found.pk, found.version).token:
        return HttpResponse(status=204)
    context = _checks_context(found, build_review(found, by=user_of(request)))
    return render(request, "wizard/_checks.html", context | {"is_answer": True})


@needs(Permission.OPERATE)
@require_POST
def look_up_delegation(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Look up the name of a new cluster in DNS, and show what was found."""
    found = own_draft(request, draft)
    if not found.is_open or steps.first_incomplete(found) or found.chosen_action is not Action.CREATE:
        return redirect("wizard:review", draft)
    try:
        delegation = look_up(found, by=user_of(request))
    except InvalidRequest:
        return redirect("wizard:review", draft)  # which says what is wrong
    if getattr(request, "htmx", False):
        context = {"look_up_url": request.path, "delegation": delegation}
        return render(request, "wizard/_delegation.html", context)
    return _review_page(request, found, build_review(found, by=user_of(request)), delegation=delegation)


@needs(Permission.OPERATE)
@require_POST
def remedy(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Make the change that a check offers, and check again what depends on it."""
    found = own_draft(request, draft)
    if not found.is_open or steps.first_incomplete(found):
        return redirect("wizard:review", draft)
    check, label = request.POST.get("check", ""), request.POST.get("label", "")
    try:
        apply_remedy(found, parse_version(request.POST), check=check, label=label)
    except (drafts.Stale, RemedyGone):
        messages.warning(request, "Nothing was changed: the checks have changed since you opened the page.")
    else:
        start_checks(found, by=user_of(request))
    return redirect(f"{reverse('wizard:review', args=[draft])}#checks")


def _start(request: HttpRequest, draft: Draft) -> HttpResponse:
    version, reviewed = parse_version(request.POST), request.POST.get("reviewed", "")
    accepted = Accepted.read(request.POST.dict())
    try:
        attempt = start(draft, by=user_of(request), version=version, reviewed=reviewed, accepted=accepted)
    except StartRefused as refused:
        return _review_page(request, draft, refused.review, status=422)
    except throttle.TooManyRequests as refusal:
        messages.warning(request, refusal.message)
        current = replace(build_review(draft, by=user_of(request)), typed=accepted)
        return _review_page(request, draft, current, status=429)
    except vault.SecretUnavailable:
        messages.warning(request, PASSWORD_EXPIRED)
        return redirect(steps.for_draft(draft)[-1].url(draft, "password"))
    except Draft.DoesNotExist as gone:
        raise Http404 from gone
    return redirect("live:detail", attempt.pk)


def _checks_context(draft: Draft, shown: Review) -> dict[str, Any]:
    # the token of the results that are shown: with a newer one the page would skip results that it does not have
    run = shown.run or preflight.stored_runs.read(draft.pk, draft.version)
    return {"review": shown, "draft": draft, "token": run.token, "checked_at": run.checked_at}


def _review_page(
    request: HttpRequest, draft: Draft, shown: Review, status: int = 200, delegation: ShownDelegation | None = None
) -> HttpResponse:
    context = {
        **_checks_context(draft, shown),
        "progress": steps.progress(draft, steps.REVIEW),
        "back": steps.for_draft(draft)[-1].url(draft),
        "creates": draft.chosen_action is Action.CREATE,
        "recovers": draft.chosen_action is Action.RECOVER,
        "delegation": delegation,
        "refused": status == 422,
        "replacement": find_replacement(draft, by=user_of(request)),
    }
    return render(request, "wizard/review.html", context, status=status)
