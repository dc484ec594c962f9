"""A recovery that failed: the file, the sign-in of the lost cluster, or the request as a whole."""

import pytest

from setup_wizard.bootstrap.catalogue import ErrorCode
from tests.bootstrap.catalogue.asking import JOIN, buttons, why, words

FILE = "/mnt/old/ccs/ccs-redis.rdb"
RECOVER = {**JOIN, "action": "recover_cluster", "cluster": {"nodes": []}, "recovery_filename": FILE}


def asked(code, details=None, **changes):
    return why(code, details, request=RECOVER | changes)


def test_a_file_that_is_not_there_is_told_from_a_path_that_cannot_be_used():
    explanation = asked("path_error", {"message": f"{FILE}: no such file", "path": FILE})

    assert explanation.title == "The file to recover from cannot be read"
    assert explanation.part == "recovery_filename"
    assert f"sudo -u redislabs head -c 5 {FILE}" in words(explanation)
    assert buttons(explanation)[0] == ("Enter another file", {})


def test_a_name_alone_is_looked_for_in_the_persistent_path():
    explanation = asked("path_error", {"message": "ccs-redis.rdb: no such file"}, recovery_filename="ccs-redis.rdb")

    assert "10.0.0.7 looked for ccs-redis.rdb in its persistent storage" in explanation.meaning
    assert "/mnt/data/ccs-redis.rdb" in words(explanation)


def test_a_path_that_cannot_be_used_stays_a_path():
    explanation = asked("path_error", {"message": "/mnt/tmp: permission denied", "path": "/mnt/tmp"})

    assert explanation.part == "node.paths.ephemeral_path"
    assert "Nothing was recovered, and the file is as it was." in explanation.meaning


def test_a_refused_sign_in_is_that_of_the_lost_cluster():
    explanation = asked("access_denied", {"message": "wrong user name or password"})

    assert explanation.title == "The lost cluster knows no such sign-in"
    assert explanation.part == "credentials.password"
    assert "admin@example.com" in explanation.meaning
    assert "A recovery makes no new account" in words(explanation)
    assert [label for label, _ in buttons(explanation)] == [
        "Enter the sign-in again",
        "Change the user name",
        "Enter another file",
    ]


@pytest.mark.parametrize(
    "details", [{}, {"field": "recovery_filename"}, {"message": "ccs-redis.rdb is not a configuration of a cluster"}]
)
def test_a_request_that_does_not_work_is_about_its_file_unless_the_node_says_otherwise(details):
    explanation = asked("config_error", details)

    assert explanation.part == "recovery_filename"
    assert "Change the file to recover from" in words(explanation)
    assert "cut short when it was copied" in words(explanation)


def test_the_nodes_own_field_comes_before_our_guess():
    assert asked("config_error", {"message": "rack_id rack-9 is unknown"}).part == "node.identity.rack_id"


@pytest.mark.parametrize("code", ErrorCode)
def test_no_explanation_of_a_recovery_speaks_of_a_cluster_that_was_to_be_made(code):
    told = words(asked(code, {"message": "no"}))

    assert "was not made" not in told
    assert "30-day trial" not in told.split("Without a license")[0]
