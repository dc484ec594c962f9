import pytest

from setup_wizard.bootstrap.catalogue import ErrorCode
from setup_wizard.bootstrap.catalogue.explanations import EXPLAINED
from setup_wizard.bootstrap.request import BootstrapRequest, parse_request
from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.catalogue.asking import CREATE, JOIN, TWO_DETAILS, paths, why, words
from tests.bootstrap.samples import EVERYTHING


def test_every_code_has_an_explanation_and_two_samples():
    assert len(ErrorCode) == 13
    assert set(EXPLAINED) == set(ErrorCode) == set(TWO_DETAILS)


@pytest.mark.parametrize("request_", [JOIN, CREATE, {}], ids=["join", "create", "unknown"])
@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded", ""])
def test_every_code_is_explained_with_causes_checks_and_a_way_on(code, request_):
    explanation = why(code, request=request_)

    assert explanation.causes
    assert explanation.checks
    assert explanation.remedies
    assert "10.0.0.7" in explanation.meaning
    for text in [explanation.meaning, *explanation.causes, *explanation.checks]:
        assert text.endswith((".", "”."))
        assert text == text.strip()
    assert "error occurred" not in words(explanation)
    assert "  " not in words(explanation)
    assert MASK not in words(explanation)


@pytest.mark.parametrize("code", ErrorCode)
def test_two_details_of_one_code_give_two_texts(code):
    first, second = (why(code, details) for details in TWO_DETAILS[code])

    assert first.meaning != second.meaning


@pytest.mark.parametrize("code", ErrorCode)
def test_the_nodes_own_message_is_quoted_as_its_words(code):
    explanation = why(code, {"message": "cannot go on: 4711."})

    assert "Node message: “cannot go on: 4711”." in explanation.meaning


@pytest.mark.parametrize("code", ErrorCode)
def test_a_remedy_leads_to_a_field_that_a_request_has(code):
    known = set(paths(EVERYTHING)) | {"credentials.client_cert", "credentials.client_key", "address", ""}
    explanations = [
        why(code, details, request=asked) for details in (*TWO_DETAILS[code], {}) for asked in (JOIN, CREATE)
    ]

    for explanation in explanations:
        assert explanation.part in known
        assert {remedy.part for remedy in explanation.remedies} <= known
        assert {path for remedy in explanation.remedies for path in remedy.values} <= known


@pytest.mark.parametrize("code", ErrorCode)
def test_what_a_remedy_fills_in_passes_the_rules(code):
    for details in TWO_DETAILS[code]:
        for remedy in why(code, details).remedies:
            document = {**JOIN, "node": {"identity": {}, "paths": {}}, "credentials": None}
            for path, value in remedy.values.items():
                group, field = path.split(".")[1:]
                document["node"][group][field] = value

            assert isinstance(parse_request(document, credentials_required=False), BootstrapRequest)


def test_a_code_that_is_not_documented_is_shown_as_it_is():
    explanation = why("quota_\x1bexceeded", {"message": "12 of 10"})

    assert explanation.title.endswith("quota_\\x1bexceeded")
    assert "quota_\\x1bexceeded" in explanation.meaning
    assert "“12 of 10”" in explanation.meaning


def test_a_failure_without_a_code_says_so():
    assert why("").title == "The node stopped and gave no cause"
