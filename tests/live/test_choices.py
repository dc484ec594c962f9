"""An operator's decisions, as the page's forms send them."""

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
def resting(maria):
    """An attempt that rests for a reason, after its request was sent."""

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


def test_the_sign_in_entered_again_is_sealed_and_the_attempt_goes_on(resting, decide):
    attempt = resting(Reason.CREDENTIALS_REFUSED)

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
def test_half_a_sign_in_is_refused_and_nothing_is_kept(resting, decide, fields):
    attempt = resting(Reason.CREDENTIALS_REFUSED)

    page = decide(attempt, "credentials", **fields)

    attempt.refresh_from_db()
    assert "Nothing was sent: check the user name and the password." in page.text
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
def test_a_refused_sign_in_says_why_at_its_field_and_keeps_the_name(resting, decide, fields, why):
    page = decide(resting(Reason.CREDENTIALS_REFUSED), "credentials", username="root@example.com", **fields)

    assert page.status_code == 422
    assert why in page.text
    assert 'value="root@example.com"' in page.text
    assert "CCCC" not in page.text


def test_a_user_name_that_was_held_back_is_kept(resting, decide, maria):
    attempt = resting(Reason.CREDENTIALS_REFUSED)
    credentials = Credentials(username="root@example.com", password=Secret(PASSWORD))
    sign_ins.reserve(sign_ins.Account.of(attempt, "root@example.com"), credentials).refuse()

    page = decide(attempt, "credentials", username="root@example.com", password=PASSWORD)

    assert "are not sent again before" in page.text
    assert 'value="root@example.com"' in page.text
    assert PASSWORD not in page.text


@pytest.mark.parametrize("choice", ["cancel", "credentials", "stop-watching"])
def test_the_address_of_a_choice_leads_back_to_the_attempt(resting, maria, choice):
    attempt = resting(Reason.CREDENTIALS_REFUSED)
    browser = Client()
    browser.force_login(maria)

    page = browser.get(f"/attempts/{attempt.pk}/{choice}/")

    assert page.url == f"/attempts/{attempt.pk}/"


def test_a_new_certificate_comes_with_the_command_that_prints_it(resting, maria):
    attempt = resting(Reason.TRUST)
    Attempt.objects.update(seen_certificate={"fingerprint": "AA:BB"})
    browser = Client()
    browser.force_login(maria)

    page = browser.get(f"/attempts/{attempt.pk}/").text

    assert 'data-copy="openssl s_client -connect localhost:9443 &lt;/dev/null' in page


@pytest.mark.parametrize("fingerprint", ["", "BB:CC"])
def test_a_certificate_that_the_page_did_not_show_is_not_approved(resting, decide, fingerprint):
    attempt = resting(Reason.TRUST)
    Attempt.objects.update(seen_certificate={"fingerprint": "AA:BB"})

    page = decide(attempt, "approve-certificate", fingerprint=fingerprint)

    attempt.refresh_from_db()
    assert "now shows another certificate" in page.text
    assert (attempt.status, attempt.new_fingerprint) == (State.NEEDS_OPERATOR, "")


@pytest.mark.parametrize(
    ("reason", "choice"),
    [(reason, choice) for reason in Reason for choice in choices_of(reason) if choice.confirmation],
)
def test_what_cannot_be_taken_back_wants_a_tick(resting, maria, reason, choice):
    attempt = resting(reason)
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
def test_whose_it_is_can_be_said_and_is_an_event_with_who(resting, decide, choice, end, event):
    attempt = resting(Reason.FOREIGN_IN_PROGRESS)

    page = decide(attempt, choice)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.why) == end
    assert event in page.text
    assert attempt.events.last().by.get_username() == "maria"


def test_a_choice_that_the_state_does_not_offer_says_so(resting, decide):
    page = decide(resting(Reason.CREDENTIALS_REFUSED), "cancel")

    assert "nodes have no cancel. You can stop watching" in page.text


def test_one_that_always_loses_the_race_is_told_to_try_again(resting, maria, monkeypatch):
    attempt = resting(Reason.LOST_CONTACT)

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
def test_what_a_look_meets_is_told_apart(problem, seen):
    assert observe(problem, Redaction()) == seen


def test_a_blank_at_the_end_of_the_entered_password_is_said(resting, decide):
    attempt = resting(Reason.CREDENTIALS_REFUSED)

    page = decide(attempt, "credentials", username="admin@example.com", password=f"{PASSWORD} ")

    assert "ends with a space. It is used exactly as typed" in page.text
    assert vault.open_for(attempt.pk).password.reveal() == f"{PASSWORD} "
