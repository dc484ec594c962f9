"""Every page and command refuses passwords that are easy to guess."""

import getpass
import time

import pytest
from django.conf import settings as product
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import get_password_validators, validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from setup_wizard.access.roles import Role, assign

pytestmark = pytest.mark.django_db
WEAK = [
    " " * 12,
    "a" * 12,
    "123456789012",
    "abcabcabcabc",
    "qwertyuiop12",
    "password1234",
    "P@ssw0rd2026",
    "\u200b" * 12,
    "\N{NO-BREAK SPACE}" * 12,
    "aaaaaaaaaaaabbbbbbbbbbbb",
    "1" * 5000,
]
STRONG = ["seven quiet otters", "correct horse battery staple", "kR7#vW2p!qLz", "süße Grüße aus Köln-Ehrenfeld"]


@pytest.fixture
def browser_of_ada(password):
    ada, browser = assign(User.objects.create_user("ada", password=password), Role.ADMINISTRATOR), Client()
    browser.force_login(ada)
    return browser


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_password_is_refused_with_a_reason(weak):
    with pytest.raises(ValidationError) as refused:
        validate_password(weak)

    assert "easy to guess" in " ".join(refused.value.messages)


@pytest.mark.parametrize("strong", STRONG)
def test_a_strong_password_is_accepted(strong):
    validate_password(strong)


def test_the_error_names_the_weakness_and_a_fix():
    with pytest.raises(ValidationError) as refused:
        validate_password("aaaaaaaaaaaa")

    reason = 'This password is easy to guess. Repeats like "aaa" are easy to guess. '
    advice = "Add another word or two. Uncommon words are better. Avoid repeated words and characters."
    assert refused.value.messages == [reason + advice]


@pytest.mark.parametrize(
    "own", ["dr.wilhelmina", "wilhelmina.k", "Wilhelmina Kowalczyk", "kowalczyk2026", "w.kowalczyk@example.com"]
)
def test_a_password_of_the_users_names_is_weak(own):
    user = User(
        username="wilhelmina.k",
        first_name="Wilhelmina",
        last_name="Kowalczyk",
        email="w.kowalczyk@example.com",
    )

    with pytest.raises(ValidationError):
        validate_password(own, user)


def test_names_of_one_user_do_not_affect_another():
    with pytest.raises(ValidationError, match="easy to guess"):
        validate_password("brzezinskaya2", User(username="wilhelmina", last_name="Brzezinskaya"))

    validate_password("brzezinskaya2", User(username="maria"))


def test_the_slowest_password_is_checked_quickly():
    worst = "4@8({[<369!|10$5+7%2" * 200  # every letter has several substitutes
    before = time.process_time()

    validate_password(worst)

    assert time.process_time() - before < 2


@pytest.mark.parametrize("path", ["/admin/auth/user/add/", "/admin/auth/user/{}/password/"])
def test_a_weak_password_is_refused_in_the_administration(browser_of_ada, maria, password, path):
    typed = {"username": "nils", "password1": "a" * 12, "password2": "a" * 12, "usable_password": "true"}

    answer = browser_of_ada.post(path.format(maria.pk), typed)

    assert "easy to guess" in answer.text
    assert not User.objects.filter(username="nils").exists()
    assert User.objects.get(pk=maria.pk).check_password(password)


def test_a_weak_password_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a" * 12)

    with pytest.raises(CommandError, match="easy to guess"):
        call_command("createsuperuser", "--noinput", username="root", email="root@example.com")

    assert not User.objects.exists()


def test_the_check_of_a_new_superusers_password_cannot_be_skipped(monkeypatch):
    monkeypatch.setattr(getpass, "getpass", lambda *_: "a" * 12)
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # "Bypass password validation and create user anyway?"
    terminal = type("Terminal", (), {"isatty": lambda self: True})()

    with pytest.raises(CommandError, match="easy to guess"):
        call_command("createsuperuser", username="root", email="root@example.com", stdin=terminal)

    assert not User.objects.exists()


def test_every_page_explains_the_password_rules(client, browser_of_ada):
    hints = [each.get_help_text() for each in get_password_validators(product.AUTH_PASSWORD_VALIDATORS)]
    pages = client.get("/first-administrator/"), browser_of_ada.get("/password/")

    assert any("guess" in hint for hint in hints)
    assert pages[1].text.count("hard to guess") == 1
