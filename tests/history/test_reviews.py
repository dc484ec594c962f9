"""Notes, marks and exports where everybody works: in the list and on the page of an attempt."""

import csv
import json
import re
from html import unescape
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import reverse

from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.history import exports, reviews
from setup_wizard.history.models import ReviewMark, ReviewNote
from tests.attempts.attempt_rows import add_attempt, add_refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rosa():
    return assign(User.objects.create_user("rosa"), Role.REVIEWER)


@pytest.fixture
def pages(client, rosa):
    client.force_login(rosa)
    return client


def url(attempt, name="history:review"):
    return reverse(name, args=[attempt.pk])


def text_of(answer):
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


def download(user, address):
    """Read a whole export over ASGI, as a browser does."""

    async def read():
        browser = AsyncClient()
        await browser.aforce_login(user)
        answer = await browser.get(address)
        return answer, b"".join([part async for part in answer]).decode()

    return async_to_sync(read)()


def test_a_reviewer_adds_a_note_and_a_mark_on_the_page_of_an_attempt(pages, maria, rosa):
    attempt = add_refused(maria)

    page = pages.post(url(attempt), {"note": "A typo; maria knows.", "mark": "on"}, follow=True)

    assert page.redirect_chain == [(url(attempt, "live:detail"), 302)]
    assert "A typo; maria knows." in text_of(page)
    assert "Reviewed by rosa" in text_of(page)
    assert ReviewNote.objects.get().by == ReviewMark.objects.get().by == rosa
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"note", "mark"}


def test_an_empty_review_is_explained_beside_its_field(pages, maria):
    attempt = add_refused(maria)

    page = pages.post(url(attempt), {"note": "  "})

    assert page.status_code == 422
    assert re.search(r'id="note_error">Write a note or mark the attempt as reviewed.<', text_of(page))
    assert 'aria-describedby="note_error"' in text_of(page)
    assert not ReviewNote.objects.exists()


def test_only_reviewers_are_offered_reviews_and_exports(client, maria, rosa):
    attempt = add_refused(maria)

    for user, is_offered in ((maria, False), (rosa, True)):
        client.force_login(user)
        page, listed = text_of(client.get(url(attempt, "live:detail"))), text_of(client.get("/attempts/"))
        assert (f'action="{url(attempt)}"' in page) is is_offered
        assert ("/attempts/export.csv" in listed) is is_offered


def test_the_list_says_who_has_reviewed_an_attempt_and_refreshes(pages, maria, rosa):
    attempt = add_refused(maria)
    seen = re.search(r"seen=(\w+)", text_of(pages.get("/attempts/")))[1]
    assert pages.get(f"/attempts/rows/?seen={seen}").status_code == 204

    reviews.write(Attempt.objects.filter(pk=attempt.pk), by=rosa, mark=True)

    assert 'title="by rosa">Reviewed<' in text_of(pages.get(f"/attempts/rows/?seen={seen}"))


def test_the_links_of_the_list_export_what_is_filtered(pages, maria):
    add_refused(maria)

    page = text_of(pages.get("/attempts/?state=failed&q=redis&sort=node"))

    assert re.search(r'href="/attempts/export\.csv\?q=redis&state=failed&sort=node"', page)
    assert re.search(r'href="/attempts/export\.json\?q=redis&state=failed&sort=node"', page)


@pytest.mark.parametrize(
    "asked", ["", "state=failed", "q=10.0.0&sort=node", "sort=-duration", "state=failed&sort=cluster"]
)
def test_an_export_has_all_rows_of_the_list_in_its_order(pages, maria, rosa, monkeypatch, asked):
    monkeypatch.setattr(exports, "CHUNK", 3)  # so that there are several pages
    for number in range(8):
        state = State.FAILED if number % 2 else State.SUCCEEDED
        add_attempt(maria, f"10.0.0.{number}:9443", minutes_ago=number, took=50 - number, state=state)
    listed = re.findall(r'<td><a [^>]*href="/attempts/([^"/]+)/"', text_of(pages.get(f"/attempts/?{asked}")))

    answer, as_csv = download(rosa, f"/attempts/export.csv?{asked}")
    _, as_json = download(rosa, f"/attempts/export.json?{asked}")

    assert answer.streaming
    assert [row["id"] for row in csv.DictReader(StringIO(as_csv))] == listed != []
    assert [row["id"] for row in json.loads(as_json)] == listed


def test_an_export_has_notes_and_no_formula(maria, rosa):
    attempt = add_refused(maria, cluster="=cmd|' /C calc'!A0")
    reviews.write(Attempt.objects.filter(pk=attempt.pk), by=rosa, note="=1+1", mark=True)

    _, as_csv = download(rosa, "/attempts/export.csv")
    _, as_json = download(rosa, "/attempts/export.json")

    row = next(csv.DictReader(StringIO(as_csv)))
    assert row["cluster"].startswith("'=cmd")
    assert row["reviewed_by"] == "rosa"
    assert row["notes"] == "rosa: =1+1"
    assert json.loads(as_json)[0]["notes"][0]["text"] == "=1+1"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_export_is_written_to_the_audit_log(maria, rosa, kind):
    add_refused(maria)
    add_attempt(maria)

    download(rosa, f"/attempts/export.{kind}?state=failed")

    entry = AuditEvent.objects.get(action="export")
    assert (entry.user_name, entry.target_name, entry.note) == ("rosa", "1 attempt", f"as {kind.upper()}")


def test_an_empty_export_is_a_valid_file(rosa):
    assert json.loads(download(rosa, "/attempts/export.json")[1]) == []
    assert len(download(rosa, "/attempts/export.csv")[1].splitlines()) == 1
