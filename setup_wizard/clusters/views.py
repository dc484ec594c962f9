"""The pages of a plan, until it is started. Every page works without JavaScript; htmx only keeps it current."""

import re
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access.permissions import Permission, needs
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import vault
from setup_wizard.clusters import checking, dns, exports, inventory, looks, node_editing, plans
from setup_wizard.clusters.document import OLD_MACHINES_OFF, InvalidPlan, PlanKind
from setup_wizard.clusters.fingerprints import command_for
from setup_wizard.clusters.forms import ClusterForm, spread_racks
from setup_wizard.clusters.host_snippet import host_command
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.node_rows import rows_of
from setup_wizard.clusters.review import PlanReview, StartRefused, build_review, start
from setup_wizard.wizard.checks import Accepted
from setup_wizard.wizard.forms import parse_version
from setup_wizard.wizard.passwords import generate_password


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the first page of a new plan; a POST saves its nodes."""
    if request.method != "POST":
        return render(request, "clusters/nodes.html", _nodes_context(request, None))
    edit = node_editing.read(request.POST)
    if edit.errors or not edit.addresses:
        errors = edit.errors or ("Enter at least one address, or tick a node.",)
        return render(request, "clusters/nodes.html", _nodes_context(request, None, errors=errors), status=422)
    plan = node_editing.start(edit.addresses, by=_user(request))
    return redirect("clusters:nodes", plan.pk)


@needs(Permission.OPERATE)
@sensitive_post_parameters("plan")
@require_http_methods(["GET", "HEAD", "POST"])
def import_plan(request: HttpRequest) -> HttpResponse:
    """Make a plan of pasted JSON; a refused text is not shown again, because it may have a password."""
    if request.method != "POST":
        return redirect("clusters:new")
    try:
        document = exports.import_plan(request.POST.get("plan", ""))
    except InvalidPlan as error:
        found = [f"{path}: {' '.join(texts)}".removeprefix(": ") for path, texts in error.fields.items()]
        context = _nodes_context(request, None) | {"import_errors": found}
        return render(request, "clusters/nodes.html", context, status=422)
    plan = plans.add(document, by=_user(request))
    looks.ask_new(plan, by=_user(request))
    return redirect("clusters:nodes", plan.pk)


@needs(Permission.READ)
@require_GET
def export(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the plan as text for scripts; `?file=` downloads one of its renderings."""
    found = get_object_or_404(Plan, pk=plan)
    is_started = Run.objects.filter(plan=found).exists()
    if not is_started and not request.user.has_perm(Permission.OPERATE):
        raise Http404
    if checking.problems_of(found.content):
        messages.warning(request, "Complete the plan first, then export it.")
        return redirect("clusters:nodes", plan)
    renderings = exports.render_plan(found.content)
    for rendering in renderings:
        if request.GET.get("file") == rendering.name:
            name = exports.FILES[rendering.name]
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(rendering.text, content_type="text/plain; charset=utf-8", headers=headers)
    context = {"plan": found, "renderings": renderings, "is_started": is_started}
    return render(request, "clusters/export.html", context)


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def nodes(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the nodes of a plan, or change them."""
    found = _open_plan(plan)
    if isinstance(found, HttpResponse):
        return found
    if request.method != "POST":
        return render(request, "clusters/nodes.html", _nodes_context(request, found))
    try:
        result = node_editing.apply(found, request.POST, version=parse_version(request.POST), by=_user(request))
    except plans.PlanStale:
        messages.warning(request, "Nothing was changed: the plan was changed after you opened the page. Check it.")
        return redirect("clusters:nodes", plan)
    if result.errors:
        context = _nodes_context(request, found, errors=result.errors)
        return render(request, "clusters/nodes.html", context, status=422)
    if result.message:
        messages.info(request, result.message)
    return redirect("clusters:cluster" if result.is_complete else "clusters:nodes", plan)


@needs(Permission.OPERATE)
@sensitive_post_parameters("password", "password_again")
@require_http_methods(["GET", "HEAD", "POST"])
def cluster(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the cluster, its administrator and what differs from node to node, or save it."""
    found = _open_plan(plan)
    if isinstance(found, HttpResponse):
        return found
    if not found.content.nodes:
        return redirect("clusters:nodes", plan)
    if request.method != "POST":
        return _cluster_page(request, found, ClusterForm(plan=found, by=_user(request)))
    if "generate" in request.POST or request.POST.get("do") == "spread":
        return _cluster_page(request, found, _prefilled(request, found))
    form = ClusterForm(request.POST, request.FILES, plan=found, by=_user(request))
    if not form.is_valid():
        return _cluster_page(request, found, form, status=422)
    try:
        plans.save(found, form.document(), version=parse_version(request.POST), by=_user(request))
    except plans.PlanStale:
        messages.warning(request, "Nothing was saved: the plan was changed after you opened the page. Check it.")
        return redirect("clusters:cluster", plan)
    if credentials := form.credentials():
        plans.store_credentials(found, credentials, by=_user(request))
    if form.begins_recovery and len(found.content.nodes) > 1:
        messages.info(request, "Now enter the ID of the lost node that each node replaces.")
        return redirect("clusters:cluster", plan)
    if not checking.problems_of(found.content):
        checking.start(found, by=_user(request))
    return redirect("clusters:review", plan)


@needs(Permission.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show every node with its checks; a POST starts the run."""
    found = _open_plan(plan)
    if isinstance(found, HttpResponse):
        return found
    if missing := checking.problems_of(found.content):
        for message in dict.fromkeys(text for texts in missing.values() for text in texts):
            messages.warning(request, message)
        return redirect("clusters:cluster" if found.content.nodes else "clusters:nodes", plan)
    if request.method != "POST":
        return _review_page(request, found, build_review(found))
    accepted = Accepted.read(request.POST.dict())
    try:
        start(
            found,
            accepted,
            old_machines_off="old_machines_off" in request.POST,
            version=parse_version(request.POST),
            by=_user(request),
        )
    except plans.PlanStale:
        return _changed_review(request, plan, accepted)
    except StartRefused as refused:
        return _review_page(request, found, refused.review, refused=refused.message, status=422)
    except vault.SecretUnavailable:
        if not ClusterForm(plan=found, by=_user(request)).notice:  # otherwise the page itself says why
            messages.warning(request, "Enter the password to continue; everything else is saved.")
        return redirect(reverse("clusters:cluster", args=[plan]) + "#id_password")
    return redirect("clusters:run", plan)


@needs(Permission.OPERATE)
@require_POST
def check_again(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Check every node again."""
    found = get_object_or_404(Plan, pk=plan, run=None)
    if not checking.problems_of(found.content):
        checking.start(found, by=_user(request), again=True)
    return redirect("clusters:review", plan)


@needs(Permission.OPERATE)
@require_POST
def look_up_delegation(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Look up the name of a new cluster in DNS, and show what was found."""
    found = get_object_or_404(Plan, pk=plan, run=None)
    if found.kind is not PlanKind.CREATE or checking.problems_of(found.content):
        return redirect("clusters:review", plan)
    delegation = dns.look_up_before_start(found, by=_user(request))
    if getattr(request, "htmx", False):
        context = {"look_up_url": request.path, "delegation": delegation}
        return render(request, "wizard/_delegation.html", context)
    return _review_page(request, found, build_review(found), delegation=delegation)


@needs(Permission.OPERATE)
@in_background
@require_GET
def checks(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the checks of the review page; 204 when `?seen=` names the current version."""
    found = get_object_or_404(Plan, pk=plan, run=None)
    if checking.problems_of(found.content):
        raise Http404
    shown = build_review(found)
    if request.GET.get("seen", "") == shown.token:
        return HttpResponse(status=204)
    return render(request, "clusters/_checks.html", {"review": shown, "plan": found})


@needs(Permission.OPERATE)
@sensitive_post_parameters("password", "password_again")
@require_POST
def check_field(request: HttpRequest, plan: UUID, field: str) -> HttpResponse:
    """Check one field when the person leaves it."""
    form = ClusterForm(request.POST, request.FILES, plan=get_object_or_404(Plan, pk=plan), by=_user(request))
    if field not in form.fields:
        raise Http404
    found = form.check_field(field)
    context = {"errors": found.errors, "warnings": found.warnings, "notes": found.notes}
    return render(request, "wizard/_field_messages.html", context)


@needs(Permission.OPERATE)
@in_background
@require_GET
def node_rows(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Show the rows of the nodes page; 204 when `?seen=` names the current version."""
    found = get_object_or_404(Plan, pk=plan)
    context = _rows_context(found)
    if request.GET.get("seen", "") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "clusters/_node_rows.html", context | {"is_answer": True})


@needs(Permission.OPERATE)
@require_POST
def discard(request: HttpRequest, plan: UUID) -> HttpResponse:
    """Delete a plan that was not started."""
    found = get_object_or_404(Plan, pk=plan, run=None)
    plans.discard(found)
    messages.success(request, "Plan discarded. Nothing was sent to the nodes.")
    return redirect("home")


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)  # SignInRequired refuses anonymous requests


def _open_plan(plan: UUID) -> Plan | HttpResponse:
    """Return a plan that was not started, or lead to its run."""
    found = get_object_or_404(Plan, pk=plan)
    return redirect("clusters:run", plan) if Run.objects.filter(plan=found).exists() else found


def _prefilled(request: HttpRequest, plan: Plan) -> ClusterForm:
    """Return the form with what was typed, and with a password that was made up or racks that were spread."""
    form = ClusterForm(plan=plan, by=_user(request))
    shown = {name: request.POST.get(name, "") for name in form.fields if name not in form.secret_fields}
    form.initial.update(shown)
    form.initial.update({name: name in request.POST for name in ("rack_aware", "accept_new_certificate")})
    if "generate" in request.POST:
        form.generated_password = generate_password()
        return form
    form.lost_password = bool(request.POST.get("password"))
    racks = [each for each in re.split(r"[\s,;]+", request.POST.get("racks", "")[:2000]) if each]
    for row, rack in zip(form.rows, spread_racks(racks, len(form.rows)), strict=True):
        form.initial[f"rack_id-{row.position}"] = rack
    return form


def _changed_review(request: HttpRequest, plan: UUID, accepted: Accepted) -> HttpResponse:
    """Show a plan that was changed before Start. The typed reasons stay, but the ticks were for what was reviewed."""
    messages.warning(request, "Not started: the plan was changed after you opened the page. Check it.")
    found = _open_plan(plan)
    if isinstance(found, HttpResponse):
        return found
    if checking.problems_of(found.content):
        return redirect("clusters:review", plan)
    shown = replace(build_review(found), typed=Accepted(typed_reasons=accepted.typed_reasons))
    return _review_page(request, found, shown, status=422)


def _review_page(
    request: HttpRequest, plan: Plan, shown: PlanReview, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {"plan": plan, "review": shown, "old_machines_off": OLD_MACHINES_OFF, **more}
    return render(request, "clusters/review.html", context, status=status)


def _cluster_page(request: HttpRequest, plan: Plan, form: ClusterForm, status: int = 200) -> HttpResponse:
    context = {
        "plan": plan,
        "form": form,
        "here": reverse("clusters:cluster", args=[plan.pk]),
        "racks": request.POST.get("racks", ""),
    }
    return render(request, "clusters/cluster.html", context, status=status)


def _nodes_context(request: HttpRequest, plan: Plan | None, errors: tuple[str, ...] = ()) -> dict[str, Any]:
    nodes = [node.address for node in plan.content.nodes] if plan else []
    free = node_editing.free_nodes()
    is_extension = plan is not None and plan.kind is PlanKind.EXTEND
    suggested = [] if is_extension else free
    ticked = request.POST.getlist("listed") if request.method == "POST" else suggested
    listed = [each for each in settings.SETUP_WIZARD_NODES if each in free or each in nodes or each in ticked]
    chosen = nodes or ticked
    context: dict[str, Any] = {
        "plan": plan,
        "back": _cluster_url(request, plan) if plan and is_extension else reverse("home"),
        "errors": errors,
        "pasted": request.POST.get("pasted", ""),
        "host_facts": request.POST.get("host_facts", ""),
        "listed": [(address, address in chosen) for address in listed],
        "typed": request.POST.get("addresses", "\n".join(each for each in nodes if each not in listed)),
    }
    return context | (_rows_context(plan) if plan else {})


def _cluster_url(request: HttpRequest, plan: Plan) -> str:
    """Return the page of the cluster that a plan adds nodes to; home when it has none."""
    found = inventory.visible_clusters(_user(request)).filter(fingerprint=plan.content.member_fingerprint).first()
    return reverse("inventory:detail", args=[found.pk]) if found else reverse("home")


def _rows_context(plan: Plan) -> dict[str, Any]:
    rows = rows_of(plan)
    pending = sum(row.is_pending for row in rows)
    return {
        "plan": plan,
        "rows": rows,
        "pending": pending,
        "matching": sum(row.is_approved for row in rows),
        "command": command_for([row.address for row in rows]),
        "host_command": host_command(plan.content),
        "warnings": node_editing.warnings_of(plan),
        "seen": f"{plan.version}-{pending}-{sum(row.is_approved for row in rows)}",
    }
