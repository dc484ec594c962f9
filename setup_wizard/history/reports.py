"""Reports for a ticket: one HTML file without any reference to another, or JSON.

The report of an attempt has what its page shows; secrets are masked in the rows already. Reports of several attempts
use the same parts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.error_catalogue import Explanation
from setup_wizard.history.models import ReviewMark, ReviewNote
from setup_wizard.live.panel import Panel, panel


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One attempt with its review, as `history/_report_attempt.html` shows it."""

    panel: Panel
    mark: ReviewMark | None
    notes: list[ReviewNote]

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptReport":
        """Collect everything about an attempt."""
        notes = list(ReviewNote.objects.filter(attempt=attempt).select_related("by"))
        return cls(panel(attempt), getattr(attempt, "review_mark", None), notes)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON; times are ISO 8601 in UTC."""
        shown, mark, attempt = self.panel, self.mark, self.panel.attempt
        return {
            "id": str(attempt.pk),
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
            "created_at": iso(attempt.created_at),
            "started_at": iso(attempt.started_at),
            "ended_at": iso(attempt.ended_at),
            "duration": shown.duration,
            "explanation": _explanation(shown.explanation),
            "accepted": [{"check": check, "reason": reason} for check, reason in shown.accepted],
            "stages": [
                {
                    "title": stage.title,
                    "mark": stage.mark_label,
                    "note": stage.note,
                    "since": iso(stage.since),
                    "until": iso(stage.until),
                    "took": stage.took,
                }
                for stage in shown.stages
            ],
            "events": [
                {
                    "seq": event.seq,
                    "at": iso(event.at),
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
            "reviewed_at": iso(mark.at) if mark else None,
            "notes": [{"by": note.by.get_username(), "at": iso(note.at), "text": note.text} for note in self.notes],
        }


def report_html(attempt: Attempt) -> HttpResponse:
    """Respond with the report as a self-contained HTML file to download."""
    return html_file("history/report.html", {"report": AttemptReport.of(attempt)}, _name(attempt))


def report_json(attempt: Attempt) -> HttpResponse:
    """Respond with the report as a JSON object to download."""
    return json_file(AttemptReport.of(attempt).as_json(), _name(attempt))


def html_file(template: str, context: Mapping[str, Any], name: str) -> HttpResponse:
    """Respond with a report to download; the context gets `made_at`, and the name its extension."""
    content = render_to_string(template, {**context, "made_at": timezone.now()})
    return _file(content, "text/html; charset=utf-8", f"{name}.html")


def json_file(document: Mapping[str, Any], name: str) -> HttpResponse:
    """Respond with a report as JSON to download; it gets `made_at`, and the name its extension."""
    content = json.dumps({"made_at": iso(timezone.now()), **document}, indent=2, ensure_ascii=False)
    return _file(f"{content}\n", "application/json", f"{name}.json")


def iso(at: datetime | None) -> str | None:
    """Give a time in UTC as ISO 8601, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def _explanation(found: Explanation | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "title": found.title,
        "meaning": found.meaning,
        "causes": list(found.causes),
        "what_to_do": list(found.checks),
    }


def _name(attempt: Attempt) -> str:
    return f"attempt-{attempt.created_at.astimezone(UTC):%Y-%m-%d}-{attempt.pk}"


def _file(content: str, content_type: str, name: str) -> HttpResponse:
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
