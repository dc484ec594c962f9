import re

import pytest

from setup_wizard.bootstrap.error_catalogue import EXPLAINERS, ErrorCode
from setup_wizard.bootstrap.request import BootstrapRequest, parse_request
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.error_catalogue.failures import CREATE, JOIN, TWO_SAMPLES, explain_failure, paths, text_of
from tests.bootstrap.samples import EVERYTHING


def test_every_code_has_an_explanation_and_two_samples():
    assert len(ErrorCode) == 13
    assert set(EXPLAINERS) == set(ErrorCode) == set(TWO_SAMPLES)


@pytest.mark.parametrize("request_", [JOIN, CREATE, {}], ids=["join", "create", "unknown"])
@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded", ""])
def test_every_explanation_has_causes_checks_and_remedies(code, request_):
    explanation = explain_failure(code, request=request_)

    assert explanation.causes
    assert explanation.checks
    assert explanation.remedies
    assert "10.0.0.7" in explanation.meaning
    for text in [explanation.meaning, *explanation.causes, *explanation.checks]:
        assert text.endswith((".", "”."))
        assert text == text.strip()
    assert "error occurred" not in text_of(explanation)
    assert "  " not in text_of(explanation)
    assert MASK not in text_of(explanation)


@pytest.mark.parametrize("code", ErrorCode)
def test_different_details_give_different_texts(code):
    first, second = (explain_failure(code, details) for details in TWO_SAMPLES[code])

    assert first.meaning != second.meaning


@pytest.mark.parametrize("code", ErrorCode)
def test_every_explanation_quotes_the_node_message(code):
    explanation = explain_failure(code, {"message": "cannot go on: 4711."})

    assert "Node message: “cannot go on: 4711”." in explanation.meaning


@pytest.mark.parametrize("code", ErrorCode)
def test_remedies_lead_to_existing_fields(code):
    known = set(paths(EVERYTHING)) | {"credentials.client_cert", "credentials.client_key", "address", ""}
    explanations = [
        explain_failure(code, details, request=asked)
        for details in (*TWO_SAMPLES[code], {})
        for asked in (JOIN, CREATE)
    ]

    for explanation in explanations:
        assert explanation.part in known
        assert {remedy.part for remedy in explanation.remedies} <= known
        assert {path for remedy in explanation.remedies for path in remedy.values} <= known


@pytest.mark.parametrize("code", ErrorCode)
def test_remedies_fill_in_valid_values(code):
    for details in TWO_SAMPLES[code]:
        for remedy in explain_failure(code, details).remedies:
            document = {**JOIN, "node": {"identity": {}, "paths": {}}, "credentials": None}
            for path, value in remedy.values.items():
                group, field = path.split(".")[1:]
                document["node"][group][field] = value

            assert isinstance(parse_request(document, credentials_required=False), BootstrapRequest)


def test_an_undocumented_code_is_shown():
    explanation = explain_failure("quota_\x1bexceeded", {"message": "12 of 10"})

    assert explanation.title.endswith("quota_\\x1bexceeded")
    assert "quota_\\x1bexceeded" in explanation.meaning
    assert "“12 of 10”" in explanation.meaning


def test_a_missing_code_is_reported():
    assert explain_failure("").title == "The node sent no error code"


@pytest.mark.parametrize("request_", [JOIN, CREATE, {}], ids=["join", "create", "unknown"])
@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded"])
def test_no_sentence_names_the_address_twice(code, request_):
    explanation = explain_failure(code, request=request_, node="10.0.0.7", facts=NodeFacts())

    for text in [explanation.meaning, *explanation.causes, *explanation.checks]:
        for sentence in re.split(r"[.”] ", text):
            assert sentence.count("10.0.0.7") <= 1


@pytest.mark.parametrize("request_", [JOIN, CREATE, {}], ids=["join", "create", "unknown"])
@pytest.mark.parametrize("code", [*ErrorCode, "quota_exceeded"])
def test_an_unknown_node_is_capitalised_only_at_the_start_of_a_sentence(code, request_):
    text = text_of(explain_failure(code, request=request_, node=None))

    assert not re.search(r"[^.”\n] The (node|cluster)\b", text)
    assert not re.search(r"(^|[.”\n] )the (node|cluster)\b", text)
