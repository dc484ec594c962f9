"""Export attempts as CSV for spreadsheets or JSON for programs, streamed row by row.

The export has what the page shows. Credentials are in neither: they are not in the rows.
"""

import csv
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import datetime
from io import StringIO

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt
from setup_wizard.history.pages import Place, read_rows, with_marks
from setup_wizard.history.search import Search

CHUNK = 500
# A spreadsheet looks for a formula at the start of a cell, and after any character that it may take for a separator
SEPARATOR = r';,|"\t\r\n\v\f\x85\u2028\u2029'
INVISIBLE = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
SIGN = r"=+\-@＝＋－＠\ufe62\ufe63\ufe66\ufe6b\u207a\u207b\u207c"  # full-width, small and superscript ones too
FORMULA = re.compile(f"(^|[{SEPARATOR}])([{INVISIBLE}]*)(?=[{SIGN}])")
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
    "notes",
)


def export_csv(attempts: AsyncIterable[Attempt]) -> StreamingHttpResponse:
    """Respond with one line for each attempt."""
    return _file(_csv(attempts), "text/csv; charset=utf-8", "csv")


def export_json(attempts: AsyncIterable[Attempt]) -> StreamingHttpResponse:
    """Respond with a list of objects: the columns of the CSV, the request, and the notes as objects."""
    return _file(_json(attempts), "application/json", "json")


def rows_of(attempts: QuerySet[Attempt]) -> AsyncIterator[Attempt]:
    """Read these attempts, with all that a row shows."""
    return _with_reviews(attempts).aiterator(chunk_size=CHUNK)


async def rows_of_search(search: Search, *, reader: User) -> AsyncIterator[Attempt]:
    """Read what a search finds, in its order, page by page: no query reads them all."""
    place = None
    while rows := await sync_to_async(_read)(search, reader, place):
        for attempt in rows:
            yield attempt
        place = Place(rows[-1])


def _read(search: Search, reader: User, place: Place | None) -> list[Attempt]:
    return list(_with_reviews(read_rows(search, reader=reader, place=place))[:CHUNK])


def _with_reviews(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return with_marks(attempts).prefetch_related("review_notes__by")


def neutralise(cell: str) -> str:
    """Escape a cell so that no spreadsheet runs any part of it as a formula."""
    text = FORMULA.sub(r"\1\2'", cell)
    return f"'{text}" if text.startswith(CONTROLS) else text


async def _csv(attempts: AsyncIterable[Attempt]) -> AsyncIterator[str]:
    yield _line(COLUMNS)
    async for attempt in attempts:
        notes = "\n".join(f"{note.by.get_username()}: {note.text}" for note in attempt.review_notes.all())
        cells = _cells(attempt) | {"notes": notes}
        yield _line(cells[column] for column in COLUMNS)


async def _json(attempts: AsyncIterable[Attempt]) -> AsyncIterator[str]:
    separator = "[\n"
    async for attempt in attempts:
        notes = [
            {"by": note.by.get_username(), "at": _iso(note.at), "text": note.text}
            for note in attempt.review_notes.all()
        ]
        row = {**_cells(attempt), "request": attempt.request, "notes": notes}
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def _cells(attempt: Attempt) -> dict[str, str]:
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
        "created_at": _iso(attempt.created_at),
        "started_at": _iso(attempt.started_at),
        "ended_at": _iso(attempt.ended_at),
        "reviewed_by": mark.by.get_username() if mark else "",
        "reviewed_at": _iso(mark.at) if mark else "",
    }


def _iso(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([neutralise(cell) for cell in cells])
    return line.getvalue()


def _file(content: AsyncIterator[str], content_type: str, extension: str) -> StreamingHttpResponse:
    name = f"attempts-{timezone.now():%Y-%m-%d-%H%M}.{extension}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(content, content_type=content_type, headers=headers)
