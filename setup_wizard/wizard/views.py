"""The pages of the guided setup. Every page works without JavaScript; htmx only makes it smoother."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.timezone import is_aware
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from setup_wizard.access.permissions import Permission, needs
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import free_nodes
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.bootstrap.actions import Action
from setup_wizard.history.listing import version_of
from setup_wizard.live import topics
from setup_wizard.wizard import available_nodes, drafts, importing, prefill, steps
from setup_wizard.wizard.available_nodes import AvailableNode, Place
from setup_wizard.wizard.forms import ActionForm, CreateForm, JoinForm, StepForm, parse_version
from setup_wizard.wizard.models import ACTIONS, FILLED, Draft
from setup_wizard.wizard.node_summary import summarize
from setup_wizard.wizard.passwords import generate_password
from setup_wizard.wizard.replacement import find_replacement
from setup_wizard.wizard.review import start_checks
from setup_wizard.wizard.steps import WizardStep
from setup_wizard.wizard.topics import NAME

IMPORTED = "request_with_credentials"  # interrupted_forms leaves out fields with such a name


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show available nodes, open setups and drafts; a POST opens the first step for an address."""
    if request.method == "POST":
        action = Action(request.POST["action"]) if request.POST.get("action") in set(ACTIONS) else Action.CREATE
        address = request.POST.get("address", "").strip()[:300]
        if draft := drafts.find_by_address(user_of(request), address):
            return redirect(steps.ACTION.url(draft))
        return redirect(_new_url(address=address, action=action.value))
    return render(request, "wizard/home.html", _home_context(request))


@needs(Permission.OPERATE)
@in_background
@require_GET
def open_setups(request: HttpRequest) -> HttpResponse:
    """Show the live part of the home page; 204 when `?seen=` names the current version."""
    context = _open_setups(request)
    if request.GET.get("seen", "") == context["version"]:
        return HttpResponse(status=204)
    answer = render(request, "wizard/_open_setups.html", context)
    answer["HX-Trigger"] = "setups"  # the available nodes are checked again
    return answer


@needs(Permission.OPERATE)
@in_background
@require_POST
def check_node(request: HttpRequest) -> HttpResponse:
    """Probe one of the listed nodes."""
    node = available_nodes.check(request.POST.get("address", ""), by=user_of(request))
    if getattr(request, "htmx", False):
        answer = render(request, "wizard/_available_node.html", {"node": node})
        if node.place != request.POST.get("place", Place.AVAILABLE):
            answer["HX-Trigger"] = "listed"  # it stands below the wrong heading
        return answer
    return render(request, "wizard/home.html", _home_context(request, node))


@needs(Permission.OPERATE)
@sensitive_post_parameters("password", "password_again", "client_cert", "client_key")
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, name: str, draft: UUID | None = None) -> HttpResponse:
    """Show one step, or save it and continue; without a draft it is the first step of a new one."""
    found = own_draft(request, draft) if draft else _new(request)
    current = _step_or_404(found, name)
    if not found.is_open:
        return redirect("live:detail", found.attempt_id)
    if earlier := steps.first_incomplete_before(found, current):
        return redirect(earlier.url(found, from_review=_is_from_review(request)))
    if request.method != "POST":
        return _step_page(request, found, current, current.form(found, user_of(request)))
    if "generate" in request.POST:
        return _generated_password(request, found, current)
    form = current.form(found, user_of(request), request.POST, request.FILES)
    try:
        if form.is_valid() and form.save():
            start_checks(form.draft, by=user_of(request))
            return redirect(steps.next_url(form.draft, current, from_review=_is_from_review(request)))
    except Draft.DoesNotExist as gone:
        raise Http404 from gone
    form.keep_valid_password()
    return _step_page(request, found, current, form, status=422)


@needs(Permission.OPERATE)
@sensitive_post_parameters("password", "password_again", "client_cert", "client_key")
@require_POST
def check_field(request: HttpRequest, name: str, field: str, draft: UUID | None = None) -> HttpResponse:
    """Check one field when the person leaves it."""
    found = own_draft(request, draft) if draft else Draft(owner=user_of(request), action=Action.CREATE)
    form = _step_or_404(found, name).form(found, user_of(request), request.POST, request.FILES)
    if field not in form.fields:
        raise Http404
    check = form.check_field(field)
    context = {"errors": check.errors, "warnings": check.warnings, "notes": check.notes}
    return render(request, "wizard/_field_messages.html", context)


@needs(Permission.OPERATE)
@require_POST
def probe(request: HttpRequest, name: str, draft: UUID | None = None) -> HttpResponse:
    """Probe the node whose address was just entered: the node to set up, or the member of the cluster to join."""
    found = own_draft(request, draft) if draft else Draft(owner=user_of(request), action=Action.CREATE)
    form = _step_or_404(found, name).form(found, user_of(request))
    if not isinstance(form, ActionForm | JoinForm):
        raise Http404
    form.show_typed(request.POST)
    form.probe(request.POST)
    template = "wizard/_probed_member.html" if isinstance(form, JoinForm) else "wizard/_probed_node.html"
    return render(request, template, {"form": form, "is_answer": True})


@needs(Permission.OPERATE)
@sensitive_post_parameters(IMPORTED)
@require_http_methods(["GET", "HEAD", "POST"])
def import_request(request: HttpRequest) -> HttpResponse:
    """Make a draft of a pasted request; a refused text is not shown again, because it may have a password."""
    if request.method != "POST":
        return redirect("wizard:home")
    is_htmx = bool(getattr(request, "htmx", False))
    try:
        draft = importing.import_draft(request.POST.get(IMPORTED, ""), by=user_of(request))
    except importing.NotImportable as error:
        context = {"import_errors": [error.message]}
        if is_htmx:
            return render(request, "wizard/_field_messages.html", {"errors": [error.message]}, status=422)
        return render(request, "wizard/home.html", _home_context(request) | context, status=422)
    url = steps.ACTION.url(draft)
    return HttpResponseClientRedirect(url) if is_htmx else redirect(url)


@needs(Permission.OPERATE)
@require_POST
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Delete a draft."""
    found = own_draft(request, draft)
    try:
        drafts.discard(found, parse_version(request.POST) if "version" in request.POST else None)
    except drafts.Stale:
        messages.warning(request, "Not discarded: the draft changed after you opened the page. Check it first.")
    else:
        messages.success(request, "Draft discarded. Nothing was sent to the node.")
    return redirect("wizard:home")


@needs(Permission.OPERATE)
@require_POST
def discard_all(request: HttpRequest) -> HttpResponse:
    """Delete every draft of this person that has not changed since the page was shown."""
    until = _parse_time(request.POST.get("until", ""))
    count = drafts.discard_all(user_of(request), until) if until else 0
    if count:
        messages.success(request, f"{count} draft{'s' if count > 1 else ''} discarded. Nothing was sent to the nodes.")
    else:
        messages.warning(request, "No draft was discarded. Check the current list, then try again.")
    return redirect("wizard:home")


@needs(Permission.OPERATE)
@require_POST
def retry(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Make a draft of the same setup, and open its review, or the field that a remedy names without a value."""
    failed = get_object_or_404(visibility.visible_to(user_of(request)), pk=attempt)
    values = {key.removeprefix("value:"): str(text) for key, text in request.POST.items() if key.startswith("value:")}
    draft = prefill.retry(failed, by=user_of(request), values=values)
    part = request.POST.get("part", "")
    is_filled = part in values and values.keys() <= draft.values(FILLED).keys()
    if part and not is_filled:
        return redirect(steps.url_of(draft, part))
    start_checks(draft, by=user_of(request))
    return redirect(steps.resume_url(draft))


@needs(Permission.OPERATE)
@require_POST
def join(request: HttpRequest, attempt: UUID) -> HttpResponse:
    """Start to join a node to the cluster of a succeeded attempt, perhaps in place of a failed node."""
    succeeded = _succeeded(request, attempt)
    given = {name: request.POST.get(name, "").strip()[:300] for name in ("address", "replaces")}
    return redirect(_new_url(after=str(succeeded.pk), **given))


def user_of(request: HttpRequest) -> User:
    """Return the person who is signed in."""
    return cast("User", request.user)  # SignInRequired refuses anonymous requests


def own_draft(request: HttpRequest, draft: UUID) -> Draft:
    """Return a draft of the person who is signed in; 404 for anybody else's."""
    return get_object_or_404(Draft, pk=draft, owner=user_of(request))


def _new_url(**given: str) -> str:
    return f"{reverse('wizard:new')}?{urlencode({name: value for name, value in given.items() if value})}"


def _new(request: HttpRequest) -> Draft:
    """Return an unsaved draft, as the URL or the posted form describes it."""
    sent = request.POST if request.method == "POST" else request.GET
    given = {name: sent.get(name, "").strip()[:300] for name in ("address", "replaces")}
    if after := sent.get("after"):
        return prefill.join(_succeeded(request, after), by=user_of(request), **given)
    action = sent.get("action")
    return Draft(
        owner=user_of(request), address=given["address"], action=action if action in set(ACTIONS) else Action.CREATE
    )


def _succeeded(request: HttpRequest, attempt: UUID | str) -> Attempt:
    try:
        return get_object_or_404(available_nodes.joinable(user_of(request)), pk=UUID(str(attempt)))
    except ValueError as error:
        raise Http404 from error


def _parse_time(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and is_aware(moment) else None


def _is_from_review(request: HttpRequest) -> bool:
    """Whether the review led to this step, to change an answer."""
    return request.GET.get("from") == steps.REVIEW


def _step_or_404(draft: Draft, name: str) -> WizardStep:
    found = steps.find(draft, name)
    if found is None:
        raise Http404
    return found


def _home_context(request: HttpRequest, checked: AvailableNode | None = None) -> dict[str, Any]:
    return {**available_nodes.listed(checked), **_open_setups(request)}


def _open_setups(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    watch = topics.watch(user, NAME)  # before all that is shown
    attempts = list(visibility.visible_to(user).filter(state__in=OPEN_STATES).select_related("requested_by"))
    own = drafts.list_open(user)
    latest = own[0].updated_at if own else None
    return {
        "watch": watch,
        "attempts": attempts,
        "drafts": [(draft, steps.resume_url(draft)) for draft in own],
        "latest_draft": latest,
        "version": "-".join([version_of(attempts), str(len(own)), str(latest.timestamp()) if latest else ""]),
    }


@sensitive_variables()
def _generated_password(request: HttpRequest, draft: Draft, current: WizardStep) -> HttpResponse:
    """Show the step with a new password in it, for browsers without JavaScript; nothing is stored."""
    form = current.form(draft, user_of(request))
    if not isinstance(form, CreateForm):
        raise Http404
    form.show_typed(request.POST, request.FILES)
    form.generated_password = generate_password()
    draft.version = parse_version(request.POST)  # the page is as stale as the posted one
    return _step_page(request, draft, current, form)


def _step_page(request: HttpRequest, draft: Draft, step: WizardStep, form: StepForm, status: int = 200) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    from_review = draft.is_saved and _is_from_review(request)
    context = {
        "form": form,
        "draft": draft,
        "step": step,
        "progress": steps.progress(draft, step.name),
        "query": steps.FROM_REVIEW if from_review else "",
        "here": step.url(draft) if draft.is_saved else reverse("wizard:new"),
        # what an unsaved draft is filled in from, for the form to send again
        "sources": {} if draft.is_saved else {name: sent[name] for name in ("after", "replaces") if sent.get(name)},
        "back": steps.review_url(draft) if from_review else steps.previous_url(draft, step),
        "replacement": find_replacement(draft, by=user_of(request)),
        "is_first": step is steps.ACTION,
        "free_nodes": free_nodes() if step is steps.ACTION and draft.replaces is not None else [],
        "summary": summarize(draft.node) if draft.node and step is not steps.ACTION else None,
    }
    response = render(request, "wizard/step.html", context, status=status)
    if status != 200:
        response["HX-Push-Url"] = "false"  # the same page again needs no entry in the history
    return response
