"""The report of one attempt for a ticket: one HTML file without any reference to another, or JSON.

Both have what the page of the attempt shows; secrets are masked in the rows already.
"""

import json
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.error_catalogue import Explanation
from setup_wizard.history.models import ReviewNote
from setup_wizard.live.panel import Panel, panel


def report_html(attempt: Attempt) -> HttpResponse:
    """Respond with the report as a self-contained HTML file to download."""
    context = {
        "panel": panel(attempt),
        "mark": getattr(attempt, "review_mark", None),
        "notes": _notes(attempt),
        "made_at": timezone.now(),
    }
    return _file(attempt, render_to_string("history/report.html", context), "text/html; charset=utf-8", "html")


def report_json(attempt: Attempt) -> HttpResponse:
    """Respond with the report as a JSON object to download; times are ISO 8601 in UTC."""
    content = json.dumps(_document(attempt, panel(attempt)), indent=2, ensure_ascii=False)
    return _file(attempt, f"{content}\n", "application/json", "json")


def _document(attempt: Attempt, shown: Panel) -> dict[str, Any]:
    mark = getattr(attempt, "review_mark", None)
    return {
        "id": str(attempt.pk),
        "made_at": _iso(timezone.now()),
        "title": shown.title,
        "headline": shown.headline,
        "requested_by": attempt.requested_by.get_username(),
        "node": attempt.address,
        "host": attempt.host,
        "action": attempt.action,
        "cluster": attempt.target,
        "state": attempt.state,
        "reason": attempt.reason,
        "error_code": attempt.error_code,
        "created_at": _iso(attempt.created_at),
        "started_at": _iso(attempt.started_at),
        "ended_at": _iso(attempt.ended_at),
        "duration": shown.duration,
        "explanation": _explanation(shown.explanation),
        "accepted": [{"check": check, "reason": reason} for check, reason in shown.accepted],
        "stages": [
            {
                "title": stage.title,
                "mark": stage.mark_label,
                "note": stage.note,
                "since": _iso(stage.since),
                "until": _iso(stage.until),
                "took": stage.took,
            }
            for stage in shown.stages
        ],
        "events": [
            {
                "seq": event.seq,
                "at": _iso(event.at),
                "kind": event.kind,
                "message": event.message,
                "by": event.by.get_username() if event.by else None,
            }
            for event in reversed(shown.events)
        ],
        "node_details": dict(shown.facts),
        "fingerprint": attempt.current_fingerprint,
        "request": attempt.request,
        "reviewed_by": mark.by.get_username() if mark else None,
        "reviewed_at": _iso(mark.at) if mark else None,
        "notes": [{"by": note.by.get_username(), "at": _iso(note.at), "text": note.text} for note in _notes(attempt)],
    }


def _explanation(found: Explanation | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "title": found.title,
        "meaning": found.meaning,
        "causes": list(found.causes),
        "what_to_do": list(found.checks),
    }


def _notes(attempt: Attempt) -> list[ReviewNote]:
    return list(ReviewNote.objects.filter(attempt=attempt).select_related("by"))


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def _file(attempt: Attempt, content: str, content_type: str, extension: str) -> HttpResponse:
    name = f"attempt-{attempt.created_at.astimezone(UTC):%Y-%m-%d}-{attempt.pk}.{extension}"
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
