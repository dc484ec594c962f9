"""Choices of an operator, as the forms of the page send them."""

import pytest
from django.test import Client
from django.utils import timezone

from setup_wizard.attempts import engine, sign_ins, vault
from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.engine.exchange import observe
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import Misbehaved, Redirected, SignInWanted, Silent
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.errors import (
    BootstrapInProgress,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
)
from setup_wizard.nodes.redaction import Redaction
from tests.attempts.attempt_rows import add_attempt

PASSWORD = "Correct-horse-7-battery"


@pytest.fixture
def waiting(maria):
    """An attempt that waits for a decision, after its request was sent."""

    def make(reason):
        waits = {"state": State.NEEDS_OPERATOR, "resume_state": State.IN_PROGRESS, "waiting_since": timezone.now()}
        return add_attempt(maria, reason=reason, **waits)

    return make


@pytest.fixture
def decide(maria):
    browser = Client()
    browser.force_login(maria)
    return lambda attempt, choice, **fields: browser.post(
        f"/attempts/{attempt.pk}/{choice}/", {"confirmed": "yes", "seq": attempt.offered_seq} | fields, follow=True
    )


def test_new_credentials_are_sealed_and_the_attempt_continues(waiting, decide):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)

    page = decide(attempt, "credentials", username="root@example.com", password=PASSWORD)

    attempt.refresh_from_db()
    sealed = vault.open_for(attempt.pk)
    assert (attempt.status, attempt.reducer_state.wants_sign_in) == (State.IN_PROGRESS, True)
    assert (sealed.username, sealed.password.reveal()) == ("root@example.com", PASSWORD)
    assert "maria entered the credentials again" in page.text
    assert PASSWORD not in page.text


@pytest.mark.parametrize(
    "fields",
    [{"username": "", "password": PASSWORD}, {"username": "admin@example.com"}, {"username": "<a>", "password": "x"}],
)
def test_incomplete_credentials_are_refused_and_not_stored(waiting, decide, fields):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)

    page = decide(attempt, "credentials", **fields)

    attempt.refresh_from_db()
    assert "Nothing was sent: check the credentials." in page.text
    assert attempt.status is State.NEEDS_OPERATOR
    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(attempt.pk)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"password": ""}, "Enter the password."),
        ({"password": "C" * 5000}, "at most 4096"),
    ],
)
def test_invalid_credentials_say_why_and_keep_the_user_name(waiting, decide, fields, why):
    page = decide(waiting(Reason.CREDENTIALS_REFUSED), "credentials", username="root@example.com", **fields)

    assert page.status_code == 422
    assert why in page.text
    assert 'value="root@example.com"' in page.text
    assert "CCCC" not in page.text


def test_the_user_name_of_held_back_credentials_is_kept(waiting, decide, maria):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)
    credentials = Credentials(username="root@example.com", password=Secret(PASSWORD))
    sign_ins.reserve(sign_ins.Account.of(attempt, "root@example.com"), credentials).refuse()

    page = decide(attempt, "credentials", username="root@example.com", password=PASSWORD)

    assert "are not sent again before" in page.text
    assert 'value="root@example.com"' in page.text
    assert PASSWORD not in page.text


@pytest.mark.parametrize("choice", ["cancel", "credentials", "stop-watching"])
def test_the_url_of_a_choice_redirects_to_the_attempt(waiting, maria, choice):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)
    browser = Client()
    browser.force_login(maria)

    page = browser.get(f"/attempts/{attempt.pk}/{choice}/")

    assert page.url == f"/attempts/{attempt.pk}/"


def test_a_new_certificate_comes_with_the_command_that_prints_it(waiting, maria):
    attempt = waiting(Reason.TRUST)
    Attempt.objects.update(seen_certificate={"fingerprint": "AA:BB"})
    browser = Client()
    browser.force_login(maria)

    page = browser.get(f"/attempts/{attempt.pk}/").text

    assert 'data-copy="openssl s_client -connect localhost:9443 &lt;/dev/null' in page


@pytest.mark.parametrize("fingerprint", ["", "BB:CC"])
def test_only_the_certificate_on_the_page_can_be_approved(waiting, decide, fingerprint):
    attempt = waiting(Reason.TRUST)
    Attempt.objects.update(seen_certificate={"fingerprint": "AA:BB"})

    page = decide(attempt, "approve-certificate", fingerprint=fingerprint)

    attempt.refresh_from_db()
    assert "now shows another certificate" in page.text
    assert (attempt.status, attempt.new_fingerprint) == (State.NEEDS_OPERATOR, "")


@pytest.mark.parametrize(
    ("reason", "choice"),
    [(reason, choice) for reason in Reason for choice in choices_of(reason) if choice.confirmation],
)
def test_a_choice_that_cannot_be_undone_needs_confirmation(waiting, maria, reason, choice):
    attempt = waiting(reason)
    browser = Client()
    browser.force_login(maria)

    page = browser.post(f"/attempts/{attempt.pk}/{choice.value}/", follow=True)

    attempt.refresh_from_db()
    assert "Tick its checkbox first" in page.text
    assert attempt.status is State.NEEDS_OPERATOR


@pytest.mark.parametrize(
    ("choice", "end", "event"),
    [
        ("ours", (State.IN_PROGRESS, Reason.NONE), "maria confirmed that this bootstrap is ours"),
        ("not-ours", (State.FAILED, Reason.NOT_OURS), "maria said that this bootstrap is not ours"),
    ],
)
def test_ours_and_not_ours_are_events_with_the_user(waiting, decide, choice, end, event):
    attempt = waiting(Reason.FOREIGN_IN_PROGRESS)

    page = decide(attempt, choice)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.why) == end
    assert event in page.text
    assert attempt.events.last().by.get_username() == "maria"


def test_a_choice_that_is_not_offered_is_refused_with_a_message(waiting, decide):
    page = decide(waiting(Reason.CREDENTIALS_REFUSED), "cancel")

    assert "nodes have no cancel. You can stop watching" in page.text


def test_a_choice_that_always_loses_the_race_is_busy(waiting, maria, monkeypatch):
    attempt = waiting(Reason.LOST_CONTACT)

    def move_meanwhile(found):
        """A worker that moves the attempt between each read and its write."""
        Attempt.objects.filter(pk=attempt.pk).update(lease_token=found.lease_token + 1)
        return read(found)

    read = engine.choices.snapshot_of
    monkeypatch.setattr(engine.choices, "snapshot_of", move_meanwhile)

    with pytest.raises(engine.ChoiceRefused) as refusal:
        engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)

    attempt.refresh_from_db()
    assert refusal.value.code == "busy"
    assert attempt.status is State.NEEDS_OPERATOR


@pytest.mark.parametrize(
    ("problem", "seen"),
    [
        (NodeUnreachable("tls", "cut off"), Silent("tls", "cut off")),
        (NodeUnavailable(502), Silent("HTTP 502")),
        (NodeRefused(), SignInWanted()),
        (NodeRedirected(307, "https://elsewhere.example.com/"), Redirected(307, "https://elsewhere.example.com/")),
        (NodeMisbehaved("HTML"), Misbehaved("HTML")),
        (BootstrapInProgress(), Misbehaved(str(BootstrapInProgress()))),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_error_of_a_poll_has_its_observation(problem, seen):
    assert observe(problem, Redaction()) == seen


def test_a_trailing_space_in_a_password_is_a_warning(waiting, decide):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)

    page = decide(attempt, "credentials", username="admin@example.com", password=f"{PASSWORD} ")

    assert "ends with a space. It is used exactly as typed" in page.text
    assert vault.open_for(attempt.pk).password.reveal() == f"{PASSWORD} "
