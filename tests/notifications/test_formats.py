"""Each kind of receiver gets the body that it takes, and a hostile node cannot write markup into a chat."""

import json
from datetime import UTC, datetime

import pytest

from setup_wizard.notifications.formats import write_body
from setup_wizard.notifications.models import Format, Notice, NoticeKind

HOSTILE = "“<!channel> @all [click](https://evil.example.com) `x` <https://evil.example.com|here>”"


@pytest.fixture
def notice(settings):
    settings.SETUP_WIZARD_PAGES_URL = "https://setup.example.com/"
    return Notice(
        source="attempt",
        kind=NoticeKind.NEEDS_OPERATOR,
        at=datetime(2026, 11, 29, 12, 0, tzinfo=UTC),
        document={
            "id": "1",
            "path": "/attempts/1/",
            "title": "Setup of 10.0.0.5:9443 needs an operator",
            "explanation": "The certificate has changed",
            "message": HOSTILE,
            "facts": [["Cluster", "redis-prod.example.com"]],
        },
    )


def body(notice, format_):
    return json.loads(write_body(format_, notice))


def test_json_has_type_timestamp_and_data(notice):
    assert body(notice, Format.JSON) == {
        "type": "attempt.needs_operator",
        "timestamp": "2026-11-29T12:00:00+00:00",
        "data": {
            "id": "1",
            "title": "Setup of 10.0.0.5:9443 needs an operator",
            "explanation": "The certificate has changed",
            "message": HOSTILE,
            "url": "https://setup.example.com/attempts/1/",
        },
    }


def test_slack_gets_text_with_a_link(notice):
    assert body(notice, Format.SLACK)["text"].splitlines() == [
        "*Setup of 10.0.0.5:9443 needs an operator*",
        "The certificate has changed",
        "Cluster: redis-prod.example.com",
        "<https://setup.example.com/attempts/1/|Open>",
    ]


def test_mattermost_gets_markdown_with_a_link(notice):
    assert body(notice, Format.MATTERMOST)["text"].splitlines() == [
        "**Setup of 10.0.0.5:9443 needs an operator**",
        "The certificate has changed",
        "Cluster: `redis-prod.example.com`",
        "[Open](https://setup.example.com/attempts/1/)",
    ]


def test_teams_gets_an_adaptive_card(notice):
    [attachment] = body(notice, Format.TEAMS)["attachments"]

    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert [block["inlines"][0]["text"] for block in card["body"]] == [
        "Setup of 10.0.0.5:9443 needs an operator",
        "The certificate has changed",
        "Cluster: redis-prod.example.com",
    ]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open", "url": "https://setup.example.com/attempts/1/"}
    ]


def test_words_of_a_node_are_no_markup_in_a_chat(notice):
    notice.document["explanation"] = ""

    slack = body(notice, Format.SLACK)["text"]
    assert "<!channel>" not in slack
    assert "<https://evil" not in slack
    mattermost = body(notice, Format.MATTERMOST)["text"].splitlines()[1]
    assert mattermost.startswith("`")
    assert mattermost.count("`") == 2
    [attachment] = body(notice, Format.TEAMS)["attachments"]
    assert {block["type"] for block in attachment["content"]["body"]} == {"RichTextBlock"}


@pytest.mark.parametrize("format_", Format)
def test_without_the_address_of_the_pages_there_is_no_link(notice, settings, format_):
    settings.SETUP_WIZARD_PAGES_URL = ""

    assert "/attempts/1/" not in write_body(format_, notice).decode()
