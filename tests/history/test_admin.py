"""The admin site: everything to read, nothing to change, and no secret anywhere."""

import csv
import json
import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from setup_wizard.access.append_only import AppendOnlyError
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt, Event, SealedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.history import reviews
from setup_wizard.history.exports import COLUMNS, neutralise
from setup_wizard.history.models import ReviewMark, ReviewNote
from tests.attempts.attempt_rows import add_attempt, add_refused
from tests.attempts.conftest import PASSWORD, tick

from .texts import text_of

LIST = "/admin/attempts/attempt/"
MANY = 80


@pytest.fixture
def rosa(db):
    return assign(User.objects.create_user("rosa"), Role.REVIEWER)


@pytest.fixture
def browser(rosa):
    browser = Client()
    browser.force_login(rosa)
    return browser


@pytest.fixture
def attempts(maria):
    return [
        add_refused(maria, "10.0.0.7:9443", minutes_ago=10, took=4),
        add_attempt(maria, "10.0.0.6:9443", minutes_ago=20, took=90, action="join_cluster"),
        add_attempt(maria, "10.0.0.5:9443", minutes_ago=60 * 24 * 40),
    ]


def nodes_in(answer):
    return [int(number) for number in re.findall(r">10\.0\.0\.(\d+):9443</a>", text_of(answer))]


def test_list_names_who_started_and_when_as_the_pages_do(browser, attempts):
    page = text_of(browser.get(LIST))

    assert "Started by" in page
    assert len(re.findall(r'<time datetime="[^"]+" data-when>', page)) == len(attempts)


def breadcrumbs(answer):
    return re.search(r'class="breadcrumbs"[^>]*>(.*?)</div>', text_of(answer))[1]


def page_of(attempt):
    return reverse("admin:attempts_attempt_change", args=[attempt.pk])


def act(user, action, attempts, **more):
    """Press Go in the list, as a browser over ASGI does; gives the answer and what it streams."""
    data = {"action": action, "_selected_action": [str(attempt.pk) for attempt in attempts], **more}

    async def press():
        browser = AsyncClient()
        await browser.aforce_login(user)
        answer = await browser.post(LIST, data)
        content = b"".join([part async for part in answer]) if answer.streaming else answer.content
        return answer, content.decode()

    return async_to_sync(press)()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [7, 6, 5]),
        ("state__exact=failed", [7]),
        ("action__exact=join_cluster", [7, 6]),
        ("error_code=access_denied", [7]),
        ("reviewed=yes", [6]),
        ("reviewed=no", [7, 5]),
        ("q=redis-test", [7]),
        ("q=access_denied", [7]),
        ("q=access+10.0.0.7", [7]),
        ("q=1", [7, 6, 5]),
        ("o=1", [5, 6, 7]),
        ("o=1&q=example", [5, 6, 7]),
        ("o=-7", [6, 5, 7]),
        ("o=-1&action__exact=join_cluster", [7, 6]),
        ("o=3", [7, 6, 5]),
    ],
)
def test_the_list_is_filtered_searched_and_sorted(browser, rosa, attempts, asked, found):
    reviews.write(Attempt.objects.filter(pk=attempts[1].pk), by=rosa, mark=True)

    assert nodes_in(browser.get(f"{LIST}?{asked}")) == found


def test_the_order_by_duration_leaves_out_what_has_not_ended(browser, maria, attempts):
    add_attempt(maria, "10.0.0.8:9443", state=State.IN_PROGRESS)

    assert nodes_in(browser.get(f"{LIST}?o=-7")) == [6, 5, 7]


def test_the_list_counts_up_to_a_limit(browser, attempts, monkeypatch):
    monkeypatch.setattr("setup_wizard.history.admin.MAX_COUNT", 2)

    assert "2+ attempts" in text_of(browser.get(LIST))


def test_the_list_says_how_long_each_took_in_words(browser, attempts):
    page = text_of(browser.get(LIST))

    assert "1 min 30 s" in page
    assert "90.0" not in page


def test_the_list_is_filtered_by_user_and_by_date(browser, attempts):
    jonas = assign(User.objects.create_user("jonas"), Role.OPERATOR)
    add_attempt(jonas, "10.0.0.9:9443", minutes_ago=1)
    old = attempts[2].created_at

    first, last = (old + timedelta(days=number) for number in (-1, 1))
    between = f"created_at__gte={first:%Y-%m-%d}+00:00:00%2B00:00&created_at__lt={last:%Y-%m-%d}+00:00:00%2B00:00"

    assert nodes_in(browser.get(f"{LIST}?user={jonas.username}")) == [9]
    assert nodes_in(browser.get(f"{LIST}?user=nobody")) == []
    assert nodes_in(browser.get(f"{LIST}?{between}")) == [5]


def test_a_row_shows_the_error_in_words(browser, attempts):
    assert "The cluster refused the credentials" in text_of(browser.get(LIST))


def test_more_rows_take_no_more_queries(browser, maria, rosa, attempts):
    browser.get(LIST)
    with CaptureQueriesContext(connection) as few:
        browser.get(LIST)
    for number in range(20):
        made = add_attempt(User.objects.create_user(f"person-{number}"), f"10.0.1.{number}:9443")
        reviews.write(Attempt.objects.filter(pk=made.pk), by=rosa, note="seen", mark=True)

    with CaptureQueriesContext(connection) as many:
        browser.get(LIST)

    # one more for the names in the filter, which one single person does not need
    assert len(many) <= len(few) + 1
    assert len(many) < 20


def test_the_page_of_an_attempt_shows_all_details(browser, maria, attempts):
    attempt = attempts[0]
    Event.objects.create(attempt=attempt, seq=2, kind="failed", message="The node said access_denied")

    text = text_of(browser.get(page_of(attempt)))

    for told in (
        "Join 10.0.0.7:9443 to redis-test.example.com",
        "The cluster refused the credentials",
        "wrong user name or password",
        "What to do",
        "<code>access_denied</code>",
        '<strong class="bad">Failed</strong> after ',
        "Started by maria",
        "The node said access_denied",
        '"action": "join_cluster"',
        '"password": "********"',
    ):
        assert told in text
    assert text.index("Started by maria</td>") < text.index("The node said access_denied</td>")


@pytest.mark.parametrize("method", ["add", "delete", "history"])
def test_attempts_can_be_neither_added_nor_deleted(db, attempts, method):
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    url = reverse(f"admin:attempts_attempt_{method}", args=[] if method == "add" else [attempts[0].pk])

    assert browser.post(url, {"post": "yes"}).status_code == (200 if method == "history" else 403)
    assert Attempt.objects.count() == 3


def test_a_post_to_an_attempt_changes_no_field_of_it(browser, attempts):
    before = Attempt.objects.filter(pk=attempts[0].pk).values().get()

    browser.post(page_of(attempts[0]), {"note": "seen", "state": "succeeded", "error_code": "", "mark": "on"})

    # the mark is copied, for the filter
    assert Attempt.objects.filter(pk=attempts[0].pk).values().get() == before | {"is_reviewed": True}


class TestReview:
    def test_a_note_has_its_author_and_time(self, browser, rosa, attempts):
        answer = browser.post(page_of(attempts[0]), {"note": "A typo.\nmaria <b>knows</b>."}, follow=True)

        note = ReviewNote.objects.get()
        assert (note.attempt, note.by, note.text) == (attempts[0], rosa, "A typo.\nmaria <b>knows</b>.")
        assert "A typo.<br>maria &lt;b&gt;knows&lt;/b&gt;." in answer.text
        assert f'rosa, <time datetime="{note.at:%Y-%m-%dT%H:%M:%S}' in text_of(answer)

    def test_invisible_characters_in_a_note_are_made_visible(self, browser, attempts):
        browser.post(page_of(attempts[0]), {"note": "look\u202e here\x1b[31m"})

        assert ReviewNote.objects.get().text == "look\\u202e here\\x1b[31m"

    def test_a_mark_names_the_first_reviewer(self, browser, rosa, maria, attempts):
        browser.post(page_of(attempts[0]), {"mark": "on"})
        reviews.write(Attempt.objects.all(), by=maria, mark=True)

        assert "Reviewed by rosa" in text_of(browser.get(page_of(attempts[0])))
        assert "Mark as reviewed" not in text_of(browser.get(page_of(attempts[0])))
        assert ReviewMark.objects.count() == 3

    def test_an_empty_review_is_refused(self, browser, attempts):
        answer = browser.post(page_of(attempts[0]), {"note": "  "})

        assert answer.status_code == 422
        assert "Write a note or mark the attempt as reviewed." in answer.text
        assert not ReviewNote.objects.exists()

    def test_a_note_that_is_too_long_is_refused_and_kept_in_the_field(self, browser, attempts):
        answer = browser.post(page_of(attempts[0]), {"note": "x" * 2001})

        assert answer.status_code == 422
        assert "x" * 2001 in answer.text
        assert not ReviewNote.objects.exists()

    def test_notes_and_marks_can_be_neither_changed_nor_deleted(self, rosa, attempts):
        reviews.write(Attempt.objects.all(), by=rosa, note="seen", mark=True)
        note, mark = ReviewNote.objects.first(), ReviewMark.objects.first()

        for act in (note.save, note.delete, mark.save, mark.delete):
            with pytest.raises(AppendOnlyError):
                act()
        for rows in (ReviewNote.objects.all(), ReviewMark.objects.all()):
            with pytest.raises(AppendOnlyError):
                rows.delete()
            with pytest.raises(AppendOnlyError):
                rows.update(by=rosa)

    def test_the_list_marks_a_selection_and_counts_new_marks(self, browser, rosa, attempts):
        reviews.write(Attempt.objects.filter(pk=attempts[0].pk), by=rosa, mark=True)
        chosen = [str(attempt.pk) for attempt in attempts[:2]]

        answer = browser.post(LIST, {"action": "mark_reviewed", "_selected_action": chosen}, follow=True)

        assert "1 attempt marked as reviewed." in text_of(answer)
        assert set(ReviewMark.objects.values_list("attempt_id", flat=True)) == {each.pk for each in attempts[:2]}

    def test_the_attempt_page_shows_reviews_to_every_reader(self, client, maria, rosa, attempts):
        reviews.write(Attempt.objects.filter(pk=attempts[0].pk), by=rosa, note="maria knows", mark=True)
        client.force_login(maria)

        text = text_of(client.get(reverse("live:detail", args=[attempts[0].pk])))

        assert "Reviewed by rosa" in text
        assert "maria knows" in text
        assert "Add a review note" not in text


class TestExport:
    @pytest.fixture(autouse=True)
    def _as_in_production(self, monkeypatch):
        """A query that is not awaited is an error there, and the tests that drive a browser switch that off."""
        monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)

    def test_a_csv_has_a_line_for_each_selected_attempt(self, rosa, attempts):
        reviews.write(Attempt.objects.filter(pk=attempts[0].pk), by=rosa, mark=True)

        answer, content = act(rosa, "export_csv", attempts[:2])

        rows = list(csv.DictReader(StringIO(content)))
        assert answer.streaming
        assert re.fullmatch(r'attachment; filename="attempts-[\d-]+\.csv"', answer.headers["Content-Disposition"])
        assert [row["node"] for row in rows] == ["10.0.0.7:9443", "10.0.0.6:9443"]
        assert rows[0]["error"] == "The cluster refused the credentials"
        assert (rows[0]["requested_by"], rows[0]["reviewed_by"], rows[1]["reviewed_by"]) == ("maria", "rosa", "")
        assert rows[0]["created_at"] == attempts[0].created_at.isoformat(timespec="seconds")

    def test_a_json_export_has_the_request_and_the_notes(self, rosa, attempts):
        reviews.write(Attempt.objects.filter(pk=attempts[0].pk), by=rosa, note="seen")

        answer, content = act(rosa, "export_json", attempts)

        rows = json.loads(content)
        assert answer.streaming
        assert [row["node"] for row in rows] == ["10.0.0.7:9443", "10.0.0.6:9443", "10.0.0.5:9443"]
        assert rows[0]["request"]["credentials"]["password"] == "********"
        assert [(note["by"], note["text"]) for note in rows[0]["notes"]] == [("rosa", "seen")]

    @pytest.mark.parametrize("kind", ["csv", "json"])
    def test_an_export_is_written_to_the_audit_log(self, rosa, attempts, kind):
        act(rosa, f"export_{kind}", attempts[:2])

        entry = AuditEvent.objects.get(action="export")
        assert (entry.user_name, entry.target_name, entry.note) == ("rosa", "2 attempts", f"as {kind.upper()}")

    @pytest.mark.parametrize("kind", ["csv", "json"])
    def test_exporting_more_attempts_takes_no_more_queries(self, rosa, maria, kind):
        counts = []
        for total in (2, 62):
            for number in range(Attempt.objects.count(), total):
                made = add_attempt(maria, f"10.0.1.{number}:9443")
                reviews.write(Attempt.objects.filter(pk=made.pk), by=rosa, note="seen", mark=True)
            with CaptureQueriesContext(connection) as queries:
                _, content = act(rosa, f"export_{kind}", Attempt.objects.all()[:1], select_across="1")
            counts.append(len(queries))
            written = len(list(csv.reader(StringIO(content)))) - 1 if kind == "csv" else len(json.loads(content))
            assert written == total

        assert counts[0] == counts[1]

    def test_no_cell_is_a_formula(self, rosa, maria):
        unseen, signs = " \t\r\n\u3000\u200b\ufeff\u00ad", "=+-@＝＋－＠\ufe66\u207c"
        hostile = [f"{blank}{sign}1+1" for blank in ["", *unseen] for sign in signs]
        for number, name in enumerate([*hostile, "\tx", "\rx"]):
            add_attempt(maria, f"10.0.1.{number}:9443", cluster=name)

        _, content = act(rosa, "export_csv", Attempt.objects.all())

        cells = [cell for row in csv.reader(StringIO(content, newline="")) for cell in row]
        assert [cell for cell in cells if cell.strip(unseen).startswith(tuple(signs))] == []
        assert {"'=1+1", "'-1+1", "'\tx", "'＝1+1", " '=1+1"} <= set(cells)

    @pytest.mark.parametrize(
        "code", ["x;=1+1;y", "x;=1+1;=2+2", "x\t=1+1", 'x";"=1+1', "x,=1+1", "x\u2028=1+1", "x\x0b=1+1"]
    )
    def test_no_separator_cuts_a_cell_into_a_formula(self, rosa, maria, code):
        add_attempt(maria, state=State.FAILED, reason=Reason.NODE_ERROR, error_code=code)

        _, content = act(rosa, "export_csv", Attempt.objects.all())

        assert [len(row) for row in csv.reader(StringIO(content))] == [len(COLUMNS)] * 2
        for separator in ",;\t\u2028\x0b":
            cells = [cell for row in csv.reader(StringIO(content), delimiter=separator) for cell in row]
            assert [cell for cell in cells if cell.startswith("=")] == []
        assert all(line.startswith('"') and line.endswith('"') for line in content.rstrip("\r\n").split("\r\n"))

    @pytest.mark.parametrize("text", ["redis-prod", "10.0.0.5:9443", "", "a=b", "1-2"])
    def test_a_harmless_cell_stays_as_it_is(self, text):
        assert neutralise(text) == text


def links_in(answer):
    return {
        link.partition("#")[0]
        for link in re.findall(r'(?:href|action)="(/[^"]*|\?[^"]*)"', unescape(answer.content.decode()))
    }


@pytest.mark.django_db
def test_no_page_of_the_site_shows_a_secret_while_an_attempt_needs_it(start, fresh_node, rosa):
    attempt = start(fresh_node)
    tick(attempt)
    tick(attempt)
    assert attempt.status.is_moving
    sealed = SealedCredentials.objects.get(owner=attempt.pk).sealed
    reviews.write(Attempt.objects.all(), by=rosa, note="running")
    root = User.objects.create_superuser("root")
    browser = Client()
    browser.force_login(root)
    waiting, seen, shown = {"/admin/"}, set(), {}

    while waiting - seen and len(seen) < MANY:
        address = min(waiting - seen, key=lambda address: ("?" in address, address))  # every page, then its filters
        seen.add(address)
        answer = browser.get(address)
        if answer.status_code in {301, 302} and answer.url.startswith("/admin/"):
            waiting.add(answer.url)
        if answer.status_code == 200 and not answer.streaming:
            shown[address] = answer.content.decode()
            base = address.partition("?")[0]
            waiting |= {base + link if link.startswith("?") else link for link in links_in(answer)}
        # filters one at a time, and no way back to them: all of them together would never end
        waiting = {link for link in waiting if re.fullmatch(r"/admin/[^?]*(\?[^_&][^&]*)?", link)}
    exported = "".join(act(root, f"export_{kind}", [attempt])[1] for kind in ("csv", "json"))

    assert page_of(attempt) in {address.partition("?")[0] for address in shown}
    assert len(shown) > 20
    told = "".join(shown.values()) + exported
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], sealed, sealed.rpartition(":")[2]):
        assert secret not in told
    assert not re.search("sealedcredentials|clusterlock|accessattempt|signinlink", told, re.IGNORECASE)


def test_the_admin_site_has_the_expected_models_only():
    assert {model._meta.label for model in admin.site._registry} == {
        "access.ApiToken",
        "access.AuditEvent",
        "attempts.Attempt",
        "auth.Group",
        "auth.User",
        "nodes.TrustedCertificate",
    }
    call_command("check")


def test_the_breadcrumbs_of_the_list_name_it_once(browser, attempts):
    line = re.sub(r"<[^>]*>", "", breadcrumbs(browser.get(LIST)))

    assert line.split("›")[0].strip() == "Home"
    assert line.count("Attempts") == 1
