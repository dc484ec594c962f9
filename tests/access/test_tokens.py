"""API tokens: shown once, stored as a digest, refused when expired or revoked, or when their user is deactivated."""

import hashlib
import re
import stat
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from setup_wizard.access import throttle, tokens
from setup_wizard.access.models import ApiToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(capsys):
    """The output of the command."""

    def issue(*arguments):
        call_command("api_token", *arguments)
        return capsys.readouterr().out.strip()

    return issue


def test_a_token_identifies_its_user(maria):
    User.objects.create_user("ben")

    token = tokens.issue(maria, name="nightly")

    assert tokens.find_user(token) == maria


def test_no_two_tokens_are_the_same_and_each_is_too_long_to_guess(maria):
    issued = {tokens.issue(maria) for _ in range(20)}

    assert len(issued) == 20
    assert all(len(token.removeprefix("sw_")) >= 43 for token in issued)  # 256 bits in base64


def test_the_database_does_not_hold_the_token(maria):
    token = tokens.issue(maria)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_apitoken")
        row = str(cursor.fetchall())

    assert token not in row
    assert token[11:] not in row
    assert hashlib.sha256(token.encode()).hexdigest() in row


def test_a_token_is_listed_by_its_first_characters(maria):
    token = tokens.issue(maria)

    row = ApiToken.objects.get()

    assert token.startswith(row.prefix)
    assert len(row.prefix) == 11
    assert str(row) == f"{row.prefix}… of maria"


@pytest.mark.parametrize("token", ["", "sw_", "sw_nobody-has-ever-had-this-one-0123456789", "sw_\ud800", "x" * 10_000])
def test_an_unknown_token_is_refused(maria, token):
    tokens.issue(maria)
    request = RequestFactory().get("/")
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    assert tokens.user_of_request(request) is None


@pytest.mark.parametrize(
    "header", ["{}", "Token {}", "Basic {}", "Bearer{}", "Bearer {} x", "Bearer x {}", "Bearer {},"]
)
def test_only_the_bearer_scheme_is_accepted(maria, header):
    request = RequestFactory().get("/", headers={"Authorization": header.format(tokens.issue(maria))})

    assert tokens.user_of_request(request) is None


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER  {} "])
def test_the_scheme_is_case_insensitive(maria, header):
    request = RequestFactory().get("/", headers={"Authorization": header.format(tokens.issue(maria))})

    assert tokens.user_of_request(request) == maria


def test_an_expired_token_is_refused(maria):
    token = tokens.issue(maria, lifetime=timedelta(days=1))
    assert tokens.find_user(token) == maria

    ApiToken.objects.update(expires_at=timezone.now())

    assert tokens.find_user(token) is None


def test_the_token_of_a_deactivated_user_is_refused(maria):
    token = tokens.issue(maria)
    User.objects.update(is_active=False)

    assert tokens.find_user(token) is None


def test_a_revoked_token_is_refused_and_others_are_not(maria):
    token, other = tokens.issue(maria), tokens.issue(maria)

    count = tokens.revoke(maria, token[:11])

    assert count == 1
    assert tokens.find_user(token) is None
    assert tokens.find_user(other) == maria


def test_the_list_tells_valid_expired_and_revoked_tokens_apart(client, maria):
    for name in ("valid", "expired", "revoked"):
        tokens.issue(maria, name=f"a token that is {name}")
    ApiToken.objects.filter(name__endswith="expired").update(expires_at=timezone.now())
    ApiToken.objects.filter(name__endswith="revoked").update(revoked_at=timezone.now())
    client.force_login(User.objects.create_superuser("root"))

    shown = {state: client.get(f"/admin/access/apitoken/?state={state}").text for state in ("valid", "revoked")}

    assert re.findall("a token that is [a-z]+", shown["valid"]) == ["a token that is valid"]
    assert re.findall("a token that is [a-z]+", shown["revoked"]) == ["a token that is revoked"]
    assert 'class="field-last_used">never</td>' in shown["valid"]


def test_revoking_leaves_the_tokens_of_other_users(maria):
    token = tokens.issue(maria)

    assert tokens.revoke(User.objects.create_user("ben"), token[:11]) == 0
    assert tokens.find_user(token) == maria


def test_the_last_use_is_saved_once_a_minute(maria, django_assert_num_queries):
    token = tokens.issue(maria)
    assert ApiToken.objects.get().last_used_at is None

    tokens.find_user(token)
    noted = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(1):
        tokens.find_user(token)
    ApiToken.objects.update(last_used_at=noted - timedelta(minutes=2))
    tokens.find_user(token)

    assert abs(noted - timezone.now()) < timedelta(seconds=10)
    assert ApiToken.objects.get().last_used_at >= noted


# -- the command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_the_token_and_nothing_else(maria, issued):
    token = issued("maria", "--name", "nightly")

    row = ApiToken.objects.get()
    assert tokens.find_user(token) == maria
    assert row.name == "nightly"
    assert timedelta(days=364) < row.expires_at - timezone.now() <= timedelta(days=365)


def test_the_command_sets_the_lifetime_of_a_token(maria, issued):
    issued("maria", "--days", "7")
    seven = ApiToken.objects.latest("pk").expires_at - timezone.now()
    issued("maria", "--days", "0")

    assert timedelta(days=6) < seven <= timedelta(days=7)
    assert ApiToken.objects.latest("pk").expires_at is None


@pytest.mark.parametrize("days", ["-1", "many", "99999999"])
def test_the_command_refuses_an_invalid_lifetime(maria, days):
    with pytest.raises(CommandError, match="a number of days"):
        call_command("api_token", "maria", "--days", days)

    assert not ApiToken.objects.exists()


def test_the_command_refuses_an_unknown_user(db):
    with pytest.raises(CommandError, match="there is no user maria"):
        call_command("api_token", "maria")


def test_the_command_refuses_a_deactivated_user(maria):
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="deactivated"):
        call_command("api_token", "maria")


def test_the_command_revokes_a_token(maria, issued):
    token = issued("maria")
    User.objects.update(is_active=False)

    said = issued("maria", "--revoke", token)

    assert said == f"{token[:11]} no longer works."
    assert ApiToken.objects.get().revoked_at
    with pytest.raises(CommandError, match="no valid token"):
        call_command("api_token", "maria", "--revoke", token[:11])


def test_a_file_keeps_a_valid_token(maria, issued, tmp_path):
    file = tmp_path / "api-token"

    said = issued("maria", "--file", file)
    first = file.read_text()
    issued("maria", "--file", file)
    second = file.read_text()
    ApiToken.objects.update(revoked_at=timezone.now())
    issued("maria", "--file", file)
    third = file.read_text()

    assert said == ""
    assert first == second != third
    assert tokens.find_user(third.strip()) == maria
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ApiToken.objects.count() == 2


def test_a_token_of_another_user_in_the_file_is_replaced(maria, issued, tmp_path):
    file = tmp_path / "api-token"
    file.write_text(tokens.issue(User.objects.create_user("ben")))

    issued("maria", "--file", file)

    assert tokens.find_user(file.read_text().strip()) == maria


def test_the_demo_admin_can_have_a_token_before_signing_in(issued):
    call_command("sign_in_link", stdout=StringIO())

    assert tokens.find_user(issued("admin")).is_superuser


def test_a_token_does_not_work_on_pages(client, maria):
    page = client.get("/attempts/", headers={"Authorization": f"Bearer {tokens.issue(maria)}"})

    assert page.status_code == 302
    assert page.url.startswith("/sign-in/")


# -- limits per minute --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_minute")
def test_each_user_has_a_separate_count(maria):
    ben = User.objects.create_user("ben")
    for _ in range(2):
        throttle.count("tests", maria, limit=2)

    throttle.count("tests", ben, limit=2)
    throttle.count("others", maria, limit=2)
    with pytest.raises(throttle.TooManyRequests) as refusal:
        throttle.count("tests", maria, limit=2)

    assert 1 <= refusal.value.retry_after <= 60
    assert "The limit is 2 tests per minute for each user" in refusal.value.message
