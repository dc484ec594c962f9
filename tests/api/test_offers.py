"""A choice that cannot be undone names the event that offered it, in the API and on the pages."""

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone

from setup_wizard.attempts import engine
from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.engine.lease import save_decision, snapshot_of
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.reducer.snapshot import end_silence, note_silence, poll_again, wait_for_operator
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from tests.api.conftest import WRONG, assert_problem
from tests.attempts.attempt_rows import add_attempt

CONFIRMED = [(reason, choice) for reason in Reason for choice in choices_of(reason) if choice.confirmation]
SIGN_IN = Credentials(username="admin@example.com", password=Secret("Correct-horse-7"))
NO_LONGER = "the attempt changed after you opened this page"


def rest_for(attempt, reason):
    """Bring the attempt to rest by the engine's own write."""
    before, now = snapshot_of(attempt), timezone.now()
    moving = replace(before, seen_certificate={"fingerprint": WRONG} if reason is Reason.TRUST else None)
    save_decision(attempt, before, wait_for_operator(moving, reason, now, "Waiting for a decision"), now)
    return attempt


@pytest.fixture
def waiting(maria):
    """An attempt whose event 2 says that it needs its operator."""

    def make(reason):
        return rest_for(add_attempt(maria, state=State.IN_PROGRESS), reason)

    return make


@pytest.fixture
def pages(maria):
    pages = Client()
    pages.force_login(maria)
    return pages


def choose(api, attempt, choice, **body):
    if choice is Choice.APPROVE_CERTIFICATE:
        body["fingerprint"] = WRONG
    return api.post(f"/attempts/{attempt.pk}/{choice.value}", body)


def state_of(attempt):
    return Attempt.objects.get(pk=attempt.pk).status


@pytest.mark.parametrize(("reason", "choice"), CONFIRMED)
def test_the_api_takes_a_choice_with_its_event(api, waiting, reason, choice):
    attempt = waiting(reason)
    shown = api.get(f"/attempts/{attempt.pk}").json()
    offer = next(each for each in shown["choices"] if each["name"] == choice)
    events = api.get(f"/attempts/{attempt.pk}/events").json()["events"]

    answer = choose(api, attempt, choice, seq=offer["seq"])

    assert offer["seq"] == events[-1]["seq"] == 2
    assert answer.status_code == 200
    assert state_of(attempt) is not State.NEEDS_OPERATOR


@pytest.mark.parametrize(("reason", "choice"), CONFIRMED)
def test_the_api_refuses_a_choice_with_another_event(api, waiting, reason, choice):
    attempt = waiting(reason)

    for named in ({"seq": 0}, {"seq": 1}, {"seq": 3}, {"seq": 2**31 - 1}, {"seq": None}, {}):
        assert_problem(choose(api, attempt, choice, **named), 409, "changed")

    assert state_of(attempt) is State.NEEDS_OPERATOR


def test_the_api_refuses_a_choice_that_was_offered_for_another_reason(api, waiting, maria):
    attempt = waiting(Reason.LOST_CONTACT)
    engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
    rest_for(Attempt.objects.get(pk=attempt.pk), Reason.OVERDUE)

    answer = choose(api, attempt, Choice.STOP_WATCHING, seq=2)

    assert_problem(answer, 409, "changed")
    assert "event 4" in answer.json()["message"]
    assert choose(api, attempt, Choice.STOP_WATCHING, seq=4).status_code == 200


def test_a_choice_that_is_no_longer_offered_is_a_change(api, waiting, maria):
    attempt = waiting(Reason.NOT_ACCEPTED)
    engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)

    assert_problem(choose(api, attempt, Choice.SEND_AGAIN, seq=2), 409, "changed")
    assert_problem(choose(api, attempt, Choice.SEND_AGAIN), 409, "not_offered")


def test_other_events_leave_the_number_of_a_choice(api, waiting, maria):
    attempt = waiting(Reason.LOST_CONTACT)
    engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
    attempt.refresh_from_db()
    now = timezone.now()
    silent, notes = note_silence(snapshot_of(attempt), "connect", now, "No answer")
    save_decision(attempt, snapshot_of(attempt), poll_again(silent, now, *notes), now)
    answering, notes = end_silence(snapshot_of(attempt), now)
    save_decision(attempt, snapshot_of(attempt), poll_again(answering, now, *notes), now)

    offers = api.get(f"/attempts/{attempt.pk}").json()["choices"]

    assert attempt.last_seq == 5
    assert [(each["name"], each["seq"]) for each in offers] == [("stop-watching", 3)]
    assert choose(api, attempt, Choice.STOP_WATCHING, seq=5).status_code == 200


def test_choices_without_a_confirmation_need_no_event(api, waiting):
    attempt = waiting(Reason.CREDENTIALS_REFUSED)
    credentials = {"username": "admin@example.com", "password": "Correct-horse-7"}
    offers = api.get(f"/attempts/{attempt.pk}").json()["choices"]
    assert "seq" not in next(each for each in offers if each["name"] == "credentials")

    assert api.post(f"/attempts/{attempt.pk}/credentials", {**credentials, "seq": 1}).json()["error"] == "changed"
    assert api.post(f"/attempts/{attempt.pk}/credentials", credentials).status_code == 200


def test_seq_must_be_a_number(api, waiting):
    attempt = waiting(Reason.NOT_ACCEPTED)

    for seq in ("2", 2.5, True, -1, [2], 2**70):
        assert_problem(choose(api, attempt, Choice.SEND_AGAIN, seq=seq), 422, "invalid", "seq")


@pytest.mark.parametrize(("reason", "choice"), CONFIRMED)
def test_an_outdated_page_cannot_decide(pages, maria, waiting, reason, choice):
    attempt = waiting(reason)
    fields = form_of(pages.get(f"/attempts/{attempt.pk}/").text, choice)
    decided_elsewhere(attempt, maria)
    rest_for(Attempt.objects.get(pk=attempt.pk), reason)

    page = pages.post(f"/attempts/{attempt.pk}/{choice.value}/", fields, follow=True)

    assert NO_LONGER in page.text
    assert state_of(attempt) is State.NEEDS_OPERATOR
    pages.post(f"/attempts/{attempt.pk}/{choice.value}/", form_of(page.text, choice))
    assert state_of(attempt) is not State.NEEDS_OPERATOR


def test_a_page_without_an_event_cannot_decide(pages, waiting):
    attempt = waiting(Reason.NOT_ACCEPTED)

    page = pages.post(f"/attempts/{attempt.pk}/send-again/", {"confirmed": "yes"}, follow=True)

    assert "the request names no event" in page.text
    assert state_of(attempt) is State.NEEDS_OPERATOR


def decided_elsewhere(attempt, maria):
    if Choice.KEEP_WATCHING in attempt.choices:
        engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
    else:
        engine.give_credentials(attempt.pk, SIGN_IN, by=maria)


def form_of(page, choice):
    """What the form of a choice sends, with its box ticked."""
    form = re.search(rf'<form[^>]*action="[^"]*/{choice.value}/".*?</form>', page, re.DOTALL)[0]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    return {"confirmed": "yes"} | {name: value for name, value in hidden.items() if name != "csrfmiddlewaretoken"}
