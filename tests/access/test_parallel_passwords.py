"""The limits on wrong passwords hold for simultaneous requests, at one web process or several."""

import sqlite3
from collections import Counter
from contextlib import closing
from functools import partial

import pytest
from django.db import connection

from tests.access.conftest import form
from tests.access.web_processes import add_user, at_once, environment_of, post, web_process
from tests.project import forks
from tests.serving import CLONE

pytestmark = [pytest.mark.untraced, pytest.mark.django_db(transaction=True)]  # PostgreSQL: in the tests' own database
PASSWORD = "seven quiet otters"


@pytest.fixture
def environment(file_with_tables, tmp_path, settings):
    environment = environment_of(
        file_with_tables, tmp_path, settings.DATABASE_URL, SETUP_WIZARD_TRUSTED_PROXIES="127.0.0.1"
    )
    add_user(environment, "maria", PASSWORD)
    return environment


@pytest.fixture
def rows(environment):
    """Read the database of the web processes."""

    def read(sql):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        with closing(sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
            return database.execute(sql).fetchall()

    return read


def sign_in(connect, name, password, **more):
    return partial(post, connect, "/sign-in/", {"username": name, "password": password}, **more)


def test_only_five_of_24_wrong_passwords_at_once_are_checked(environment, rows):
    with web_process(environment) as first, web_process(environment) as second:
        statuses = at_once([sign_in((first, second)[number % 2], "maria", f"wrong {number}") for number in range(24)])

    assert rows("SELECT count(*) FROM access_auditevent WHERE action = 'sign-in-failed'") == [(5,)]
    # SQLite on a busy machine may keep a request waiting for its lock until it is answered with 503
    assert Counter({503: 429}.get(status, status) for status in statuses) == {422: 5, 429: 19}


def test_a_right_password_among_24_does_not_raise_the_limit(environment):
    with web_process(environment) as web:
        wrong = [sign_in(web, "maria", f"wrong {number}") for number in range(23)]
        statuses = Counter(at_once([sign_in(web, "maria", PASSWORD), *wrong]))

    assert statuses[422] <= 5
    assert statuses[302] <= 1
    assert statuses[429] >= 18


def test_only_20_of_40_names_at_once_from_one_address_are_checked(environment):
    with web_process(environment) as first, web_process(environment) as second:
        calls = [sign_in((first, second)[number % 2], f"name-{number}", "wrong") for number in range(40)]
        statuses = at_once(calls)

    assert Counter(statuses) == {422: 20, 429: 20}


def test_24_wrong_passwords_from_as_many_addresses_are_all_checked(environment):
    with web_process(environment) as web:
        calls = [sign_in(web, "maria", "wrong", forwarded_for=f"192.0.2.{number}") for number in range(24)]
        statuses = at_once(calls)

    assert Counter(statuses) == {422: 24}


def test_web_behind_a_unix_socket_limits_sign_ins_too(environment, tmp_path):
    with web_process(environment, "--uds", tmp_path / "web.sock") as web:
        statuses = [sign_in(web, "maria", f"wrong {number}")() for number in range(5)]
        refused = sign_in(web, "maria", PASSWORD)()

    assert [*statuses, refused] == [422] * 5 + [429]


@pytest.fixture
def token(environment):
    make_token = "from setup_wizard.access import first_admin; print(first_admin.create_token())"
    told = forks.run(["manage.py", "shell", "--no-imports", "-v0", "-c", make_token], cwd=CLONE, env=environment)
    return told.strip().splitlines()[-1]


def send_token(web, token, number):
    return partial(post, web, "/first-administrator/", form(token, f"ada-{number}"))


def test_twenty_browsers_with_the_token_make_one_administrator(environment, rows, token):
    with web_process(environment) as first, web_process(environment) as second:
        statuses = at_once([send_token((first, second)[number % 2], token, number) for number in range(20)])

    assert Counter(statuses) == {302: 1, 404: 19}
    assert rows("SELECT count(*) FROM auth_user WHERE is_superuser") == [(1,)]


def test_only_five_of_24_wrong_setup_tokens_at_once_are_compared(environment, rows, token):
    with web_process(environment) as first, web_process(environment) as second:
        wrong = [send_token((first, second)[number % 2], f"wrong {number}", number) for number in range(24)]
        statuses = at_once(wrong)
        refused = send_token(first, token, 24)()

    assert Counter(statuses) == {422: 5, 429: 19}
    assert refused == 429
    assert rows("SELECT wrong_count FROM access_setuptoken") == [(5,)]
    assert rows("SELECT count(*) FROM auth_user WHERE is_superuser") == [(0,)]
