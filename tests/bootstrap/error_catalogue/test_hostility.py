import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import ErrorCode, Explanation, explain
from setup_wizard.bootstrap.text import has_controls
from tests.bootstrap.error_catalogue.failures import explain_failure, text_of
from tests.bootstrap.test_answers import JSON


@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded"])
def test_control_characters_are_shown_and_long_text_is_cut(code):
    details = {"message": "\x1b[2J\u202e\0<b>" + "x" * 100_000, "extra": "\x07" * 10_000, "\x1b" * 999: "y"}

    explanation = explain_failure(code, details)

    assert not has_controls(text_of(explanation).replace("\n", ""))
    assert len(explanation.meaning) < 2000


@settings(max_examples=150)
@given(
    code=st.sampled_from([*ErrorCode, "quota_exceeded"]) | JSON,
    details=st.dictionaries(
        st.sampled_from(
            ["message", "failed_nodes", "replace_candidate", "current_rack_ids", "required_memory", "path"]
        ),
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
