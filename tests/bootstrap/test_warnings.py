import pytest

from setup_wizard.bootstrap.rules import (
    warn_address,
    warn_cluster_name,
    warn_password,
    warn_password_spelling,
    warn_username,
)
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.samples import REAL_ANSWER

FACTS = NodeFacts.from_json(REAL_ANSWER["local_node_info"])


def test_a_local_cluster_name_is_for_a_trial_only():
    assert "A trial can use one" in warn_cluster_name("redis.LOCAL")[0]
    assert warn_cluster_name("redis-prod.example.com") == []
    assert warn_cluster_name("redis.local.example.com") == []


def test_a_username_that_is_no_email_address_gets_a_warning():
    assert "admin is not an e-mail address" in warn_username("admin")[0]
    assert warn_username("admin@example.com") == []
    assert warn_username("") == []


@pytest.mark.parametrize(
    ("password", "warning"),
    [
        ("Aa1!", "8 characters"),
        ("lower-case-1", "an upper-case letter"),
        ("UPPER-CASE-1", "a lower-case letter"),
        ("No-digit-here", "a digit"),
        ("NoSpecial1", "a special character"),
        ("Admin1@example.com", "the user name"),
        ("moc.elpmaxe@1nimdA", "the user name"),
        ("Repeaaaat-1", "more than three times"),
    ],
)
def test_a_weak_password_gets_a_warning_that_does_not_show_it(password, warning):
    warnings = " ".join(warn_password(password, "Admin1@example.com"))

    assert warning in warnings
    assert password not in warnings
    assert "rejects it" in warnings


@pytest.mark.parametrize("password", ["Correct-Horse-9", "Aaaa1!bb"[1:] + "A", ""])
def test_a_strong_or_missing_password_gets_no_warning(password):
    assert warn_password(password, "admin@example.com") == []


def test_an_address_on_a_bridge_or_elsewhere_gets_a_warning():
    assert "br7, a bridge" in warn_address("192.168.7.1", FACTS)[0]
    assert "does not list 10.0.0.9 among its addresses: 10.0.0.7 and 192.168.7.1." in warn_address("10.0.0.9", FACTS)[0]
    assert warn_address("10.0.0.7", FACTS) == []
    assert warn_address("10.0.0.9", NodeFacts()) == []
    assert warn_address("not an address", FACTS) == []


@pytest.mark.parametrize(
    ("password", "warning"),
    [
        (" correct horse ", "begins and ends with a space."),
        ("\tcorrect horse ", "begins with a tab and ends with a space."),
        ("correct horse\n", "ends with a line break."),
        ("\u00a0correct horse\u00a0", "begins and ends with an unusual space (U+00A0)."),
        ("correct\u200bhorse", "contains an invisible character (U+200B ZERO WIDTH SPACE)."),
    ],
)
def test_unintended_characters_of_a_password_are_named(password, warning):
    (text,) = warn_password_spelling(password)

    assert text == f"The password {warning} It is used exactly as typed. Enter it again if that is wrong."


@pytest.mark.parametrize("password", ["pass phrase of words", "Corréct-horse-7", "密码-horse-7"])
def test_spaces_inside_a_password_and_foreign_letters_get_no_warning(password):
    assert warn_password_spelling(password) == []
