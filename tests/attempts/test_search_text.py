"""What a search looks in follows the attempt."""

import pytest

from setup_wizard.attempts import engine, search_text
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt
from tests.attempts.attempt_rows import add_refused

pytestmark = pytest.mark.django_db


def finds(query, attempt):
    text = Attempt.objects.get(pk=attempt.pk).search_text
    return all(part in text for part in search_text.parts_of(query))


def test_start_writes_the_text_and_each_change_of_a_field_writes_it_again(start, fresh_node, maria):
    attempt = start(fresh_node)
    assert finds(f"{fresh_node.address} REDIS-prod", attempt)
    assert not finds("cancelled", attempt)

    engine.choose(attempt.pk, Choice.CANCEL, by=maria)

    assert finds(f"{fresh_node.address} redis-prod cancelled", attempt)


@pytest.mark.parametrize(
    "query", ["10.0.0.7:9443", "0.0.7", "access_denied", "access denied", "1", "re", "TEST.example"]
)
def test_words_are_found_in_any_field(maria, query):
    assert finds(query, add_refused(maria, "10.0.0.7:9443"))


@pytest.mark.parametrize("query", ["10d0d0", "10-0", "0.", "ed", "qq", "%", "access nowhere"])
def test_punctuation_is_not_a_letter_and_short_words_begin_a_field(maria, query):
    assert not finds(query, add_refused(maria, "10.0.0.7:9443"))
