import io
import json
import logging
import os
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from setup_wizard.project.demo.management.commands import sign_in_link
from setup_wizard.project.demo.models import SignInLink
from setup_wizard.project.demo.sign_in_links import LIFETIME, create_link
from setup_wizard.project.logs import MASK
from tests.project import forks
from tests.project.parallel_links import BROWSERS
from tests.project.processes import free_port
from tests.serving import on_tables, served

pytestmark = pytest.mark.django_db
PASSWORD = "seven quiet otters"


def signed_in_as(browser):
    user_id = browser.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).username if user_id else None


def test_a_link_signs_the_administrator_in(client):
    answer = client.get(create_link())

    assert (answer.status_code, answer.url) == (302, "/")
    assert signed_in_as(client) == "admin"


def test_a_link_does_not_work_twice(client):
    link = create_link()
    Client().get(link)

    answer = client.get(link)

    assert answer.status_code == 410
    assert "make demo" in answer.text
    assert signed_in_as(client) is None


def test_an_expired_link_does_not_work(client):
    link = create_link()
    SignInLink.objects.update(expires_at=timezone.now())

    answer = client.get(link)

    assert answer.status_code == 410
    assert signed_in_as(client) is None


def test_a_link_works_for_thirty_minutes(client):
    link = create_link()
    SignInLink.objects.update(expires_at=timezone.now() + timedelta(seconds=5))

    answer = client.get(link)

    assert timedelta(minutes=30) == LIFETIME
    assert answer.status_code == 302


@pytest.mark.parametrize("token", ["x", "0" * 43, "ü", "a b"])
def test_a_made_up_link_signs_nobody_in(client, token):
    create_link()

    answer = client.get(reverse("demo:sign-in", args=[token]))

    assert answer.status_code == 410
    assert signed_in_as(client) is None


def test_outside_the_demo_there_is_no_link(file_with_tables, tmp_path, settings):
    environment = on_tables(file_with_tables, tmp_path, DJANGO_SETTINGS_MODULE="setup_wizard.project.settings")
    environment.pop("SETUP_WIZARD_DEMO", None)
    with served(environment) as address:
        answer = requests.get(f"{address}/sign-in/{'0' * 43}/", allow_redirects=False, timeout=10)

    assert answer.status_code == 404
    for command in (["sign_in_link"], ["open_demo", str(tmp_path / "api-token")]):
        with pytest.raises(subprocess.CalledProcessError) as failure:
            forks.run(["manage.py", *command], cwd=settings.BASE_DIR, env=environment)
        assert "Unknown command" in failure.value.output


@pytest.mark.parametrize("method", ["head", "post"])
def test_only_opening_a_link_uses_it_up(client, method):
    link = create_link()

    answer = getattr(client, method)(link)

    assert answer.status_code == 405
    assert SignInLink.objects.get().used_at is None


@pytest.fixture
def log():
    """What the product's handler writes at level DEBUG."""
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each.formatter, ProcessorFormatter)]
    loggers = [logging.getLogger(name) for name in ("", "django", "django.request", "django.db.backends")]
    levels = [logger.level for logger in loggers]
    written = io.StringIO()
    before = handler.setStream(written)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    handler.setStream(before)


def test_a_link_is_in_no_log_whether_it_works_or_not(client, log):
    link = create_link()
    token = link.split("/")[2]

    client.get(link)
    client.post(reverse("access:sign-out"))
    client.get(link)
    client.head(link)
    client.get(f"{link}more/")

    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert f"Gone: /sign-in/{MASK}/" in events
    assert f"Not Found: /sign-in/{MASK}/more/" in events
    assert token not in log.getvalue()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # on PostgreSQL the other process uses the tests' database
def test_twenty_browsers_with_one_link_sign_in_once(tmp_path, settings):
    database = f"sqlite:///{tmp_path / 'links.sqlite3'}"
    if connection.vendor == "postgresql":
        database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {"DATABASE_URL": database, "SETUP_WIZARD_DEMO": "true"}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"

    process = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "--no-imports",
            "-c",
            "from tests.project import parallel_links; parallel_links.main()",
        ],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == [302] + [410] * (BROWSERS - 1)


def test_a_used_link_redirects_a_signed_in_user(client):
    link = create_link()
    client.get(link)

    answer = client.get(link)

    assert (answer.status_code, answer.url) == (302, "/")


def test_the_administrator_of_a_link_has_no_password(client):
    client.get(create_link())

    administrator = User.objects.get()

    assert administrator.is_superuser
    assert not administrator.has_usable_password()


def test_a_link_leaves_the_administrators_own_password_alone(client):
    User.objects.create_superuser("admin", password=PASSWORD)

    client.get(create_link())

    assert User.objects.get().check_password(PASSWORD)


def test_no_table_holds_the_link(client):
    link = create_link()
    token = link.split("/")[2]

    client.get(link)
    client.get(link)

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert token not in repr(cursor.fetchall()), table


def test_expired_links_are_deleted():
    create_link()
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    create_link()

    assert SignInLink.objects.count() == 1


def test_links_differ_and_have_at_least_128_bits():
    tokens = {create_link().split("/")[2] for _ in range(20)}

    assert len(tokens) == 20
    assert min(len(token) for token in tokens) * 6 >= 128


def test_the_command_prints_a_link_that_works(client, capsys):
    call_command("sign_in_link")

    link = capsys.readouterr().out.strip()

    assert client.get(link).status_code == 302


def test_open_demo_creates_a_token_and_a_link(client, tmp_path, capsys, settings):
    settings.STATIC_ROOT = tmp_path / "static"  # other tests read the collected files
    call_command("open_demo", str(tmp_path / "api-token"))
    token = (tmp_path / "api-token").read_text()
    first = capsys.readouterr().out.strip()

    call_command("open_demo", str(tmp_path / "api-token"))  # like a restart

    assert (tmp_path / "api-token").read_text() == token
    for link in (first, capsys.readouterr().out.strip()):
        assert client.get(link).status_code == 302


@pytest.mark.django_db(transaction=True)  # the pages answer from another thread
def test_the_command_waits_for_the_pages_and_prints_a_url(live_server, capsys):
    base = f"http://127.0.0.1:{live_server.thread.port}"

    call_command("sign_in_link", "--base", f"{base}/", "--await-port", str(live_server.thread.port))

    said = capsys.readouterr().out.strip()
    assert said.startswith(f"Open {base}/sign-in/")
    answer = Client().get(said.removeprefix(f"Open {base}"))
    assert answer.status_code == 302


def test_the_command_fails_when_the_pages_do_not_respond(monkeypatch):
    monkeypatch.setattr(sign_in_link, "TIMEOUT_SECONDS", 0.3)

    with pytest.raises(CommandError, match="the pages or the database do not respond"):
        call_command("sign_in_link", "--await-port", str(free_port()))

    assert not SignInLink.objects.exists()
