import json
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.strict_json import DuplicateKeys, InvalidJson, read_json


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a": 1, "a": 1}', ("a",)),
        ('{"a": {"b": 1, "b": {"c": 1, "c": 1}}}', ("a.b", "a.b.c")),
        ('[{}, {"b": [1, {"c": 1, "\\u0063": 2}]}]', ("1.b.1.c",)),
        ('{"a": {"b": 1, "b": 2}, "c": 1, "c": 2, "": 1, "": 2}', ("c", "?", "a.b")),
    ],
)
def test_duplicate_keys_are_named_by_path(text, paths):
    with pytest.raises(DuplicateKeys) as refused:
        read_json(text.encode())

    assert refused.value.paths == paths


def test_duplicate_keys_are_limited():
    text = "{" + ",".join(f'"{number}": 1, "{number}": 2' for number in range(5000)) + "}"

    with pytest.raises(DuplicateKeys) as refused:
        read_json(text.encode())

    assert len(refused.value.paths) == 20


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} {"b": 2}',
        b"<html>502 Bad Gateway</html>",
        b'{"password": "CANARY" "x"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_loose_json_is_refused_and_not_shown(body):
    with pytest.raises(InvalidJson) as refused:
        read_json(body)

    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert "CANARY" not in "".join(traceback.format_exception(error))


def test_at_most_twenty_levels_are_read():
    assert read_json(b"[" * 20 + b"]" * 20)

    with pytest.raises(InvalidJson, match="deeper than 20"):
        read_json(b'{"a":' * 21 + b"1" + b"}" * 21)


@pytest.mark.parametrize("body", [b"[" * 10**6, b'{"a":' * 10**6, b"[" * 10**6 + b"]" * 10**6])
def test_a_million_levels_are_refused_quickly(body):
    started = time.process_time()

    with pytest.raises(InvalidJson, match="deeper than 20"):
        read_json(body)

    assert time.process_time() - started < 1


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 131_072, b'"\\' * 131_072, b'"' * 262_143, b'["' + b"\\\\" * 131_072])
def test_a_body_of_quotes_is_refused_quickly(body):
    started = time.process_time()

    with pytest.raises(InvalidJson):
        read_json(body)

    assert time.process_time() - started < 2


def test_brackets_inside_texts_do_not_count():
    document = {"message": '\\"[[[[' + "[{" * 50, "other": "]" * 50}

    assert read_json(json.dumps(document).encode()) == document


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_strict_json_is_read_unchanged(document):
    assert read_json(json.dumps(document).encode()) == document
