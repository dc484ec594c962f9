"""Invisible characters are reported at the field and on the review page."""

import pytest

from setup_wizard.access import tokens
from setup_wizard.attempts import vault
from tests.api.conftest import Caller, creating

from .conftest import readable

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SPELLINGS = [
    (" Correct-horse-7", "begins with a space"),
    ("Correct-horse-7  ", "ends with a space"),
    ("\tCorrect-horse-7", "begins with a tab"),
    ("Correct-horse-7\n", "ends with a line break"),
    ("Correct\u200bhorse-7-b", "contains an invisible character (U+200B ZERO WIDTH SPACE)"),
    ("\ufeffCorrect-horse-7", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ("Correct\u00a0horse-7", "contains an unusual space (U+00A0 NO-BREAK SPACE)"),
    ("Correct\u202fhorse-7", "U+202F NARROW NO-BREAK SPACE"),
    ("Correct\u00adhorse-7", "U+00AD SOFT HYPHEN"),
]


@pytest.mark.parametrize(("password", "told"), SPELLINGS)
def test_invisible_characters_in_a_password_are_reported(maria, fresh_node, password, told):
    maria.to_cluster(fresh_node)

    answer = maria.client.post(f"/setup/{maria.draft.pk}/cluster/check/password/", {"password": password}, headers=HTMX)

    text = readable(answer.content.decode())
    assert told in text
    assert "used exactly as typed" in text
    assert "horse" not in text


@pytest.mark.parametrize(("password", "told"), SPELLINGS[:1] + SPELLINGS[4:7])
def test_review_warns_again_and_keeps_the_password_as_typed(maria, fresh_node, password, told):
    maria.to_review(fresh_node, password=password)

    assert told in maria.text
    assert vault.open_for(maria.draft.pk).password.reveal() == password
    assert maria.start().status_code == 302


def test_the_api_warns_of_the_password_and_starts(maria, fresh_node):
    document = creating(fresh_node)
    document["bootstrap"]["credentials"]["password"] = "Correct-horse-7 "

    answer = Caller(tokens.issue(maria.user)).post("/attempts", document)

    assert answer.status_code == 201
    assert "ends with a space" in answer.json()["warnings"][0]


@pytest.mark.parametrize(
    "pasted", ["\u200bredis-prod.example.com", "redis-prod.example.com\u00a0", "\ufeffredis-prod.example.com\n"]
)
def test_a_pasted_name_loses_invisible_characters(maria, fresh_node, pasted):
    maria.to_review(fresh_node, name=pasted, username="\u00a0admin@example.com\u200b")

    assert maria.url.endswith("/review/")
    assert maria.draft.data["create"] == maria.draft.data["create"] | {
        "name": "redis-prod.example.com",
        "username": "admin@example.com",
    }
