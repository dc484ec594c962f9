"""The body of a message, as each kind of receiver expects it.

Chats read markup in what they get, and a hostile node could write some. Slack's three special characters are escaped.
In Mattermost everything that is not in words of ours stands in code, and for Teams all text is in runs without markup.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings
from django.urls import reverse

from setup_wizard.notifications.models import Format, Notice, NoticeKind

Body = dict[str, object]


def write_body(format_: Format, notice: Notice) -> bytes:
    """Write the body as JSON."""
    return json.dumps(_WRITERS[format_](notice), ensure_ascii=False, separators=(",", ":")).encode()


def plain_text(notice: Notice) -> str:
    """Write the body of an e-mail."""
    title, meaning, message = (_text(notice, name) for name in ("title", "explanation", "message"))
    parts = [f"{title}.", meaning, message if message != meaning else ""]
    lines = [*filter(None, parts), "", *(f"{name}: {value}" for name, value in _facts(notice)), "", url_of(notice)]
    base = settings.SETUP_WIZARD_PAGES_URL.rstrip("/")
    where = f"{base}{reverse('notifications:preferences')}" if base else "the account menu, under Notifications"
    return "\n".join([*lines, "", "--", f"Choose what you are notified of: {where}", ""])


def url_of(notice: Notice) -> str:
    """Return the address of the page; empty when it is not known under which address people open the pages."""
    path = str(notice.document.get("path", ""))
    base = settings.SETUP_WIZARD_PAGES_URL.rstrip("/")
    return f"{base}{path}" if base and path else ""


def type_of(notice: Notice) -> str:
    """Return the type of event in a JSON body, such as "attempt.ended"."""
    if notice.kind == NoticeKind.TEST:
        return "test"
    return f"{notice.source}.{'needs_operator' if notice.kind == NoticeKind.NEEDS_OPERATOR else 'ended'}"


def _json(notice: Notice) -> Body:
    data = {name: value for name, value in notice.document.items() if name not in {"facts", "path"}}
    return {
        "type": type_of(notice),
        "timestamp": notice.at.isoformat(),
        "data": data | {"url": url_of(notice)},
    }


def _slack(notice: Notice) -> Body:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    lines = [f"*{escape(_text(notice, 'title'))}*", escape(_meaning(notice))]
    lines += [f"{name}: {escape(value)}" for name, value in _facts(notice)]
    return _joined(lines, url_of(notice), "<{}|Open>")


def _mattermost(notice: Notice) -> Body:
    def code(text: str) -> str:
        return "`" + text.replace("`", "'") + "`" if text else ""

    lines = [f"**{_text(notice, 'title')}**", _text(notice, "explanation") or code(_text(notice, "message"))]
    lines += [f"{name}: {code(value)}" for name, value in _facts(notice)]
    return _joined(lines, url_of(notice), "[Open]({})")


def _joined(lines: list[str], url: str, link: str) -> Body:
    return {"text": "\n".join(filter(None, [*lines, link.format(url) if url else ""]))}


def _teams(notice: Notice) -> Body:
    def block(text: str, **style: str) -> Body:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}

    blocks = [block(_text(notice, "title"), weight="Bolder", size="Medium")]
    blocks += [
        block(text) for text in (_meaning(notice), *(f"{name}: {value}" for name, value in _facts(notice))) if text
    ]
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    if url := url_of(notice):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _meaning(notice: Notice) -> str:
    """Return what it means in words of ours, or the message of the event, which may quote the node."""
    return _text(notice, "explanation") or _text(notice, "message")


def _text(notice: Notice, name: str) -> str:
    return str(notice.document.get(name, ""))


def _facts(notice: Notice) -> list[tuple[str, str]]:
    facts = notice.document.get("facts", [])
    return [(str(name), str(value)) for name, value in facts]


_WRITERS: Final[Mapping[Format, Callable[[Notice], Body]]] = {
    Format.JSON: _json,
    Format.SLACK: _slack,
    Format.MATTERMOST: _mattermost,
    Format.TEAMS: _teams,
}
