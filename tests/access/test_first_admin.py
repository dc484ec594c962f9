"""The first administrator is created once, with a setup token."""

import stat
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from setup_wizard.access import first_admin
from setup_wizard.access.models import SetupToken
from tests.access.conftest import form

pytestmark = pytest.mark.django_db
PAGE = "/first-administrator/"


@pytest.fixture
def token():
    return first_admin.create_token()


def test_a_setup_token_creates_an_administrator(client, token):
    answer = client.post(PAGE, form(token))

    ada = User.objects.get()
    assert (answer.status_code, answer.url) == (302, "/")
    assert ada.is_superuser
    assert ada.check_password("seven quiet otters")
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_is_not_found_once_there_is_an_administrator(client, token, method):
    User.objects.create_superuser("root")

    answer = getattr(client, method)(PAGE, form(token))

    assert answer.status_code == 404
    assert User.objects.count() == 1


def test_a_setup_token_does_not_work_twice(client, token):
    client.post(PAGE, form(token))

    assert Client().post(PAGE, form(token, "eve")).status_code == 404

    User.objects.all().delete()
    assert Client().post(PAGE, form(token, "eve")).status_code == 422
    assert not User.objects.exists()


def test_an_expired_setup_token_does_not_work(client, token):
    SetupToken.objects.update(expires_at=timezone.now())

    answer = client.post(PAGE, form(token))

    assert answer.status_code == 422
    assert "This token does not work" in answer.text
    assert not User.objects.exists()


def test_a_setup_token_replaces_an_earlier_one(client, token):
    later = first_admin.create_token()
    SetupToken.objects.update(expires_at=timezone.now() + timedelta(seconds=5))

    assert timedelta(minutes=30) == first_admin.LIFETIME
    assert client.post(PAGE, form(token)).status_code == 422
    assert client.post(PAGE, form(later)).status_code == 302


def test_after_four_wrong_tokens_the_right_one_works(client, token):
    for number in range(4):
        client.post(PAGE, form(f"wrong {number}"))

    assert client.post(PAGE, form(token)).status_code == 302


def test_secrets_are_not_rendered_again(client, token):
    page = client.post(PAGE, form(token, "ada", "short")).text

    assert 'value="ada"' in page
    assert token not in page
    assert 'value="short"' not in page


def test_the_database_does_not_hold_the_token(token):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert token not in repr(cursor.fetchall()), table
    assert len(token) * 6 >= 128


class TestTheCommand:
    def test_the_command_prints_the_token_and_saves_it_privately(self, client, tmp_path, capfd):
        file = tmp_path / "var" / "setup-token"
        call_command("setup_token", file=file)

        said = capfd.readouterr()
        token = file.read_text().strip()
        assert said.err.count(token) == 1
        assert said.out == ""
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert client.post(PAGE, form(token)).status_code == 302

    def test_the_command_prints_the_token_if_saving_fails(self, client, tmp_path, capfd):
        (tmp_path / "var").write_text("not a directory")
        call_command("setup_token", file=tmp_path / "var" / "setup-token")

        said = capfd.readouterr().err
        token = next(line for line in said.splitlines() if len(line) == 43)
        assert "could not be saved" in said
        assert client.post(PAGE, form(token)).status_code == 302

    def test_the_command_fails_once_there_is_an_administrator(self, tmp_path):
        User.objects.create_superuser("root")

        with pytest.raises(CommandError, match="there is an administrator already"):
            call_command("setup_token", file=tmp_path / "setup-token")

        assert not SetupToken.objects.exists()


def test_the_sign_in_page_links_here_until_there_is_an_administrator(client):
    assert PAGE in client.get("/sign-in/").text

    User.objects.create_superuser("root")

    assert PAGE not in client.get("/sign-in/").text
