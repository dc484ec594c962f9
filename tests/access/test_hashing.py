"""Passwords are hashed with OWASP's parameters, two at a time; requests that would wait too long get 429."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from setup_wizard.access import first_admin, hashing
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.models import PasswordFailures
from setup_wizard.project import settings as product
from tests.access.conftest import form

pytestmark = pytest.mark.django_db
PASSWORD = "seven quiet otters"


@pytest.fixture(autouse=True)
def product_hashers(settings):
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS


@pytest.fixture
def lena():
    return User.objects.create_user("lena", password=PASSWORD)


@pytest.fixture
def occupy(monkeypatch):
    """Keep this many threads busy hashing."""
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.05)
    done = Event()

    def begin(number):
        for _ in range(number):
            begun = Event()
            hashing._pool.submit(lambda begun=begun: (begun.set(), done.wait(20)))
            assert begun.wait(20)

    yield begin
    done.set()


def sign_in(name, password=PASSWORD):
    return Client().post("/sign-in/", {"username": name, "password": password})


def test_a_password_is_hashed_with_the_parameters_of_owasp(lena):
    assert lena.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_old_hash_is_replaced_at_the_next_sign_in(lena):
    old = Argon2PasswordHasher().encode(PASSWORD, "some-old-salt-of-22-chr")
    User.objects.update(password=old)
    assert "$m=102400," in old

    assert sign_in("lena", "wrong").status_code == 422
    assert User.objects.get().password == old
    assert sign_in("lena").status_code == 302

    assert "$m=19456,t=2,p=1$" in User.objects.get().password
    assert sign_in("lena").status_code == 302


def test_one_busy_thread_leaves_the_other(lena, occupy):
    occupy(1)

    assert sign_in("lena").status_code == 302


@pytest.mark.parametrize("name", ["lena", "nobody", "without-password", "switched-off"])
def test_a_sign_in_during_overload_is_refused_and_not_counted(lena, occupy, name):
    User.objects.create_user("without-password")
    User.objects.create_user("switched-off", password=PASSWORD, is_active=False)
    occupy(2)

    refused = sign_in(name)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert "Too many sign-ins at once" in refused.text
    assert [row.times for row in PasswordFailures.objects.all()] == [[], []]
    assert not AuditEvent.objects.exists()


def test_a_password_change_during_overload_changes_nothing(lena, occupy):
    browser = Client()
    browser.force_login(lena)
    occupy(2)

    new = "eleven calm herons"
    answer = browser.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert answer.status_code == 429
    assert User.objects.get().password == lena.password


def test_an_overload_does_not_use_up_the_setup_token(client, occupy):
    token = first_admin.create_token()
    occupy(2)

    assert client.post("/first-administrator/", form(token)).status_code == 429
    assert not User.objects.exists()


def test_a_password_reset_during_overload_changes_nothing(lena, occupy):
    desk = Client()
    desk.force_login(User.objects.create_superuser("root"))
    occupy(2)

    new = {"password1": "eleven calm herons", "password2": "eleven calm herons", "usable_password": "true"}

    assert desk.post(f"/admin/auth/user/{lena.pk}/password/", new).status_code == 429
    assert User.objects.get(username="lena").password == lena.password


def test_hashes_of_earlier_versions_are_checked_one_at_a_time():
    old = Argon2PasswordHasher().encode(PASSWORD, "some-old-salt-of-22-chr")
    checked = Event()

    with hashing._large:
        other = Thread(target=lambda: (check_password(PASSWORD, old), checked.set()))
        other.start()
        make_password(PASSWORD)  # the other thread of the pool is free
        assert not checked.is_set()
    other.join(20)

    assert checked.is_set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a database in memory is never closed")
def test_no_database_connection_is_held_while_a_password_waits():
    with ThreadPoolExecutor(1) as pool:

        def is_held():
            User.objects.exists()
            make_password(PASSWORD)
            return connection.connection is not None

        assert not pool.submit(is_held).result(20)
