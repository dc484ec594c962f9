"""One line of JSON for each thing that is logged, by us or by a library, with what is known about where it happened.

`time`, `level`, `logger` and `event` come first; then what is bound to the work at hand (`request_id` in a view;
`attempt`, `node` and `lease` in a tick), and what a call gave as `extra={"fields": {…}}`. Nothing that looks like a
secret passes, wherever it stands.

Reference: docs/failure-modes.md, S10 and W9.
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
LINE = 20_000  # characters of one line for a terminal; JSON lines are as long as they need to be

_SENSITIVE = r"(?:passw(?:or)?d|secret|credential|token|client_key|private_key|sessionid)"
_SECRET_NAME = re.compile(rf"(?i){_SENSITIVE}|authorization|cookie")
# what is written of headers goes to the end of its line, or of the quoted text that it stands in
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s{0,8}[:=,]\s{0,8}['\"]?)[^'\"\r\n]+")
# no part of these may be tried again from every place of a long word: that takes seconds for a text of some kilobytes
_PAIR = re.compile(
    rf"(?i)({_SENSITIVE}[\w-]{{0,32}}['\"]?\s{{0,8}}[:=]\s{{0,8}})"
    r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&)}\]]+)"
)
_SCHEME = re.compile(r"(?i)\b(basic|bearer)\s{1,8}[a-z0-9+/=._~-]{8,}")
_SIGN_IN_LINK = re.compile(r"(?i)((?:/|%2f)sign-in(?:/|%2f))[^/?#%\s\"'<>]+")
# in a URL that is quoted in another one, these signs are written as %3A, %2F and %40
_USERINFO = re.compile(
    r"(?i)((?::|%3a)(?://|%2f%2f))(?:[^\s/@:%'\"]|%(?!3a|40|2f)){0,256}(?::|%3a)(?:[^\s/@%'\"]|%(?!40|2f)){0,256}(?:@|%40)"
)


def formatter(kind: str) -> logging.Formatter:
    """Make the formatter of every handler: `kind` is "json", or "console" for a person at a terminal."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, add_log_level, add_logger_name],
        processors=[
            _add_record,
            structlog.processors.format_exc_info,
            ProcessorFormatter.remove_processors_meta,
            redact,
            _put_in_order,
            _console if kind == "console" else structlog.processors.JSONRenderer(),
        ],
    )


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace whatever is, or is named like, a secret, at any depth."""
    return {name: MASK if _SECRET_NAME.search(name) else _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return redact(None, "", {str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(each) for each in value]
    text = _SIGN_IN_LINK.sub(rf"\1{MASK}", str(value))
    text = _HEADER.sub(rf"\1\2{MASK}", text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    return _USERINFO.sub(rf"\1{MASK}@", text)


def _add_record(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    if getattr(record, "status_code", 500) < 500:
        event.pop("exc_info", None)  # Django's, for a request that was refused: anybody could fill the log with them
    event["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {**event, **getattr(record, "fields", {})}


def _put_in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name, "") for name in ("time", "level", "logger", "event")}
    return {**first, **event}


def _console(logger: Any, method: str, event: EventDict) -> str:
    # a node's words must not repaint the terminal; a traceback keeps its lines
    shown = {
        name: clean(value, LINE) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }
    return str(_RENDERER(logger, method, shown))


_RENDERER: Processor = structlog.dev.ConsoleRenderer(
    colors=sys.stderr.isatty(), timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
)
