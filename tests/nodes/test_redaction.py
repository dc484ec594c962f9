import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.redaction import redact

PASSWORD = 'pä ss"\\wörd&<7>'


@pytest.mark.parametrize(
    "echo",
    [
        PASSWORD,
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        repr(PASSWORD),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
        html.escape(PASSWORD),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f"maria@example.com:{PASSWORD}".encode()).decode(),
    ],
)
def test_a_password_is_taken_out_in_every_spelling(echo):
    text = redact(f"bad request: {echo} was refused", [Secret(PASSWORD)], username="maria@example.com")

    assert echo.strip("\"'") not in text
    assert text.startswith("bad request: ")
    assert text.endswith(" was refused")
    assert "********" in text


def test_text_without_the_password_is_left_alone():
    assert redact("the path does not exist", [Secret(PASSWORD), Secret("")]) == "the path does not exist"


@pytest.mark.parametrize("spell", [str, lambda text: json.dumps(text)[1:-1], quote, html.escape])
@pytest.mark.parametrize("kept", [3, 6, 11])
def test_where_a_long_text_was_cut_no_beginning_of_the_password_is_left(spell, kept):
    said = clean("refused: " + spell(PASSWORD), len("refused: ") + kept + 1)
    assert said.endswith(spell(PASSWORD)[:kept] + "…")

    assert redact(said, [Secret(PASSWORD)]) == "refused: ********…"


def test_the_end_of_a_text_that_was_not_cut_is_left_alone():
    assert redact("the pä s", [Secret(PASSWORD)]) == "the pä s"
    assert redact("the name is…", [Secret("sesame"), Secret("")]) == "the name is…"
