"""What whoever runs this may ask without signing in: no secret, no version, nothing of an attempt."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from setup_wizard.attempts import health


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Say of each part whether it works, and how many milliseconds it took to find out; 503 when one does not.

    Reference: docs/failure-modes.md, W18.
    """
    found = health.checks()
    ready = all(check.ok for check in found.values())
    parts = {part: {"ok": check.ok, "ms": check.ms} for part, check in found.items()}
    return JsonResponse({"status": "ok" if ready else "degraded", "checks": parts}, status=200 if ready else 503)
