"""Start refuses a draft that changed after its review."""

import pytest
from django.conf import settings
from django.test import Client

from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.wizard import drafts, review, steps
from setup_wizard.wizard.checks import Accepted
from setup_wizard.wizard.models import Draft
from tests.attempts.test_races import at_once

from .conftest import Browser

TICKED = Accepted(permanent=True)

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_tab(maria):
    """Another tab of Maria's browser."""
    tab = Browser(maria.user)
    tab.client.cookies = maria.client.cookies
    return tab


@pytest.fixture
def reviewed(maria, fresh_node):
    maria.to_review(fresh_node)


def test_start_refuses_a_draft_whose_node_changed_in_another_tab(maria, other_tab, fresh_node, second_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk
    other_tab.open(f"/setup/{draft}/action/")
    other_tab.fill(address=second_node.address)
    other_tab.fill(fingerprints_match="on")
    other_tab.fill()
    assert other_tab.url.endswith("/cluster/") or other_tab.url.endswith("/review/")

    page = maria.start()

    assert page.status_code == 422
    assert not Attempt.objects.exists()
    assert "The draft changed after you opened this page" in maria.text
    assert f"reviewed: {fresh_node.address} now: {second_node.address}" in maria.text
    assert maria.start().headers["Location"] == f"/attempts/{Attempt.objects.get().pk}/"
    assert Attempt.objects.get().address == second_node.address


@pytest.mark.usefixtures("reviewed")
@pytest.mark.parametrize(
    ("step", "values", "told"),
    [
        ("cluster", {"name": "redis-test.example.com"}, "redis-prod.example.com now: redis-test.example.com"),
        ("node", {"rack_id": "rack-b"}, "Rack ID reviewed: empty now: rack-b"),
        ("action", {"accept_new_certificate": "on"}, "now: Trusted"),
        ("cluster", {"password": "Another-one-8"}, "Password reviewed: entered at"),
    ],
)
def test_start_names_the_field_that_changed(maria, other_tab, step, values, told):
    other_tab.open(f"/setup/{maria.draft.pk}/{step}/")
    other_tab.fill(**values)

    page = maria.start()

    assert page.status_code == 422
    assert told in maria.text
    assert not Attempt.objects.exists()


def test_a_password_from_a_refused_form_changes_the_version(maria, other_tab, fresh_node):
    maria.to_review(fresh_node)
    other_tab.open(f"/setup/{maria.draft.pk}/cluster/")
    other_tab.fill(name="not a name", password="Another-one-8")

    page = maria.start()

    assert page.status_code == 422
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("version", ["", "0", "1", "99", "-1", "x", "9" * 40])
def test_start_needs_the_version_that_was_reviewed(maria, fresh_node, version):
    maria.to_review(fresh_node)

    page = maria.client.post(maria.url, {"version": version})

    assert page.status_code == 422
    assert not Attempt.objects.exists()


def test_start_loses_against_a_concurrent_save(maria, fresh_node, monkeypatch):
    maria.to_review(fresh_node)
    draft = maria.draft
    fields = {"version": draft.version}
    build_review = review.build_review

    def overtaken(found, *, by):
        seen = build_review(found, by=by)
        other = Draft.objects.get(pk=draft.pk)
        drafts.save(other, "node", data={**other.data, "node": {**other.data["node"], "rack_id": "rack-b"}})
        monkeypatch.setattr(review, "build_review", build_review)
        return seen

    monkeypatch.setattr(review, "build_review", overtaken)
    page = maria.client.post(maria.url, fields)

    assert page.status_code == 422
    assert not Attempt.objects.exists()
    assert SealedCredentials.objects.filter(owner=draft.pk).exists()


def test_a_long_value_is_compared_by_its_digest(maria, other_tab, fresh_node):
    lines = "\n".join(f"{number:064d}" for number in range(600))
    text = f"----- LICENSE START -----\n{lines}\n----- LICENSE END -----"
    maria.to_review(fresh_node, license=text)
    assert len(maria.review_fields["reviewed"]) < 4000
    other_tab.open(f"/setup/{maria.draft.pk}/cluster/")
    other_tab.fill(license=text.replace("0599", "0600"))

    assert maria.start().status_code == 422
    assert "License reviewed:" in maria.text


def test_ten_starts_of_one_draft_make_one_attempt(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft
    presses = [Draft.objects.get(pk=draft.pk) for _ in range(10)]

    attempts = {review.start(press, by=maria.user, version=draft.version, accepted=TICKED) for press in presses}

    assert attempts == {Attempt.objects.get()}
    assert Draft.objects.get(pk=draft.pk).attempt_id == Attempt.objects.get().pk


@pytest.mark.skipif(
    not settings.DATABASE_URL.startswith("postgres"), reason="asks a PostgreSQL server: make test-postgres"
)
@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_starts_make_one_attempt(maria, fresh_node):
    maria.to_review(fresh_node)
    url, fields = maria.url, maria.review_fields

    def press(_):
        browser = Client()
        browser.cookies = maria.client.cookies
        return browser.post(url, fields)["Location"]

    assert set(at_once(press, range(10))) == {f"/attempts/{Attempt.objects.get().pk}/"}


def test_start_of_an_ended_attempt_leads_to_it(maria, fresh_node):
    maria.to_review(fresh_node)
    late, press = (Draft.objects.get(pk=maria.draft.pk) for _ in range(2))
    first = review.start(press, by=maria.user, version=press.version, accepted=TICKED)
    Attempt.objects.update(state="failed", reason="unreachable")

    assert review.start(late, by=maria.user, version=late.version, accepted=TICKED) == first


def test_review_after_a_concurrent_start_leads_to_the_attempt(maria, fresh_node, monkeypatch):
    maria.to_review(fresh_node)
    draft, url = maria.draft, maria.url
    started = []

    def unfinished(found):
        if not started:
            started.append(
                review.start(Draft.objects.get(pk=draft.pk), by=maria.user, version=draft.version, accepted=TICKED)
            )
        return first_incomplete(found)

    first_incomplete = steps.first_incomplete
    monkeypatch.setattr(steps, "first_incomplete", unfinished)
    page = maria.client.get(url)

    assert page["Location"] == f"/attempts/{started[0].pk}/"


def test_a_draft_and_its_attempt_are_written_together(maria, fresh_node, monkeypatch):
    maria.to_review(fresh_node)
    monkeypatch.setattr(drafts, "mark_started", lambda *_: (_ for _ in ()).throw(RuntimeError("stopped here")))

    with pytest.raises(RuntimeError):
        maria.start()

    assert not Attempt.objects.exists()
    assert SealedCredentials.objects.filter(owner=maria.draft.pk).exists()
