"""Users change their own password by entering the current one."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from setup_wizard.access import password_limits
from setup_wizard.access.audit import AuditEvent, AuditOutcome
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.roles import Role, assign
from setup_wizard.project.demo.sign_in_links import create_link, get_or_create_admin

PAGE = "/password/"
NEW = "eleven calm herons"


def change(browser, old, new=NEW, again=None, **more):
    again = new if again is None else again
    return browser.post(PAGE, {"old_password": old, "new_password1": new, "new_password2": again}, **more)


def has_password(user, password):
    return User.objects.get(pk=user.pk).check_password(password)


def trail():
    return [
        (row.user_name, row.target_name, row.outcome) for row in AuditEvent.objects.filter(action=AccessAudit.PASSWORD)
    ]


def is_signed_in(browser):
    return browser.get(PAGE).status_code == 200


def test_a_password_change_keeps_the_current_session(browser_of_maria, maria, password):
    answer = change(browser_of_maria, password)

    assert (answer.status_code, answer.url) == (302, "/")
    assert has_password(maria, NEW)
    assert "Password changed." in browser_of_maria.get("/", follow=True).text
    assert is_signed_in(browser_of_maria)
    assert trail() == [("maria", "maria", AuditOutcome.DONE)]


def test_a_password_change_ends_every_other_session(browser_of_maria, maria, password):
    elsewhere, of_jonas = Client(), Client()
    elsewhere.post("/sign-in/", {"username": "maria", "password": password})
    of_jonas.force_login(User.objects.create_user("jonas", password=password))
    assert is_signed_in(elsewhere)

    change(browser_of_maria, password)

    assert not is_signed_in(elsewhere)
    assert is_signed_in(browser_of_maria)
    assert is_signed_in(of_jonas)


def test_a_password_change_ends_a_stolen_session(browser_of_maria, password):
    stolen = Client()
    stolen.cookies["sessionid"] = browser_of_maria.cookies["sessionid"].value
    assert is_signed_in(stolen)

    change(browser_of_maria, password)

    assert not is_signed_in(stolen)


@pytest.mark.parametrize("old", ["", "eight loud otters"])
def test_a_wrong_current_password_changes_nothing(browser_of_maria, maria, password, old):
    answer = change(browser_of_maria, old)

    assert answer.status_code == 422
    assert '<a href="#id_old_password">' in answer.text
    assert has_password(maria, password)


def test_a_wrong_current_password_is_in_the_audit_log(browser_of_maria):
    change(browser_of_maria, "eight loud otters")

    assert trail() == [("maria", "maria", AuditOutcome.REFUSED)]
    assert not AuditEvent.objects.filter(action=AccessAudit.SIGN_IN_FAILED).exists()


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (("short words", "short words"), "at least 12 characters"),
        (("password1234", "password1234"), "easy to guess"),
        (("maria.maria.", "maria.maria."), "too similar"),
        ((NEW, "eleven calm heron"), "match"),
        (("", ""), "Enter a new password"),
    ],
)
def test_a_weak_or_mistyped_new_password_is_refused(browser_of_maria, maria, password, typed, wrong):
    maria.username = "maria.maria"
    maria.save()

    answer = change(browser_of_maria, password, *typed)

    assert answer.status_code == 422
    assert wrong in answer.text
    assert "Your password was not changed" in answer.text
    assert has_password(maria, password)


def test_a_long_password_of_any_characters_is_accepted(browser_of_maria, maria, password):
    long = "ein sehr langer Satz, mit Umlauten: äöü, und 🦦 " * 4

    change(browser_of_maria, password, long)

    assert len(long) > 128
    assert has_password(maria, long)


def test_passwords_are_in_neither_the_page_nor_the_audit_log(browser_of_maria, password):
    pages = change(browser_of_maria, password, NEW, "something else").text
    pages += change(browser_of_maria, password).text

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_auditevent")
        told = repr(cursor.fetchall())
    for secret in (password, NEW, "something else"):
        assert secret not in pages + told


def test_after_five_wrong_passwords_the_right_one_is_refused(browser_of_maria, maria, password):
    statuses = [change(browser_of_maria, f"wrong {attempt}").status_code for attempt in range(5)]

    refused = change(browser_of_maria, password)

    assert statuses == [422] * 5
    assert refused.status_code == 429
    assert "change a password from another address" in refused.text
    assert has_password(maria, password)
    assert change(browser_of_maria, password, REMOTE_ADDR="10.0.0.5").status_code == 302


def test_wrong_passwords_count_with_those_of_the_sign_in(browser_of_maria, password):
    for attempt in range(4):
        change(browser_of_maria, f"wrong {attempt}")
    stranger = Client()

    statuses = [
        stranger.post("/sign-in/", {"username": "maria", "password": f"wrong {attempt}"}).status_code
        for attempt in range(2)
    ]

    assert statuses == [422, 429]
    assert stranger.post("/sign-in/", {"username": "maria", "password": password}).status_code == 429


def test_an_address_over_the_limit_cannot_change_a_password(browser_of_maria, maria, password):
    stranger = Client()
    for number in range(password_limits.MAX_PER_NETWORK):
        stranger.post("/sign-in/", {"username": f"nobody-{number}", "password": "wrong"})

    refused = change(browser_of_maria, password)

    assert refused.status_code == 429
    assert "20 passwords from your address" in refused.text
    assert has_password(maria, password)


def test_a_concurrent_change_by_an_administrator_is_kept(browser_of_maria, maria, password):
    def switch_off(execute, sql, params, many, context):
        if sql.startswith('UPDATE "auth_user" SET "password"') and User.objects.get(pk=maria.pk).is_active:
            User.objects.filter(pk=maria.pk).update(is_active=False)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(switch_off):
        change(browser_of_maria, password)

    assert has_password(maria, NEW)
    assert not User.objects.get(pk=maria.pk).is_active


def test_a_user_without_a_role_can_change_the_password(db, password):
    nils, browser = User.objects.create_user("nils", password=password), Client()
    browser.force_login(nils)

    change(browser, password)

    assert has_password(nils, NEW)


def test_a_user_of_a_link_reads_that_there_is_no_password(client, db):
    client.get(create_link())

    page, answer = client.get(PAGE), change(client, "")

    assert page.status_code == 200
    assert "has no password" in page.text
    assert "old_password" not in page.text
    assert "has no password" in answer.text
    assert not get_or_create_admin().has_usable_password()


def test_the_user_name_in_the_bar_links_to_the_page(browser_of_maria):
    assert f'href="{PAGE}"' in browser_of_maria.get("/attempts/").text.partition("<main")[0]


class TestAdministrationSite:
    @pytest.fixture
    def ada(self, db, password):
        return assign(User.objects.create_user("ada", password=password), Role.ADMINISTRATOR)

    @pytest.fixture
    def desk(self, ada):
        browser = Client()
        browser.force_login(ada)
        return browser

    @pytest.mark.parametrize("way", ["password_change/", "password_change/done/", "auth/user/{}/password/"])
    def test_the_administration_redirects_to_this_page(self, desk, ada, password, way):
        address = f"/admin/{way.format(ada.pk)}"
        words = {"old_password": password, "new_password1": NEW, "new_password2": NEW}
        new_password = {"password1": NEW, "password2": NEW, "usable_password": "true"}

        answers = [desk.get(address), desk.post(address, words | new_password)]

        assert [(answer.status_code, answer.url) for answer in answers] == [(302, PAGE)] * 2
        assert has_password(ada, password)

    @pytest.mark.parametrize("spelled", ["0{}", "+{}", "%20{}", "{}%20", "0_5F{}", "0_{}", "fullwidth"])
    def test_no_spelling_of_the_url_reaches_the_own_password(self, client, password, spelled, db):
        own = assign(User.objects.create_user("eva", pk=7, password=password), Role.ADMINISTRATOR)
        client.force_login(own)
        number = "%EF%BC%97" if spelled == "fullwidth" else spelled.format(7)

        answer = client.post(
            f"/admin/auth/user/{number}/password/", {"password1": NEW, "password2": NEW, "usable_password": "true"}
        )

        assert has_password(own, password)
        assert (answer.status_code, answer.url) == (302, PAGE)

    def test_the_administration_links_to_this_page(self, desk):
        assert f'href="{PAGE}"' in desk.get("/admin/").text

    def test_a_user_without_a_password_sets_one_there(self, desk, ada):
        ada.set_unusable_password()
        ada.save()
        desk.force_login(ada)

        desk.post(
            f"/admin/auth/user/{ada.pk}/password/", {"password1": NEW, "password2": NEW, "usable_password": "true"}
        )

        assert has_password(ada, NEW)
