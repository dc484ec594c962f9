"""Every row of the published API has a test of its name that asserts something."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.contract.rows import ROWS, Kind, Row

CONTRACT = Path(__file__).resolve().parents[1] / "contract"
SOURCES = "\n".join(path.read_text() for path in sorted(CONTRACT.rglob("test_*.py")))


@cache
def functions(source):
    return [each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)]


def row_of(name, rows=ROWS):
    """The row that a test is named for: the longest that fits, as some begin with another's words."""
    fitting = [row for row in rows if name == row.test or name.startswith(f"{row.test}_")]
    return max(fitting, key=lambda row: len(row.slug), default=None)


def is_a_test(function):
    """It asserts something, and nothing keeps it from being run."""
    asserts = any(isinstance(inner, ast.Assert) for inner in ast.walk(function))
    return asserts and not {"skip", "skipif", "xfail"} & set(words(function))


def words(function):
    return (inner.attr for inner in ast.walk(function) if isinstance(inner, ast.Attribute))


def named_for(row, source):
    return [each.name for each in functions(source) if row_of(each.name) == row and is_a_test(each)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_row_of_the_contract_has_a_test_of_its_name(row):
    found = named_for(row, SOURCES)

    assert found, f"tests/contract has no {row.test}… for: {row.words}"


def test_all_of_the_page_is_in_the_list():
    count = {kind: sum(row.kind is kind for row in ROWS) for kind in Kind}

    assert (count[Kind.CODE], count[Kind.STATE]) == (13, 7)
    assert count[Kind.ROW] > 40


@pytest.mark.parametrize(
    "source",
    [
        "def test_state_idle(): pass",
        "def test_state_idler(): assert True",
        "def check_state_idle(): assert True",
        "@pytest.mark.skip\ndef test_state_idle(): assert True",
        "def test_state_idle():\n    pytest.xfail()\n    assert True",
    ],
)
def test_what_is_no_test_of_a_row_does_not_count_as_one(source):
    assert named_for(Row(Kind.STATE, "idle", "No bootstrapping started."), source) == []


def test_a_test_counts_for_the_longest_name_that_it_begins_with():
    source = "def test_row_local_node_info_available_addrs_address_is_an_address(): assert True"
    shorter, longer = (
        next(row for row in ROWS if row.slug == slug)
        for slug in ("local_node_info_available_addrs", "local_node_info_available_addrs_address")
    )

    assert (named_for(shorter, source), len(named_for(longer, source))) == ([], 1)
