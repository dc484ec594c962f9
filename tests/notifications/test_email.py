"""E-mail: only what a person chose and may see, and tried again while the mail server is away."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.states import State
from setup_wizard.notifications import outbox, people
from setup_wizard.notifications.models import Delivery, DeliveryState, Notice, NoticeKind, Preferences
from setup_wizard.notifications.preferences import RECENT
from tests.attempts.attempt_rows import add_attempt
from tests.notifications.conftest import add_event, make_due, make_notices, try_due
from tests.notifications.mail_server import mail_server

pytestmark = pytest.mark.django_db

PAGE = "/notifications/"


@pytest.fixture
def server(settings):
    with mail_server(settings) as server:
        yield server


@pytest.fixture
def olaf(db):
    return assign(User.objects.create_user("olaf", email="olaf@example.com"), Role.OPERATOR)


@pytest.fixture
def choose(maria):
    """Let a person choose on the page, maria by default."""
    maria.email = "maria@example.com"
    maria.save()

    def choose(person=maria, **fields):
        browser = Client()
        browser.force_login(person)
        assert browser.post(PAGE, fields).status_code == 302
        return browser

    return choose


def ticked(page):
    return set(re.findall(r'<input type="checkbox" name="(\w+)"[^>]* checked', page))


def receivers(server):
    return [message["To"] for message in server.messages]


def test_end_of_a_setup_arrives_by_email(server, choose, end_attempt, settings):
    settings.SETUP_WIZARD_PAGES_URL = "https://setup.example.com"
    choose(email_on_ended="on")
    attempt = end_attempt()
    make_notices()

    [delivery] = try_due()

    [message] = server.messages
    assert message["To"] == "maria@example.com"
    assert message["Subject"] == "Setup of 10.0.0.5:9443 failed"
    assert message["Message-ID"] == f"<{delivery.message_id}@example.com>"
    text = message.get_content()
    assert f"https://setup.example.com/attempts/{attempt.pk}/" in text
    assert "https://setup.example.com/notifications/" in text
    assert delivery.status is DeliveryState.DELIVERED


def test_nothing_is_sent_before_a_person_chose_it(server, choose, end_attempt):
    choose(email_on_run_ended="on", email_on_needs_operator="on")
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()


@pytest.mark.parametrize("kind", [NoticeKind.ENDED, NoticeKind.NEEDS_OPERATOR, NoticeKind.RUN_ENDED])
def test_person_gets_the_kinds_that_they_chose(choose, maria, kind):
    choose(**{f"email_on_{kind.value}": "on"})
    notices = [Notice(kind=each, at=timezone.now(), starter_id=maria.pk) for each in NoticeKind]

    assert [notice.kind for notice in notices if [*people.wanting_email(notice)]] == [kind]


def test_email_is_off_until_a_server_is_set(choose, end_attempt):
    browser = choose(email_on_ended="on")
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()
    assert "E-mail is off" in browser.get(PAGE).text


def test_person_gets_only_their_own_setups_if_they_chose_that(server, choose, olaf, maria, end_attempt):
    choose(olaf, email_on_ended="on")
    choose(maria, email_on_ended="on")
    end_attempt()
    make_notices()

    try_due()

    assert receivers(server) == ["maria@example.com"]


def test_person_gets_setups_of_others_if_they_chose_that(server, choose, olaf, end_attempt):
    choose(olaf, email_on_ended="on", all_setups="on")
    end_attempt()
    make_notices()
    try_due()

    assert receivers(server) == ["olaf@example.com"]


def test_person_gets_nothing_about_setups_that_they_may_not_see(server, choose, olaf, end_attempt, settings):
    choose(olaf, email_on_ended="on", all_setups="on")
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()


def test_account_without_permission_gets_nothing(server, choose, maria, end_attempt):
    choose(email_on_ended="on")
    maria.groups.clear()
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()


def test_account_without_an_address_gets_nothing(server, choose, end_attempt):
    choose(email_on_ended="on")
    User.objects.update(email="")
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()


def test_person_gets_nothing_about_the_time_before_the_choice(server, choose, end_attempt):
    outbox.begin()
    end_attempt()
    choose(email_on_ended="on")
    make_notices()

    assert not Delivery.objects.exists()


def test_deactivated_account_gets_nothing(server, choose, maria, end_attempt):
    choose(email_on_ended="on")
    User.objects.filter(pk=maria.pk).update(is_active=False)
    end_attempt()
    make_notices()

    assert not Delivery.objects.exists()


def test_message_is_sent_again_when_the_mail_server_is_back(choose, end_attempt, settings):
    with mail_server(settings) as server:
        choose(email_on_ended="on")
        end_attempt()
        make_notices()
    [failed] = try_due()
    assert "cannot be reached" in failed.error
    assert failed.status is DeliveryState.WAITING

    with mail_server(settings) as server:
        make_due()
        try_due()

    assert [message["Message-ID"] for message in server.messages] == [f"<{failed.message_id}@example.com>"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"RCPT": "550 no such person"}, "refused the address (550)"),
        ({"DATA": "554 no"}, "refused the message (554)"),
        ({"MAIL": "451 later"}, "refused the message (451)"),
    ],
)
def test_refusal_of_the_mail_server_is_told_in_words(choose, settings, answers, words):
    with mail_server(settings, **answers):
        page = choose(email_on_ended="on").post(f"{PAGE}test-email/", follow=True).text

    assert words in page
    assert Delivery.objects.get().status is DeliveryState.GIVEN_UP


def test_test_email_goes_to_the_person_who_asks(server, choose, olaf):
    page = choose(email_on_ended="on").post(f"{PAGE}test-email/", follow=True).text

    assert "The mail server took the test message." in page
    assert [(message["To"], message["Subject"]) for message in server.messages] == [
        ("maria@example.com", "Test message")
    ]


def test_choice_can_be_changed(choose, maria):
    choose(email_on_ended="on", all_setups="on")
    choose(email_on_needs_operator="on")

    chosen = Preferences.objects.get(user=maria)
    assert (chosen.all_setups, chosen.email_on_ended, chosen.email_on_needs_operator) == (False, False, True)


def test_each_person_sees_and_changes_only_their_own_choices(server, choose, olaf, maria):
    as_maria = choose(maria, all_setups="on", email_on_ended="on")
    as_olaf = choose(olaf, email_on_run_ended="on", user=maria.pk, user_id=maria.pk, pk=maria.pk)

    assert ticked(as_maria.get(PAGE).text) == {"all_setups", "email_on_ended"}
    assert ticked(as_olaf.get(f"{PAGE}?user={maria.pk}").text) == {"email_on_run_ended"}
    assert Preferences.objects.count() == 2


def test_page_names_the_last_email_of_this_person_alone(server, choose, olaf, maria, end_attempt):
    as_maria, as_olaf = choose(maria, email_on_ended="on"), choose(olaf, email_on_ended="on")
    end_attempt()
    make_notices()
    try_due()

    assert receivers(server) == ["maria@example.com"]
    assert "Last e-mail: Setup of 10.0.0.5:9443 failed" in as_maria.get(PAGE).text
    assert "Last e-mail" not in as_olaf.get(PAGE).text


def test_news_are_those_that_the_person_wants_and_may_see(choose, olaf, maria, end_attempt, settings):
    everything, own = choose(maria, all_setups="on"), choose(olaf)
    outbox.begin()
    end_attempt()
    add_event(
        add_attempt(olaf, "10.0.0.9:9443", state=State.FAILED, reason="unreachable"), "failed", reason="unreachable"
    )
    make_notices()

    def titles(browser):
        return {notice["title"] for notice in browser.get(f"{PAGE}news/").json()["notices"]}

    assert titles(everything) == {"Setup of 10.0.0.5:9443 failed", "Setup of 10.0.0.9:9443 failed"}
    assert titles(own) == {"Setup of 10.0.0.9:9443 failed"}
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    assert titles(everything) == {"Setup of 10.0.0.5:9443 failed"}
    Notice.objects.update(created_at=timezone.now() - RECENT)
    assert titles(everything) == set()
