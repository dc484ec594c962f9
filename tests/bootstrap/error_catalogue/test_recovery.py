"""Explanations of failed recoveries."""

import pytest

from setup_wizard.bootstrap.error_catalogue import ErrorCode
from tests.bootstrap.error_catalogue.failures import JOIN, buttons, explain_failure, text_of

FILE = "/mnt/old/ccs/ccs-redis.rdb"
RECOVER = {**JOIN, "action": "recover_cluster", "cluster": {"nodes": []}, "recovery_filename": FILE}


def explain_recovery(code, details=None, **changes):
    return explain_failure(code, details, request=RECOVER | changes)


def test_path_error_finds_a_missing_recovery_file():
    explanation = explain_recovery("path_error", {"message": f"{FILE}: no such file", "path": FILE})

    assert explanation.title == "The recovery file cannot be read"
    assert explanation.part == "recovery_filename"
    assert f"sudo -u redislabs head -c 5 {FILE}" in text_of(explanation)
    assert buttons(explanation)[0] == ("Enter another file", {})


def test_a_bare_file_name_belongs_to_the_persistent_path():
    explanation = explain_recovery(
        "path_error", {"message": "ccs-redis.rdb: no such file"}, recovery_filename="ccs-redis.rdb"
    )

    assert "10.0.0.7 could not read ccs-redis.rdb in its persistent storage" in explanation.meaning
    assert "/mnt/data/ccs-redis.rdb" in text_of(explanation)


def test_path_error_of_a_recovery_can_be_about_storage():
    explanation = explain_recovery("path_error", {"message": "/mnt/tmp: permission denied", "path": "/mnt/tmp"})

    assert explanation.part == "node.paths.ephemeral_path"
    assert "Nothing was recovered, and the file is unchanged." in explanation.meaning


def test_access_denied_is_about_an_account_of_the_lost_cluster():
    explanation = explain_recovery("access_denied", {"message": "wrong user name or password"})

    assert explanation.title == "Credentials do not match the file"
    assert explanation.part == "credentials.password"
    assert "admin@example.com" in explanation.meaning
    assert "A recovery creates no new account" in text_of(explanation)
    assert [label for label, _ in buttons(explanation)] == [
        "Enter the password again",
        "Change the user name",
        "Enter another file",
    ]


@pytest.mark.parametrize(
    "details", [{}, {"field": "recovery_filename"}, {"message": "ccs-redis.rdb is not a configuration of a cluster"}]
)
def test_config_error_blames_the_recovery_file_by_default(details):
    explanation = explain_recovery("config_error", details)

    assert explanation.part == "recovery_filename"
    assert "Change the recovery file" in text_of(explanation)
    assert "cut off when it was copied" in text_of(explanation)


def test_config_error_blames_the_field_that_the_node_names():
    assert explain_recovery("config_error", {"message": "rack_id rack-9 is unknown"}).part == "node.identity.rack_id"


@pytest.mark.parametrize("code", ErrorCode)
def test_no_explanation_of_a_recovery_is_about_a_create(code):
    text = text_of(explain_recovery(code, {"message": "no"}))

    assert "was not created" not in text
    assert "30-day trial" not in text.split("Without a license")[0]
