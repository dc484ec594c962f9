import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.status import NotJson, UnreadableAnswer, parse_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b'{"state": NaN}',
        b'{"state": Infinity}',
        b'{"state": -Infinity}',
        b'{"state": 1e999}',
        b'{"state": "idle", "state": "completed"}',
        b'{"a": {"state": "idle", "state": "completed"}}',
        b'{"state": "idle"',
        b'{"state": "idle"} trailing',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'"' + b'\\"' * 100,
        b"1" * 5000,
        b"[" * 21 + b"]" * 21,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_loose_json_is_refused(body):
    with pytest.raises(NotJson):
        parse_json(body)


def test_not_json_is_an_unreadable_answer():
    assert issubclass(NotJson, UnreadableAnswer)


def test_at_most_twenty_levels_are_read():
    assert parse_json(b"[" * 20 + b"]" * 20)

    with pytest.raises(NotJson, match="deeper than 20"):
        parse_json(b'{"a":' * 21 + b"1" + b"}" * 21)


@pytest.mark.parametrize("body", [b"[" * 10**6, b'{"a":' * 10**6, b"[" * 10**6 + b"]" * 10**6])
def test_a_million_levels_are_refused_quickly(body):
    started = time.process_time()

    with pytest.raises(NotJson, match="deeper than 20"):
        parse_json(body)

    assert time.process_time() - started < 1


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 131_072, b'"\\' * 131_072, b'"' * 262_143, b'["' + b"\\\\" * 131_072])
def test_a_body_of_quotes_is_refused_quickly(body):
    started = time.process_time()

    with pytest.raises(NotJson):
        parse_json(body)

    assert time.process_time() - started < 2


def test_brackets_inside_texts_do_not_count():
    document = {"message": '\\"[[[[' + "[{" * 50, "other": "]" * 50}

    assert parse_json(json.dumps(document).encode()) == document


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda kids: st.lists(kids) | st.dictionaries(st.text(), kids),
        max_leaves=20,
    )
)
def test_plain_documents_are_read_unchanged(document):
    assert parse_json(json.dumps(document).encode()) == document
