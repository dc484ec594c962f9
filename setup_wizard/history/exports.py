"""Attempts as files: CSV for a spreadsheet, JSON for a program, written row by row however many there are.

What is exported is what the page shows. Credentials are in neither: they are not in the rows.
"""

import csv
import json
import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from io import StringIO

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt

CHUNK = 500
# Where a spreadsheet begins a formula: at the start of a cell, and behind what it may take for the end of one, as the
# separator is not the same everywhere. Reference: docs/failure-modes.md, W9
SEPARATOR = r';,|"\t\r\n\v\f\x85\u2028\u2029'
UNSEEN = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
SIGN = r"=+\-@＝＋－＠\ufe62\ufe63\ufe66\ufe6b\u207a\u207b\u207c"  # full-width, small and superscript ones too
FORMULA = re.compile(f"(^|[{SEPARATOR}])([{UNSEEN}]*)(?=[{SIGN}])")
CONTROLS = ("\t", "\r", "\n")
COLUMNS = (
    "id",
    "node",
    "host",
    "action",
    "cluster",
    "state",
    "reason",
    "error_code",
    "error",
    "meaning",
    "requested_by",
    "created_at",
    "started_at",
    "ended_at",
    "reviewed_by",
    "reviewed_at",
)


def export_csv(attempts: QuerySet[Attempt]) -> StreamingHttpResponse:
    """Answer with one line for each attempt."""
    return _file(_csv(attempts), "text/csv; charset=utf-8", "csv")


def export_json(attempts: QuerySet[Attempt]) -> StreamingHttpResponse:
    """Answer with a list of objects: what is in the CSV, and the request and the notes beside it."""
    return _file(_json(attempts), "application/json", "json")


def neutralise(cell: str) -> str:
    """Give the text of a cell so that no spreadsheet computes it, or a part of it."""
    text = FORMULA.sub(r"\1\2'", cell)
    return f"'{text}" if text.startswith(CONTROLS) else text


async def _csv(attempts: QuerySet[Attempt]) -> AsyncIterator[str]:
    yield _line(COLUMNS)
    async for attempt in _rows(attempts):
        facts = _facts(attempt)
        yield _line(facts[column] for column in COLUMNS)


async def _json(attempts: QuerySet[Attempt]) -> AsyncIterator[str]:
    before = "[\n"
    async for attempt in _rows(attempts):
        notes = [
            {"by": note.by.get_username(), "at": _moment(note.at), "text": note.text}
            for note in attempt.review_notes.all()
        ]
        row = {**_facts(attempt), "request": attempt.request, "notes": notes}
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def _rows(attempts: QuerySet[Attempt]) -> AsyncIterator[Attempt]:
    wanted = attempts.select_related("requested_by", "review_mark__by").prefetch_related("review_notes__by")
    return wanted.aiterator(chunk_size=CHUNK)


def _facts(attempt: Attempt) -> dict[str, str]:
    explanation = explain(attempt)
    mark = getattr(attempt, "review_mark", None)
    return {
        "id": str(attempt.pk),
        "node": attempt.address,
        "host": attempt.host,
        "action": attempt.action,
        "cluster": attempt.target,
        "state": attempt.state,
        "reason": attempt.reason,
        "error_code": attempt.error_code,
        "error": explanation.title if explanation else "",
        "meaning": explanation.meaning if explanation else "",
        "requested_by": attempt.requested_by.get_username(),
        "created_at": _moment(attempt.created_at),
        "started_at": _moment(attempt.started_at),
        "ended_at": _moment(attempt.ended_at),
        "reviewed_by": mark.by.get_username() if mark else "",
        "reviewed_at": _moment(mark.at) if mark else "",
    }


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([neutralise(cell) for cell in cells])
    return line.getvalue()


def _file(content: AsyncIterator[str], kind: str, ending: str) -> StreamingHttpResponse:
    name = f"attempts-{timezone.now():%Y-%m-%d-%H%M}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(content, content_type=kind, headers=headers)
