"""Format each log record, ours or a library's, as one line of JSON, with its context and without secrets.

`time`, `level`, `logger` and `event` come first, then the context (`request_id` in a view; `attempt`, `node` and
`lease` in a tick) and what a call passed as `extra={"fields": {…}}`.
"""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.contextvars import merge_contextvars
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from setup_wizard.bootstrap.text import clean

MASK = "********"
MAX_LINE = 20_000  # characters on a terminal; JSON lines have no limit

_SENSITIVE = r"(?:passw(?:or)?d|secret|credential|token|client_key|private_key|sessionid)"
_SECRET_NAME = re.compile(rf"(?i){_SENSITIVE}|authorization|cookie")
# a header ends with its line, or with the quoted text that contains it
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s{0,8}[:=,]\s{0,8}['\"]?)[^'\"\r\n]+")
# bounded repetitions only: backtracking over a long word would take seconds
_PAIR = re.compile(
    rf"(?i)({_SENSITIVE}[\w-]{{0,32}}['\"]?\s{{0,8}}[:=]\s{{0,8}})"
    r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&)}\]]+)"
)
_SCHEME = re.compile(r"(?i)\b(basic|bearer)\s{1,8}[a-z0-9+/=._~-]{8,}")
_SIGN_IN_LINK = re.compile(r"(?i)((?:\b|%2f)sign-in(?:/|%2f))[^/?#%\s\"'<>]+")
# in a URL that is part of another URL, these characters are %3A, %2F and %40
_USERINFO = re.compile(
    r"(?i)((?::|%3a)(?://|%2f%2f))(?:[^\s/@:%'\"]|%(?!3a|40|2f)){0,256}(?::|%3a)(?:[^\s/@%'\"]|%(?!40|2f)){0,256}(?:@|%40)"
)


def formatter(kind: str) -> logging.Formatter:
    """Return the formatter for all handlers; `kind` is "json", or "console" for a terminal."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, add_log_level, add_logger_name],
        processors=[
            _add_record,
            structlog.processors.format_exc_info,
            ProcessorFormatter.remove_processors_meta,
            redact,
            _sort_fields,
            _console if kind == "console" else structlog.processors.JSONRenderer(),
        ],
    )


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Mask every value that looks or is named like a secret, at any depth."""
    return {name: MASK if _SECRET_NAME.search(name) else _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return redact(None, "", {str(name): item for name, item in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(item) for item in value]
    text = _SIGN_IN_LINK.sub(rf"\1{MASK}", str(value))
    text = _HEADER.sub(rf"\1\2{MASK}", text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    return _USERINFO.sub(rf"\1{MASK}@", text)


def _add_record(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    if getattr(record, "status_code", 500) < 500:
        event.pop("exc_info", None)  # Django adds tracebacks to refused requests, which anyone can send
    event["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {**event, **getattr(record, "fields", {})}


def _sort_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name, "") for name in ("time", "level", "logger", "event")}
    return {**first, **event}


def _console(logger: Any, method: str, event: EventDict) -> str:
    # text of a node must not control the terminal; tracebacks keep their lines
    shown = {
        name: clean(value, MAX_LINE) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }
    return str(_RENDERER(logger, method, shown))


_RENDERER: Processor = structlog.dev.ConsoleRenderer(
    colors=sys.stderr.isatty(), timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
)
