"""The pages that only the demo has."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

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
