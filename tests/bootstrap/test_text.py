import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.text import clean, has_controls, is_encodable

ANYTHING = st.text(st.characters(), max_size=80)  # lone surrogates included


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("disk full", "disk full"),
        ("  disk\nfull\t ", "disk full"),
        ("disk\0full", "diskfull"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("invoice\u202egnp.exe", "invoice\\u202egnp.exe"),
        ("half \ud800", "half \\ud800"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Grüße, 東京", "Grüße, 東京"),
    ],
)
def test_clean_makes_all_characters_visible(foreign, shown):
    assert clean(foreign, 100) == shown


def test_clean_marks_a_cut_with_an_ellipsis():
    assert clean("abcdefgh", 5) == "abcd…"
    assert clean("abcde", 5) == "abcde"


@given(ANYTHING, st.integers(1, 60))
def test_clean_text_is_short_and_storable(text, limit):
    cleaned = clean(text, limit)

    assert len(cleaned) <= limit
    assert not has_controls(cleaned)
    assert is_encodable(cleaned)
    assert clean(cleaned, limit) == cleaned
