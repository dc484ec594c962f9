"""The page of a run and what operators choose on it. Without JavaScript the page reloads itself."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.clusters import engine
from setup_wizard.clusters.document import InvalidPlan
from setup_wizard.clusters.forms import RunCredentialsForm
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.run_page import RunPage
from setup_wizard.clusters.run_report import report_html, report_json
from setup_wizard.clusters.topics import RUN
from setup_wizard.live import topics


@needs(Permission.READ)
@require_GET
def run(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the run of a plan, or where the plan continues."""
    found = get_object_or_404(Plan, pk=plan)
    watch = topics.watch(signed_in_user(request), f"{RUN}:{plan}")  # before all that is shown
    page = _run_page(found)
    if page is None:
        if not request.user.has_perm(Permission.OPERATE):
            raise Http404
        return redirect("clusters:nodes", plan)
    return render(request, "clusters/run.html", {"page": page, "watch": watch})


@needs(Permission.READ)
@in_background
@require_GET
def panel(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the live part of a run; 204 when `?seen=` names the current version."""
    watch = topics.watch(signed_in_user(request), f"{RUN}:{plan}")
    page = _run_page(get_object_or_404(Plan, pk=plan))
    if page is None:
        raise Http404
    if request.GET.get("seen", "") == page.version:
        return HttpResponse(status=204)
    return render(request, "clusters/_run_news.html", {"page": page, "watch": watch})


@needs(Permission.READ)
@require_GET
def report(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Download the report of a run as an HTML file."""
    return report_html(_run(plan), signed_in_user(request))


@needs(Permission.READ)
@require_GET
def report_as_json(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Download the report of a run as JSON."""
    return report_json(_run(plan), signed_in_user(request))


@needs(Permission.OPERATE)
@require_POST
def choose(request: HttpRequest, plan: UUID, choice: str) -> HttpResponse:
    """Apply what an operator chose about a run."""
    found = get_object_or_404(Run, plan=plan)
    if choice not in set(engine.RunChoice):
        raise Http404
    chosen = engine.RunChoice(choice)
    if chosen.confirmation and not request.POST.get("confirmed"):
        messages.warning(request, f"Not done. Confirm it first: {chosen.confirmation}")
        return redirect("clusters:run", plan)
    try:
        engine.choose(found.pk, chosen, by=signed_in_user(request), accept=_accepted(request))
    except engine.ChoiceRefused as refusal:
        messages.warning(request, refusal.message)
    return redirect("clusters:run", plan)


@needs(Permission.OPERATE)
@sensitive_post_parameters()
@require_POST
def credentials(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Continue a paused run with credentials that were entered again."""
    found = get_object_or_404(Run, plan=plan)
    form = RunCredentialsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("clusters:run", plan)
    try:
        engine.give_credentials(found.pk, form.credentials, by=signed_in_user(request))
    except engine.ChoiceRefused as refusal:
        messages.warning(request, refusal.message)
    return redirect("clusters:run", plan)


@needs(Permission.OPERATE)
@sensitive_post_parameters()
@require_POST
def rack_awareness(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Turn on the rack awareness that the bootstrap did not; the credentials are not stored."""
    found = get_object_or_404(Run, plan=plan)
    form = RunCredentialsForm(request.POST)
    if not request.POST.get("confirmed"):
        messages.warning(request, f"Not done. Confirm it first: {engine.CONSENT}")
    elif not form.is_valid():
        messages.warning(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    else:
        try:
            engine.turn_on_rack_awareness(found.pk, form.credentials, by=signed_in_user(request))
        except engine.ChoiceRefused as refusal:
            messages.warning(request, refusal.message)
        else:
            messages.success(request, "The cluster is rack-aware now.")
    return redirect("clusters:run", plan)


@needs(Permission.OPERATE)
@require_POST
def retry(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Set up the current node again, with the values that were changed."""
    found = get_object_or_404(Run, plan=plan)
    address = request.POST.get("address", "")
    values = {
        name.removeprefix("value:"): text.strip()[:300]
        for name, text in request.POST.items()
        if name.startswith("value:") and isinstance(text, str)
    }
    try:
        engine.retry(
            found.pk,
            {address: values},
            all_left=bool(request.POST.get("all_left")),
            by=signed_in_user(request),
            accept=_accepted(request),
        )
    except engine.ChoiceRefused as refusal:
        messages.warning(request, refusal.message)
    except InvalidPlan as error:
        messages.warning(request, " ".join(text for texts in error.fields.values() for text in texts))
    return redirect("clusters:run", plan)


def _accepted(request: HttpRequest) -> dict[str, str]:
    """Read the reason for each failed check that the operator accepts."""
    given = {name.removeprefix("accept:"): text for name, text in request.POST.items() if name.startswith("accept:")}
    return {name: text for name, text in given.items() if isinstance(text, str) and text.strip()}


def _run(plan: UUID) -> Run:
    return get_object_or_404(Run.objects.select_related("plan", "started_by", "continued_by"), plan=plan)


def _run_page(plan: Plan) -> RunPage | None:
    found = Run.objects.select_related("plan", "started_by", "continued_by").filter(plan=plan).first()
    return RunPage(found) if found else None
