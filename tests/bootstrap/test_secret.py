import copy
import json
import logging
import pickle

import pytest

from setup_wizard.bootstrap.secret import MASK, Secret


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "{:>40}".format, lambda secret: f"{secret}"])
def test_a_secret_shows_only_asterisks(show):
    assert show(Secret("correct horse")) == MASK


def test_a_secret_does_not_show_its_length():
    assert str(Secret("a")) == str(Secret("a" * 100))


def test_a_secret_is_hidden_in_logs_and_containers(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("maria").debug("signing in with %s, %r", Secret("correct horse"), [Secret("correct horse")])

    assert "correct horse" not in caplog.text


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_cannot_be_pickled_or_copied(take):
    with pytest.raises(TypeError, match="cannot be pickled"):
        take(Secret("correct horse"))


def test_a_secret_is_neither_json_nor_a_key():
    with pytest.raises(TypeError):
        json.dumps({"password": Secret("correct horse")})
    with pytest.raises(TypeError):
        {Secret("correct horse"): 1}


def test_a_secret_has_no_visible_attributes():
    with pytest.raises(TypeError):
        vars(Secret("correct horse"))


def test_secrets_are_equal_by_value_but_not_to_text():
    assert Secret("grüße") == Secret("grüße")
    assert Secret("grüße") != Secret("gruesse")
    assert Secret("a") != "a"
    assert Secret("\ud800") == Secret("\ud800")


def test_reveal_gives_the_text_and_empty_is_false():
    assert Secret(" x ").reveal() == " x "
    assert Secret("x")
    assert not Secret("")
