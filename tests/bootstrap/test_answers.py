import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setup_wizard.bootstrap.status import BootstrapAnswer, BootstrapWarning, NodeState, UnreadableAnswer, parse_answer
from tests.bootstrap.samples import DOCUMENTED_ANSWER, REAL_ANSWER

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
KEYS = st.sampled_from(
    [
        "state",
        "start_time",
        "error_code",
        "error_details",
        "message",
        "uid",
        "address",
        "if_name",
        "warnings",
        "warning_type",
        "details",
        "module_name",
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda kids: st.lists(kids, max_size=5) | st.dictionaries(KEYS | st.text(max_size=5), kids, max_size=5),
    max_leaves=15,
)


def failed(details, code="path_error"):
    status = {"state": "error", "error_code": code, "error_details": details}
    return parse_answer({"bootstrap_status": status}).status


def test_the_documented_answer_is_read():
    answer = parse_answer(DOCUMENTED_ANSWER)

    assert answer.status.state is NodeState.COMPLETED
    assert answer.status.start_time == answer.status.end_time == "2014-08-29T11:19:49Z"
    assert (answer.status.error_code, answer.status.error_details) == (None, {})
    assert (answer.node.uid, answer.node.cores, answer.node.total_memory) == ("3", 2, 24137)
    assert answer.node.persistent_storage_size == 1018889.8304
    assert [each.address for each in answer.node.addresses if not each.is_bridge] == [
        "172.16.50.122",
        "2001:db8:0:f101::1",
    ]


def test_the_answer_of_a_real_node_is_read():
    answer = parse_answer(REAL_ANSWER)

    assert answer.status.state is NodeState.IDLE
    assert answer.status.start_time is None
    assert (answer.node.uid, answer.node.total_memory) == ("1", 16766763008)
    assert answer.node.supported_bigstore_drivers == ("rocksdb", "speedb")
    assert [(each.address, each.is_bridge) for each in answer.node.addresses] == [
        ("10.0.0.7", False),
        ("192.168.7.1", True),
    ]


@pytest.mark.parametrize(
    ("word", "accepts", "running", "final"),
    [
        ("idle", True, False, False),
        ("initiated", False, True, False),
        ("creating_cluster", False, True, False),
        ("joining_cluster", False, True, False),
        ("recovering_cluster", False, True, False),
        ("error", True, False, True),
        ("completed", False, False, True),
        ("rebalancing", False, True, False),
    ],
)
def test_states_know_what_they_mean(word, accepts, running, final):
    state = parse_answer({"bootstrap_status": {"state": word}}).status.state

    assert (state.accepts_bootstrap, state.is_running, state.is_final) == (accepts, running, final)


def test_every_state_has_its_own_label():
    assert len({state.label for state in NodeState}) == len(NodeState)


def test_an_unknown_state_is_kept_and_shown():
    status = parse_answer({"bootstrap_status": {"state": "re\x1bbalancing"}}).status

    assert status.state is NodeState.UNRECOGNISED
    assert status.word == status.label == "re\\x1bbalancing"


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "idle",
        {},
        {"bootstrap_status": None},
        {"bootstrap_status": "idle"},
        {"bootstrap_status": {}},
        {"bootstrap_status": {"state": None}},
        {"bootstrap_status": {"state": 1}},
        {"bootstrap_status": {"state": ""}},
        {"bootstrap_status": {"state": "\0 "}},
        {"state": "idle"},
    ],
)
def test_an_answer_without_a_state_is_refused(document):
    with pytest.raises(UnreadableAnswer):
        parse_answer(document)


def test_an_answer_without_facts_is_accepted():
    assert parse_answer({"bootstrap_status": {"state": "idle"}, "local_node_info": [1]}).node.cores is None


def test_error_details_keep_plain_values():
    details = {"message": "no space", "required_memory": 17179869184, "failed_nodes": [{"uid": 2, "rack_id": "rack-a"}]}

    assert failed(details).error_details == details


def test_a_bare_text_becomes_the_message():
    assert failed("no space").error_details == {"message": "no space"}


def test_error_details_drop_values_that_cannot_be_stored():
    details = {
        "message": "a\0b\x1b",
        "size": float("nan"),
        "huge": 10**400,
        "deep": [[[[[[["x"]]]]]]],
        7: "x",
        "what": b"x",
    }

    kept = failed(details).error_details

    assert kept == {"message": "ab\\x1b", "deep": [[[[]]]]}


def test_error_details_are_limited():
    flood = {f"key{number}": '"' * 900 for number in range(1000)}

    assert 1000 < len(json.dumps(failed(flood).error_details)) <= 4096


def warned(warnings, key="warnings"):
    return parse_answer({"bootstrap_status": {"state": "completed", key: warnings}}).status


GRAPH = BootstrapWarning("module_download_failed", "Failed to download and install custom module 'graph': 404", "graph")
DOCUMENTED_WARNING = {
    "warning_type": GRAPH.kind,
    "message": GRAPH.message,
    "details": {"module_name": GRAPH.module},
}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ([DOCUMENTED_WARNING], (GRAPH,)),
        (DOCUMENTED_WARNING, (GRAPH,)),
        ([{"warning_type": "module_download_failed"}], (BootstrapWarning("module_download_failed"),)),
        ([{"message": "a\u202e", "details": "none"}], (BootstrapWarning("", "a\\u202e"),)),
        (["no route to host"], (BootstrapWarning("", "no route to host"),)),
        ([{"warning_type": 7, "message": ["x"]}, None, 3, {}, [], ""], ()),
        ([], ()),
        (None, ()),
        (True, ()),
        ("disk is slow", (BootstrapWarning("", "disk is slow"),)),
    ],
)
def test_warnings_are_read_in_any_form(said, read):
    assert warned(said).warnings == read
    assert warned(said, "warning").warnings == read


def test_warnings_are_limited():
    many = warned([{**DOCUMENTED_WARNING, "message": "x" * 10_000}] * 1000).warnings

    assert len(many) == 20
    assert {len(each.message) for each in many} == {500}


def test_warnings_may_hold_an_unknown_secret():
    assert warned([DOCUMENTED_WARNING]).without_words().warnings == ()


@given(JSON)
def test_details_of_any_shape_can_be_stored(details):
    kept = failed(details).error_details

    assert len(json.dumps(kept, allow_nan=False).encode()) <= 4096


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={"bootstrap_status": JSON, "local_node_info": JSON}) | JSON)
def test_any_json_is_an_answer_or_is_refused(document):
    try:
        answer = parse_answer(document)
    except UnreadableAnswer:
        return

    assert isinstance(answer, BootstrapAnswer)
    assert answer.status.word
