"""Say on every page when a part that moves attempts is not working."""

from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone

from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import schedule
from setup_wizard.attempts.models import Heartbeat


def banner(request: HttpRequest) -> dict[str, list[dict[str, str]]]:
    """Template context: `banner`, a list of `{"level", "text"}` for people who are signed in."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"banner": []}
    return {"banner": [{"level": "bad", "text": text} for text in troubles()]}


def troubles() -> list[str]:
    """Name each part that does not work now, and what that means for the reader."""
    try:
        beat = Heartbeat.objects.filter(part=schedule.SUPERVISOR).first()
    except OperationalError:
        return []
    if beat is None or beat.at < timezone.now() - timing.HEARTBEAT_STALE:
        return ["The supervisor is not running. Setups wait until it is back; nothing is lost."]
    if beat.queue_lost_at:
        return ["The queue cannot be reached. Setups will start, and go on, when it is back; nothing is lost."]
    return []
