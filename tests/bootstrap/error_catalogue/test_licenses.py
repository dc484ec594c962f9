"""Explanations of licenses, by the term that is violated."""

import pytest

from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.error_catalogue.failures import CREATE, JOIN, buttons, explain_failure, figures, text_of

LICENSED = {**CREATE, "license": MASK}
EXPIRED = {
    "violation_code": "license_expired",
    "message": "The license expired on 2023-11-14T22:13:20Z",
    "expiration_date": "2023-11-14T22:13:20Z",
}
OTHER_NAME = {
    "violation_code": "cluster_name_mismatch",
    "message": "The license is for redis-test.example.com, not for redis-prod.example.com",
}


def test_an_unreadable_license_has_to_be_pasted_whole():
    explanation = explain_failure("invalid_license", request=LICENSED)

    assert explanation.title == "The license cannot be read"
    assert "with both lines" in explanation.checks[0]
    assert buttons(explanation) == [("Paste the license again", {}), ("Use the 30-day trial", {"license": ""})]


@pytest.mark.parametrize(
    ("details", "title", "figure"),
    [
        (EXPIRED, "The license has expired", ("License expires", "2023-11-14", "", "a date in the future")),
        (
            {"violation_code": "license_not_yet_valid", "message": "The license begins on 2096-10-02T07:06:39Z"},
            "The license is not valid yet",
            ("License begins", "2096-10-02", "", "a date in the past"),
        ),
        (
            OTHER_NAME,
            "The license is for another cluster",
            ("Cluster name", "redis-prod.example.com", "", "redis-test.example.com"),
        ),
        (
            {"violation_code": "shards_limit_exceeded", "shards_limit": 5, "shards_used": 6},
            "The license allows too few shards",
            ("Shards", "6", "", "at most 5"),
        ),
        (
            {"violation_code": "flash_not_allowed", "flash_shards_limit": 0},
            "The license does not allow flash storage",
            ("Flash storage", "in use", "", "none"),
        ),
    ],
)
def test_each_violation_has_its_own_title_and_figure(details, title, figure):
    explanation = explain_failure("invalid_license", details, request=LICENSED)

    assert explanation.title == title
    assert f"(violation: {details['violation_code']})" in explanation.meaning
    assert figures(explanation) == [figure]


def test_a_license_for_another_name_offers_to_rename_the_cluster():
    explanation = explain_failure("invalid_license", OTHER_NAME, request=LICENSED)

    assert buttons(explanation)[0] == (
        "Rename to redis-test.example.com",
        {"cluster.name": "redis-test.example.com"},
    )


def test_a_name_that_no_new_cluster_may_have_is_not_offered():
    details = {**OTHER_NAME, "message": "The license is for my_cluster, not for redis-prod.example.com"}

    assert buttons(explain_failure("invalid_license", details, request=LICENSED))[0] == ("Change the cluster name", {})


@pytest.mark.parametrize("node", [{"paths": {"bigstore_path": "/mnt/flash"}}, {"bigstore_enabled": True}])
def test_flash_that_the_license_does_not_allow_can_be_left_out(node):
    request = {**LICENSED, "node": node}

    explanation = explain_failure("invalid_license", {"violation_code": "flash_not_allowed"}, request=request)

    assert ("Leave out flash storage", {"node.paths.bigstore_path": ""}) in buttons(explanation)


@pytest.mark.parametrize(
    "details", [EXPIRED, {}, {"violation_code": "nodes_limit_exceeded", "nodes_limit": 1}, OTHER_NAME]
)
def test_a_node_that_joins_is_sent_to_the_license_of_the_cluster(details):
    explanation = explain_failure("invalid_license", details, request=JOIN)

    assert explanation.part == ""
    assert buttons(explanation) == [("Start again", {})]
    assert "`https://10.0.0.5:8443`" in text_of(explanation)


def test_too_many_nodes_are_shown_beside_the_limit():
    details = {"violation_code": "nodes_limit_exceeded", "nodes_limit": 3, "nodes_used": 4}

    assert figures(explain_failure("invalid_license", details)) == [("Nodes", "", "4", "at most 3")]


def test_an_unknown_violation_is_shown_as_it_is():
    explanation = explain_failure("invalid_license", {"violation_code": "wrong_moon"}, request=LICENSED)

    assert explanation.title == "License does not cover this cluster"
    assert "(violation: wrong_moon)" in explanation.meaning
    assert len(explanation.causes) == 3
