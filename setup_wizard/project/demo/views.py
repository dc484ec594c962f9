"""The pages that only the demo has."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.project.demo import node_reset
from setup_wizard.project.demo.sign_in_links import LIFETIME, redeem_link


@login_not_required
@require_GET
@sensitive_variables("token")
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the demo's administrator in by a link that works once."""
    # what reads the request from here on, such as an audit entry, does not get the link
    request.META["PATH_INFO"] = reverse("access:sign-in")
    with transaction.atomic():
        if user := redeem_link(token):
            login(request, user)
    if not request.user.is_authenticated:
        minutes = int(LIFETIME.total_seconds() // 60)
        return render(request, "demo/link_used.html", {"minutes": minutes}, status=410)
    return redirect("home")


@needs(Permission.OPERATE)
@in_background
@require_GET
def nodes(request: HttpRequest) -> HttpResponse:
    """Show what the home page has below the list of nodes."""
    return render(request, "demo/_reset_nodes.html")


@needs(Permission.OPERATE)
@require_POST
def reset_nodes(request: HttpRequest) -> HttpResponse:
    """Replace the nodes by new ones when all of them are in clusters."""
    if not node_reset.is_possible():
        raise Http404
    if not node_reset.is_offered():
        messages.warning(request, "Nothing was changed: a node is still free, or a setup is still running.")
    elif node_reset.reset_nodes(by=signed_in_user(request)):
        messages.success(request, "The demo nodes were reset. Earlier attempts are kept.")
    else:
        messages.error(request, "The demo did not answer. Stop it with Ctrl-C, then start it again.")
    return redirect("wizard:home")
