"""The doors of the guided setup. Every page works without a script; htmx only makes it smooth."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.timezone import is_aware
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access import throttle
from setup_wizard.access.permissions import Permission, needs
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import vault, visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.present import present
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.history.listing import version_of
from setup_wizard.nodes import renewal
from setup_wizard.wizard import cards, drafts, fresh, prefill, steps
from setup_wizard.wizard import review as reviews
from setup_wizard.wizard import waiting as nodes
from setup_wizard.wizard.forms import ActionForm, JoinForm, StepForm, read_version
from setup_wizard.wizard.models import ACTIONS, Draft
from setup_wizard.wizard.steps import Step

SIGN_IN_GONE = (
    "The password is kept for 15 minutes before Start, and that time is over. "
    "Enter it again; everything else is still here."
)


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Show what can be set up and what is being set up; a POST begins a setup."""
    if request.method == "POST":
        action = Action(request.POST["action"]) if request.POST.get("action") in set(ACTIONS) else Action.CREATE
        address = request.POST.get("address", "").strip()[:300]
        if draft := drafts.at(_person(request), address):
            return redirect(steps.ACTION.url(draft))
        return redirect(_new_url(address=address, action=action.value))
    return render(request, "wizard/start.html", _start_page(request))


@needs(Permission.OPERATE)
@in_background
@require_GET
def running(request: HttpRequest) -> HttpResponse:
    """The part of the start page that changes by itself; 204 when it is still the one that `?seen=` names."""
    shown = _running(request)
    if request.GET.get("seen", "") == shown["version"]:
        return HttpResponse(status=204)
    context = shown | {"used_up": fresh.is_offered(), "is_answer": True, "has_nodes": settings.SETUP_WIZARD_NODES}
    answer = render(request, "wizard/_running.html", context)
    answer["HX-Trigger"] = "setups"  # a setup that began or ended changes what its node says of itself
    return answer


@needs(Permission.OPERATE)
@in_background
@require_POST
def waiting(request: HttpRequest) -> HttpResponse:
    """Ask one of the listed nodes how it is."""
    asked = nodes.ask(request.POST.get("address", ""), by=_person(request))
    if _is_htmx(request):
        return render(request, "wizard/_waiting.html", {"waiting": asked})
    return render(request, "wizard/start.html", _start_page(request, asked))


@needs(Permission.OPERATE)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, name: str, draft: UUID | None = None) -> HttpResponse:
    """Show one step, or save it and go on to the next; without a draft it is the first step of a new one."""
    found = _own(request, draft) if draft else _new(request)
    current = _step_or_404(found, name)
    if not found.is_open:
        return redirect("live:detail", found.attempt_id)
    if earlier := steps.missing_before(found, current):
        return redirect(earlier.url(found))
    if request.method != "POST":
        return _page(request, found, current, current.form(found, _person(request)))
    form = current.form(found, _person(request), request.POST)
    try:
        if form.is_valid() and form.save():
            return redirect(steps.url_after(form.draft, current))
    except Draft.DoesNotExist as gone:
        raise Http404 from gone
    form.keep_what_is_right()
    return _page(request, found, current, form, status=422)


@needs(Permission.OPERATE)
@sensitive_post_parameters("password")
@require_POST
def check(request: HttpRequest, name: str, field: str, draft: UUID | None = None) -> HttpResponse:
    """Check one field as it is left."""
    found = _own(request, draft) if draft else Draft(owner=_person(request), action=Action.CREATE)
    form = _step_or_404(found, name).form(found, _person(request), request.POST)
    if field not in form.fields:
        raise Http404
    wrong, remarks = form.check(field)
    return render(request, "wizard/_message.html", {"wrong": wrong, "remarks": remarks})


@needs(Permission.OPERATE)
@require_POST
def probe(request: HttpRequest, name: str, draft: UUID | None = None) -> HttpResponse:
    """Ask the node whose address was just entered: the one to set up, or the member of the cluster to join."""
    found = _own(request, draft) if draft else Draft(owner=_person(request), action=Action.CREATE)
    form = _step_or_404(found, name).form(found, _person(request))
    if not isinstance(form, ActionForm | JoinForm):
        raise Http404
    form.draw(request.POST)
    form.meet(request.POST)
    template = "wizard/_member.html" if isinstance(form, JoinForm) else "wizard/_node.html"
    return render(request, template, {"form": form, "is_answer": True})


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Show everything once more; a POST is Start."""
    found = _own(request, draft)
    if not found.is_open:
        return redirect("live:detail", found.attempt_id)
    if unfinished := steps.first_unfinished(found):
        found = _own(request, draft)  # a Start in between takes the password with it
        return redirect(unfinished.url(found)) if found.is_open else redirect("live:detail", found.attempt_id)
    if request.method == "POST":
        return _start(request, found)
    return _review_page(request, found, reviews.look(found, by=_person(request)))


@needs(Permission.OPERATE)
@require_POST
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Forget a setup that was not started."""
    found = _own(request, draft)
    try:
        drafts.discard(found, read_version(request.POST) if "version" in request.POST else None)
    except drafts.Stale:
        messages.warning(request, "Not discarded: the setup changed after you opened the page.")
        return redirect("wizard:start")
    messages.success(request, "The setup was discarded. Nothing was sent to the node.")
    return redirect("wizard:start")


@needs(Permission.OPERATE)
@require_POST
def discard_all(request: HttpRequest) -> HttpResponse:
    """Forget every setup of this person that was not started, but those that changed after the page was shown."""
    until = _moment(request.POST.get("until", ""))
    number = drafts.discard_all(_person(request), until) if until else 0
    if number:
        messages.success(request, f"{number} setup{'s were' if number > 1 else ' was'} discarded. Nothing was sent.")
    else:
        messages.warning(request, "Nothing was discarded. Open the page again to see your drafts as they are now.")
    return redirect("wizard:start")


@needs(Permission.OPERATE)
@require_POST
def again(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Begin the same setup again, and lead to the field that has to change."""
    values = {key.removeprefix("value:"): str(text) for key, text in request.POST.items() if key.startswith("value:")}
    draft = prefill.again(
        get_object_or_404(visibility.seen_by(_person(request)), pk=attempt), by=_person(request), values=values
    )
    wanted = steps.locate(draft, request.POST.get("part", ""))
    if wanted and not steps.missing_before(draft, wanted[0]):
        return redirect(wanted[0].url(draft, wanted[1]))
    return redirect(steps.url_to_go_on(draft))


@needs(Permission.OPERATE)
@require_POST
def join(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Begin to join the next node to the cluster of an attempt that succeeded, perhaps in place of a failed one."""
    made = _succeeded(request, attempt)
    sent = {name: request.POST.get(name, "").strip()[:300] for name in ("address", "replaces")}
    return redirect(_new_url(after=str(made.pk), **sent))


@needs(Permission.OPERATE)
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Replace the demo's nodes by fresh ones, once all of them are used up."""
    if not renewal.is_possible():
        raise Http404
    if not fresh.is_offered():
        messages.warning(request, "Not every node is in a cluster yet, or a setup still runs. Nothing was changed.")
    elif renewal.ask():
        messages.success(request, "Fresh nodes have taken the places of the old ones. What was done before is kept.")
    else:
        messages.error(request, "The keeper of the demo did not answer. Stop it with Ctrl-C and start it again.")
    return redirect("wizard:start")


def _start(request: HttpRequest, draft: Draft) -> HttpResponse:
    version = read_version(request.POST)
    try:
        attempt = reviews.start(draft, by=_person(request), version=version, seen=request.POST.get("reviewed", ""))
    except reviews.Refused as refused:
        return _review_page(request, draft, refused.review, status=422)
    except throttle.TooOften as refusal:
        messages.warning(request, refusal.message)
        return _review_page(request, draft, reviews.look(draft, by=_person(request)), status=429)
    except vault.SecretUnavailable:
        messages.warning(request, SIGN_IN_GONE)
        return redirect(steps.of(draft)[-1].url(draft, "password"))
    except Draft.DoesNotExist as gone:
        raise Http404 from gone
    return redirect("live:detail", attempt.pk)


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)  # LoginRequiredMiddleware lets nobody else in


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _own(request: HttpRequest, draft: UUID) -> Draft:
    return get_object_or_404(Draft, pk=draft, owner=_person(request))


def _new_url(**sent: str) -> str:
    return f"{reverse('wizard:new')}?{urlencode({name: value for name, value in sent.items() if value})}"


def _new(request: HttpRequest) -> Draft:
    """Give a draft that is not saved yet, as the address of the page or the form that was posted describes it."""
    sent = request.POST if request.method == "POST" else request.GET
    given = {name: sent.get(name, "").strip()[:300] for name in ("address", "replaces")}
    if after := sent.get("after"):
        return prefill.join(_succeeded(request, after), by=_person(request), **given)
    action = sent.get("action")
    return Draft(
        owner=_person(request), address=given["address"], action=action if action in set(ACTIONS) else Action.CREATE
    )


def _succeeded(request: HttpRequest, attempt: UUID | str) -> Attempt:
    try:
        key = UUID(str(attempt))
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(visibility.seen_by(_person(request), present()), pk=key, state=State.SUCCEEDED)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and is_aware(moment) else None


def _step_or_404(draft: Draft, name: str) -> Step:
    found = steps.find(draft, name)
    if found is None:
        raise Http404
    return found


def _start_page(request: HttpRequest, asked: nodes.Waiting | None = None) -> dict[str, Any]:
    cluster = nodes.known_cluster(_person(request))
    listed = [nodes.Waiting(address, cluster) for address in settings.SETUP_WIZARD_NODES]
    return {
        "listed": [asked if asked and asked.address == one.address else one for one in listed],
        "cluster": cluster,
        "used_up": fresh.is_offered(),
        **_running(request),
    }


def _running(request: HttpRequest) -> dict[str, Any]:
    rows = list(visibility.seen_by(_person(request)).filter(state__in=OPEN_STATES).select_related("requested_by"))
    mine = drafts.open_of(_person(request))
    latest = mine[0].updated_at if mine else None
    return {
        "running": rows,
        "drafts": [(draft, steps.url_to_go_on(draft)) for draft in mine],
        "latest_draft": latest,
        "version": "-".join([version_of(rows), str(len(mine)), str(latest.timestamp()) if latest else ""]),
    }


def _page(request: HttpRequest, draft: Draft, current: Step, form: StepForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "draft": draft,
        "step": current,
        "trail": steps.trail(draft, current.name),
        "here": current.url(draft) if draft.is_saved else reverse("wizard:new"),
        "seeds": [] if draft.is_saved else _seeds(request),
        "back": steps.url_before(draft, current),
        "aside": cards.show(draft.node) if draft.node and current is not steps.ACTION else None,
    }
    response = render(request, "wizard/step.html", context, status=status)
    if status != 200:
        response["HX-Push-Url"] = "false"  # the same page again is no new place to come back to
    return response


def _seeds(request: HttpRequest) -> list[tuple[str, str]]:
    """Give what a new draft is filled in from, for the form to send again."""
    sent = request.POST if request.method == "POST" else request.GET
    return [(name, value) for name in ("after", "replaces") if (value := sent.get(name, ""))]


def _review_page(request: HttpRequest, draft: Draft, shown: reviews.Review, status: int = 200) -> HttpResponse:
    context = {
        "review": shown,
        "draft": draft,
        "trail": steps.trail(draft, steps.REVIEW),
        "back": steps.of(draft)[-1].url(draft),
        "refused": status == 422,
    }
    return render(request, "wizard/review.html", context, status=status)
