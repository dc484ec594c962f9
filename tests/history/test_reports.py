"""The report of an attempt: one file that says who did what and when, without secrets and for those who may see it."""

import json
import re
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.history import reviews
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script><img src="https://evil.example.com/x">'


@pytest.fixture
def reports(client, maria):
    client.force_login(maria)
    return lambda attempt, name="report": client.get(reverse(f"history:{name}", args=[attempt.pk]))


def test_report_answers_who_did_what_when_and_why_it_failed(reports, maria):
    overrides = [{"name": "clock", "reason": "NTP is repaired tonight"}]
    attempt = add_attempt(
        maria, state=State.FAILED, reason=Reason.NODE_ERROR, error_code="path_error", overrides=overrides
    )
    reviews.write(Attempt.objects.filter(pk=attempt.pk), by=maria, note="Disk was not mounted", mark=True)
    response = reports(attempt)
    text = response.content.decode()
    assert response["Content-Disposition"].startswith("attachment; filename=")
    for part in [
        maria.username,
        "10.0.0.5:9443",
        "path_error",
        "NTP is repaired tonight",
        "Disk was not mounted",
        f"{attempt.created_at:%-d %b %Y, %H:%M:%S} UTC",
        str(attempt.pk),
    ]:
        assert part in text
    found = json.loads(reports(attempt, "report-json").content)
    assert found["requested_by"] == maria.username
    assert found["accepted"][0]["reason"] == "NTP is repaired tonight"
    assert found["explanation"]["meaning"]
    assert found["request"]["credentials"]["password"] == "********"
    assert found["notes"][0]["text"] == "Disk was not mounted"


def test_report_needs_no_other_file_and_runs_nothing(reports, maria):
    attempt = add_attempt(maria, cluster=HOSTILE, state=State.FAILED, reason=Reason.NODE_ERROR)
    Event.objects.create(attempt=attempt, seq=2, kind="checking", message=HOSTILE, by=maria)
    text = reports(attempt).content.decode()
    assert re.findall(r"<(?:script|img|link|iframe)\b|<[^>]*\s(?:src|href|on\w+)=|url\(|@import", text) == []
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("count", [0, 1000])
def test_report_has_all_events_in_order(reports, maria, count):
    attempt = add_attempt(maria, state=State.IN_PROGRESS)
    before = attempt.events.count()
    rows = [
        Event(attempt=attempt, seq=before + number, kind="checking", message=f"look {number}.")
        for number in range(1, count + 1)
    ]
    Event.objects.bulk_create(rows)
    found = json.loads(reports(attempt, "report-json").content)["events"]
    assert [event["message"] for event in found[before:]] == [f"look {number}." for number in range(1, count + 1)]
    assert [event["seq"] for event in found] == list(range(1, before + count + 1))
    text = reports(attempt).content.decode()
    assert "had not ended when the report was made" in text
    assert len(re.findall(r"look \d+\.", text)) == count


@pytest.mark.parametrize("name", ["report", "report-json"])
def test_who_may_not_see_an_attempt_gets_no_report(client, maria, settings, name):
    attempt = add_attempt(maria)
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    other = User.objects.create_user("other")
    other.groups.set(maria.groups.all())
    client.force_login(other)
    assert client.get(reverse(f"history:{name}", args=[attempt.pk])).status_code == 404
    client.force_login(maria)
    assert client.get(reverse(f"history:{name}", args=[attempt.pk])).status_code == 200


@pytest.mark.parametrize("wrong", [str(UUID(int=1)), "x", "..%2F..", "<b>"])
def test_a_hostile_id_is_not_found(client, maria, wrong):
    client.force_login(maria)
    assert client.get(f"/attempts/{wrong}/report/").status_code == 404
