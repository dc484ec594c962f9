"""An attempt's events, and the choices that it offers."""

import pytest

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.models import TrustedCertificate
from tests.api.conftest import NOBODY, WRONG, assert_problem, creating
from tests.attempts.conftest import PASSWORD, follow, kinds, tick


def test_events_are_listed_in_order_after_a_number(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    attempt = follow(Attempt.objects.get())

    every = api.get(f"/attempts/{started['id']}/events").json()["events"]
    later = api.get(f"/attempts/{started['id']}/events", after=every[2]["seq"]).json()["events"]
    none = api.get(f"/attempts/{started['id']}/events", after=every[-1]["seq"]).json()["events"]

    assert [event["kind"] for event in every] == kinds(attempt)
    assert set(every[0]) == {"seq", "at", "kind", "message", "data"}
    assert [event["seq"] for event in every] == list(range(1, len(every) + 1))
    assert later == every[3:]
    assert none == []


def test_after_has_to_be_a_number(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()

    answers = [api.get(f"/attempts/{started['id']}/events", after=word) for word in ("-1", "first", "9" * 30)]

    for answer in answers:
        assert_problem(answer, 422, "invalid", "after")


def test_a_waiting_attempt_can_be_cancelled(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    offered = api.get(f"/attempts/{started['id']}").json()["choices"]

    answer = api.post(offered[0]["url"].removeprefix("/api/v1"))

    assert offered == [{"name": "cancel", "url": f"{started['url']}/cancel"}]
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert fresh_node.accepted() == []
    assert not SealedCredentials.objects.exists()


def test_a_sent_attempt_cannot_be_cancelled_but_left(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    follow(Attempt.objects.get(), until=lambda attempt: attempt.may_have_sent)

    refused = api.post(f"/attempts/{started['id']}/cancel")
    seq = Attempt.objects.get().offered_seq
    stopped = api.post(f"/attempts/{started['id']}/stop-watching", {"seq": seq})

    assert_problem(refused, 409, "already_sent")
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["reason"]) == (200, "cancelled", "stopped")


@pytest.mark.parametrize("choice", ["cancel", "stop-watching", "keep-watching", "send-again"])
def test_a_choice_that_is_not_offered_is_a_conflict(api, many, choice):
    [ended] = many(1)

    answer = api.post(f"/attempts/{ended.pk}/{choice}")

    assert_problem(answer, 409, "not_offered")
    assert answer.json()["message"].endswith(" is not possible now. State: Succeeded.")


@pytest.mark.parametrize(
    ("choice", "document"),
    [
        ("cancel", None),
        ("send-again", None),
        ("approve-certificate", {"fingerprint": WRONG}),
        ("credentials", {"username": "admin@example.com", "password": PASSWORD}),
    ],
)
def test_a_choice_of_an_unknown_attempt_is_not_found(api, choice, document):
    assert_problem(api.post(f"/attempts/{NOBODY}/{choice}", document), 404, "not_found")


def test_an_unknown_choice_is_not_found(api, many):
    [ended] = many(1)

    assert_problem(api.post(f"/attempts/{ended.pk}/pray"), 404, "not_found")


@pytest.fixture
def waiting(api, fresh_node):
    """An attempt that was begun over the API and rests for a reason, as the engine would leave it."""
    api.post("/attempts", creating(fresh_node))
    attempt = Attempt.objects.get()
    tick(attempt)

    def rest(reason, *, submits=1, **fields):
        Attempt.objects.filter(pk=attempt.pk).update(
            state=State.NEEDS_OPERATOR, reason=reason, resume_state=State.IN_PROGRESS, submits=submits, **fields
        )
        return attempt.pk

    return rest


@pytest.mark.parametrize(
    ("reason", "choice", "kind"),
    [(Reason.LOST_CONTACT, "keep-watching", "keep_watching"), (Reason.NOT_ACCEPTED, "send-again", "send_again")],
)
def test_a_choice_moves_a_waiting_attempt(api, waiting, reason, choice, kind):
    pk = waiting(reason)

    answer = api.post(f"/attempts/{pk}/{choice}", {"seq": Attempt.objects.get().last_seq})

    assert answer.status_code == 200
    assert answer.json()["state"] in {"in_progress", "checking"}
    assert kinds(Attempt.objects.get())[-1] == kind


def test_a_new_certificate_is_approved_by_its_fingerprint(api, maria, waiting):
    pk = waiting(Reason.TRUST, seen_certificate={"fingerprint": WRONG})
    other, seq = ":".join(["CD"] * 32), Attempt.objects.get().last_seq

    refused = api.post(f"/attempts/{pk}/approve-certificate", {"fingerprint": other, "seq": seq})
    malformed = api.post(f"/attempts/{pk}/approve-certificate", {"fingerprint": "Z" * 64, "seq": seq})
    named = {"fingerprint": WRONG.lower().replace(":", ""), "seq": seq}
    approved = api.post(f"/attempts/{pk}/approve-certificate", named)

    assert_problem(refused, 409, "another_certificate")
    assert_problem(malformed, 422, "invalid", "fingerprint")
    assert (approved.status_code, approved.json()["state"]) == (200, "in_progress")
    assert TrustedCertificate.objects.get(fingerprint=WRONG).approved_by == maria


def test_new_credentials_continue_the_attempt(api, waiting):
    pk = waiting(Reason.CREDENTIALS_REFUSED)

    wrong = api.post(f"/attempts/{pk}/credentials", {"username": "", "password": ""})
    unknown = api.post(f"/attempts/{pk}/credentials", {"username": "admin@example.com", "pasword": PASSWORD})
    right = api.post(f"/attempts/{pk}/credentials", {"username": "admin@example.com", "password": PASSWORD})

    assert_problem(wrong, 422, "invalid", "username", "password")
    assert_problem(unknown, 422, "invalid", "pasword")
    assert (right.status_code, right.json()["state"]) == (200, "in_progress")
    assert SealedCredentials.objects.filter(owner=pk).exists()


def test_credentials_that_were_just_refused_are_held_back(api, waiting):
    pk = waiting(Reason.CREDENTIALS_REFUSED)
    again = Credentials(username="admin@example.com", password=Secret("Wrong-horse-8"))
    sign_ins.reserve(sign_ins.Account.of(Attempt.objects.get(), again.username), again).refuse()
    sent = {"username": "admin@example.com", "password": "Wrong-horse-8"}

    held = api.post(f"/attempts/{pk}/credentials", sent)
    anyway = api.post(f"/attempts/{pk}/credentials", {**sent, "send_anyway": True})

    assert_problem(held, 409, "credentials_held_back")
    assert "are not sent again before" in held.json()["message"]
    assert (anyway.status_code, anyway.json()["state"]) == (200, "in_progress")
