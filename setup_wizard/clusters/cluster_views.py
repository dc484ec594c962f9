"""Home, with the clusters first, and the page of one cluster."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from setup_wizard.access import throttle
from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import sign_ins, visibility
from setup_wizard.attempts.models import OPEN_STATES
from setup_wizard.attempts.states import State
from setup_wizard.clusters import inventory, plans
from setup_wizard.clusters.cluster_page import ClusterPage, check_dns, check_now
from setup_wizard.clusters.document import PlanDocument, PlannedCluster
from setup_wizard.clusters.models import OPEN_RUNS, Plan
from setup_wizard.clusters.run_page import RunPage
from setup_wizard.clusters.topics import CLUSTER, HOME, paused_runs
from setup_wizard.live import topics
from setup_wizard.live.forms import ClusterForm
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.wizard import available_nodes, drafts, steps

INVALID = 422


@needs(Permission.READ)
@require_GET
def list_clusters(request: HttpRequest) -> HttpResponse:
    """Show the clusters, what needs an operator, what runs, the available nodes and the drafts."""
    inventory.add_newest_attempts()
    return render(request, "clusters/list.html", {**available_nodes.listed(), **_open_work(request)})


@needs(Permission.READ)
@in_background
@require_GET
def open_work(request: HttpRequest) -> HttpResponse:
    """Show the live part of the home page; 204 when `?seen=` names the current version."""
    inventory.add_newest_attempts()
    context = _open_work(request)
    if request.GET.get("seen", "") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "clusters/_open_work.html", context)


@needs(Permission.READ)
@require_GET
def detail(request: HttpRequest, cluster: UUID) -> HttpResponse:
    """Show one cluster."""
    return render(request, "clusters/detail.html", _detail(request, cluster))


@needs(Permission.READ)
@in_background
@require_GET
def panel(request: HttpRequest, cluster: UUID) -> HttpResponse:
    """Show one cluster again, of which htmx takes the parts that change; 204 when `?seen=` is their cursor."""
    context = _detail(request, cluster)
    if request.GET.get("seen", "") == str(context["watch"].cursor):
        return HttpResponse(status=204)
    return render(request, "clusters/detail.html", context)


@needs(Permission.OPERATE)
@sensitive_post_parameters("password", "client_cert", "client_key")
@require_POST
def check(request: HttpRequest, cluster: UUID) -> HttpResponse:
    """Ask the cluster for its nodes and its own check; the credentials are not stored."""
    page = _page(request, cluster)
    if page.member is None:
        messages.warning(request, "No node of this cluster has an approved certificate any more.")
        return redirect("inventory:detail", cluster)
    form = ClusterForm(request.POST, request.FILES, attempt=page.member)
    if form.is_valid():
        try:
            problem = check_now(page, form.credentials, by=signed_in_user(request))
        except (throttle.TooManyRequests, sign_ins.SignInBlocked) as refusal:
            form.add_error(None, refusal.message)
        else:
            if problem:
                messages.warning(request, problem)
            return redirect("inventory:detail", cluster)
    return render(request, "clusters/detail.html", _detail(request, cluster) | {"form": form}, status=INVALID)


@needs(Permission.OPERATE)
@require_POST
def check_records(request: HttpRequest, cluster: UUID) -> HttpResponse:
    """Look up the DNS records of the cluster."""
    try:
        check_dns(_page(request, cluster), by=signed_in_user(request))
    except throttle.TooManyRequests as refusal:
        messages.warning(request, refusal.message)
    return redirect("inventory:detail", cluster)


@needs(Permission.OPERATE)
@require_POST
def add_nodes(request: HttpRequest, cluster: UUID) -> HttpResponse:
    """Begin a plan that adds nodes to the cluster."""
    page = _page(request, cluster)
    member = page.member
    if member is None:
        messages.warning(request, "No node of this cluster has an approved certificate any more.")
        return redirect("inventory:detail", cluster)
    port = Address.parse(member.address).port
    node = next((each for each in page.nodes if each.attempt_id == member.pk), None)
    document = PlanDocument(
        cluster=PlannedCluster(name=page.cluster.name, rack_aware=page.cluster.rack_aware or None),
        members=(node.addr if node and node.addr else Address.parse(member.address).host,),
        member_fingerprint=member.current_fingerprint,
        cnm_https_port=None if port == DEFAULT_PORT else port,
        username=member.username,
    )
    return redirect("clusters:nodes", plans.add(document, by=signed_in_user(request)).pk)


def _detail(request: HttpRequest, cluster: UUID) -> dict[str, Any]:
    watch = topics.watch(signed_in_user(request), f"{CLUSTER}:{cluster}")  # before all that is shown
    inventory.add_newest_attempts()
    page = _page(request, cluster)
    return {"watch": watch, "page": page, "form": _form(page)}


def _page(request: HttpRequest, cluster: UUID) -> ClusterPage:
    user = signed_in_user(request)
    return ClusterPage(get_object_or_404(inventory.visible_clusters(user), pk=cluster), user)


def _form(page: ClusterPage) -> ClusterForm | None:
    return ClusterForm(attempt=page.member) if page.member else None


def _open_work(request: HttpRequest) -> dict[str, Any]:
    user = signed_in_user(request)
    watch = topics.watch(user, HOME)  # before all that is shown
    may_operate = user.has_perm(Permission.OPERATE)
    attempts = list(visibility.visible_to(user).filter(state__in=OPEN_STATES).select_related("requested_by")[:50])
    plans_open = list(Plan.objects.filter(run__state__in=OPEN_RUNS).select_related("run__started_by")[:20])
    runs = [RunPage(plan.run) for plan in plans_open]
    in_paused_runs = {pk for own in paused_runs().values() for pk in own}
    in_runs = {step.attempt_id for plan in plans_open for step in plan.run.steps.all()}
    own = drafts.list_open(user) if may_operate else []
    unstarted = list(Plan.objects.filter(run=None).select_related("changed_by")[:20]) if may_operate else []
    pages = [ClusterPage(cluster, user) for cluster in inventory.visible_clusters(user)[:50]]
    versions = [
        *(f"{attempt.pk}{attempt.last_seq}" for attempt in attempts),
        *(run.version for run in runs),
        *(str(cluster.cluster.changed_at.timestamp()) for cluster in pages),
        str(len(own)),
        *(f"{plan.pk}{plan.version}" for plan in unstarted),
    ]
    return {
        "watch": watch,
        "waiting_attempts": [
            each for each in attempts if each.status is State.NEEDS_OPERATOR and each.pk not in in_paused_runs
        ],
        "paused_runs": [page for page in runs if page.run.state == "paused"],
        "running_attempts": [each for each in attempts if each.status.is_moving and each.pk not in in_runs],
        "running_runs": [page for page in runs if page.run.state == "running"],
        "clusters": pages,
        "drafts": [(draft, steps.resume_url(draft)) for draft in own],
        "plans": unstarted,
        "seen": sha256(" ".join(versions).encode()).hexdigest()[:16],
    }
