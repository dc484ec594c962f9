import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import ErrorCode, Explanation, explain
from setup_wizard.bootstrap.text import has_controls
from tests.bootstrap.error_catalogue.failures import explain_failure, figures, text_of
from tests.bootstrap.test_answers import JSON


@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded"])
def test_control_characters_are_shown_and_long_text_is_cut(code):
    details = {"message": "\x1b[2J\u202e\0<b>" + "x" * 100_000, "extra": "\x07" * 10_000, "\x1b" * 999: "y"}

    explanation = explain_failure(code, details)

    assert not has_controls(text_of(explanation).replace("\n", ""))
    assert len(explanation.meaning) < 2000


KEYS = [
    *["message", "failed_nodes", "replace_candidate", "current_rack_ids", "required_memory", "required_flash", "path"],
    *["field", "rack_id", "uids", "available_addresses", "nodes", "node", "difference_seconds", "tolerance_seconds"],
    *["node_value", "cluster_value", "mismatches", "file_system", "violation_code", "violations", "code"],
    *["expiration_date", "nodes_limit", "nodes_used", "shards_limit", "shards_used", "cluster_name"],
]
# what a node could send by mistake, and fragments of what it should send
ODD = st.sampled_from(
    [
        *[None, True, False, -1, 0, 7, 1.5, 10**400, float("nan"), float("-inf"), "", " ", "\n", "7", [], {}],
        *["x1", "rack-a", "2026-11-29", "/mnt/data", "10.0.0.21", "path not mounted", "is locked", "shards"],
        *["license_expired", "cluster_name_mismatch", "flash_not_allowed"],
        *["node.identity.uid", "node.identity.rack_id", "node.identity.addr"],
    ]
)
KEYS_WITHIN = st.sampled_from(["uid", "rack_id", "node", "message", "setting", "node_value", "cluster_value"])
ODD_DETAILS = st.dictionaries(
    st.sampled_from(KEYS), ODD | st.lists(ODD | st.dictionaries(KEYS_WITHIN, ODD, max_size=3), max_size=3), max_size=5
)


@settings(max_examples=400)
@given(code=st.sampled_from([*ErrorCode, "quota_exceeded", ""]), details=ODD_DETAILS, action=st.sampled_from(Action))
def test_odd_details_leave_no_gap_in_a_text(code, details, action):
    request = {"action": action, "node": {"identity": {"addr": "10.0.0.7"}}, "cluster": {"name": "", "nodes": []}}

    explanation = explain(code, details, request=request, node="10.0.0.7")

    sentences = [explanation.meaning, *explanation.causes, *explanation.checks]
    assert all(text.endswith((".", "”.")) and text == text.strip() for text in sentences)
    labels = [explanation.title, *(remedy.label for remedy in explanation.remedies)]
    cells = [cell for row in figures(explanation) for cell in row]
    assert all(labels)
    for text in [*sentences, *labels, *cells]:
        assert not re.search(r"None|\bnan\b|\binf\b|  |\(\)|``|“”| [.,:;)](\s|$)|[.,:;]{2}|: \.|\{path\}", text), text
    assert all(row[0] and any(row[1:]) for row in figures(explanation))
    assert 1 <= len(explanation.causes) <= 3
    assert explanation.checks
    assert explanation.remedies


@settings(max_examples=150)
@given(
    code=st.sampled_from([*ErrorCode, "quota_exceeded"]) | JSON,
    details=st.dictionaries(
        st.sampled_from(KEYS),
        JSON,
    )
    | JSON,
    request_=st.builds(
        lambda action, rest: {"action": action, **rest},
        st.sampled_from(Action),
        st.dictionaries(st.sampled_from(["cluster", "node", "credentials", "cnm_https_port"]), JSON),
    )
    | JSON,
    node=st.text(st.characters(), max_size=20) | JSON,
)
def test_explain_accepts_any_input(code, details, request_, node):
    explanation = explain(code, details, request=request_, node=node)

    assert isinstance(explanation, Explanation)
    assert explanation.title
    assert explanation.causes
    assert explanation.checks
    assert not has_controls(text_of(explanation).replace("\n", ""))
