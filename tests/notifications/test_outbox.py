"""Each event that matters becomes one notice, with one delivery for each webhook that wants it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.models import Event
from setup_wizard.attempts.states import State
from setup_wizard.notifications import attempt_events, outbox, schedule
from setup_wizard.notifications.models import Delivery, EventCursor, Notice, NoticeKind
from tests.attempts.attempt_rows import add_attempt
from tests.notifications.conftest import add_event, make_notices

pytestmark = pytest.mark.django_db

URL = "https://127.0.0.1:1/hook"


def attempts_cursor():
    return EventCursor.objects.get(source="attempt")


def test_end_of_an_attempt_becomes_a_notice_with_its_facts(add_webhook, end_attempt):
    webhook = add_webhook(URL)
    attempt = end_attempt()

    assert make_notices() == 1

    notice = Notice.objects.get()
    assert notice.kind == NoticeKind.ENDED
    assert notice.document["title"] == "Setup of 10.0.0.5:9443 failed"
    assert notice.document["path"] == f"/attempts/{attempt.pk}/"
    assert notice.document["reason"] == "unreachable"
    assert notice.document["explanation"]
    assert [each.webhook for each in Delivery.objects.all()] == [webhook]


def test_waiting_for_the_operator_is_told_each_time(add_webhook, maria):
    add_webhook(URL)
    attempt = add_attempt(maria, state=State.NEEDS_OPERATOR, reason="trust")
    for _ in range(2):
        add_event(attempt, "needs_operator", reason="trust")

    assert make_notices() == 2
    assert set(Notice.objects.values_list("kind", flat=True)) == {NoticeKind.NEEDS_OPERATOR}


def test_other_events_are_not_told(add_webhook, maria):
    add_webhook(URL)
    for kind in ("checking", "accepted", "node_state", "silent", "resumed"):
        add_event(add_attempt(maria, f"10.0.0.{len(kind)}:9443"), kind)

    assert make_notices() == 0


def test_reading_twice_tells_once(add_webhook, end_attempt):
    add_webhook(URL)
    end_attempt()

    make_notices()
    make_notices()

    assert Notice.objects.count() == Delivery.objects.count() == 1


def test_event_that_commits_late_with_a_lower_number_is_told(add_webhook, end_attempt):
    """Another transaction had its number first, and committed after a higher one had been read."""
    add_webhook(URL)
    early, late = end_attempt(), end_attempt(address="10.0.0.6:9443")
    rows = {event.pk: event for event in Event.objects.filter(kind="failed")}
    lower = min(rows)
    cursor = attempts_cursor()
    source = attempt_events_source(hidden=lower)
    with replaced(source):
        assert outbox.read(cursor.pk) == 1  # the lower one cannot be seen yet

    assert outbox.read(cursor.pk) == 1
    assert {notice.document["id"] for notice in Notice.objects.all()} == {str(early.pk), str(late.pk)}


def test_events_are_read_for_good_once_they_are_old(add_webhook, end_attempt):
    add_webhook(URL)
    end_attempt()
    make_notices()
    assert attempts_cursor().position < attempts_cursor().newest
    assert not outbox.has_news(attempts_cursor(), timezone.now())
    assert outbox.has_news(attempts_cursor(), timezone.now() + outbox.READ_AGAIN)

    # what an old event looks like: append-only, so a new one is written in the past
    old = timezone.now() - timedelta(hours=1)
    attempt = add_attempt(end_attempt(address="10.0.0.7:9443").requested_by, "10.0.0.8:9443")
    last = add_event(attempt, "checking", at=old)
    make_notices()

    assert attempts_cursor().position == attempts_cursor().newest == last.pk
    assert not outbox.has_news(attempts_cursor(), timezone.now())
    assert Notice.objects.count() == 2


def test_source_is_enqueued_once_and_again_when_nobody_has_read_it(add_webhook, end_attempt):
    add_webhook(URL)
    end_attempt()
    now = timezone.now()

    assert list(schedule._due_cursors(now)) == [attempts_cursor().pk]
    assert list(schedule._due_cursors(now)) == []
    assert list(schedule._due_cursors(now + schedule.ENQUEUE_AGAIN)) == [attempts_cursor().pk]


def test_more_events_than_fit_in_one_reading_are_all_told(add_webhook, end_attempt, monkeypatch):
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    add_webhook(URL)
    for number in range(5):
        end_attempt(address=f"10.0.0.{number}:9443")

    counts = []
    while outbox.has_news(attempts_cursor(), timezone.now()):
        counts.append(outbox.read(attempts_cursor().pk))

    assert sum(counts) == Notice.objects.count() == 5


def test_webhook_is_told_only_what_it_wants(add_webhook, end_attempt):
    add_webhook(URL, "Only operators", on_ended=False, on_run_ended=False)
    add_webhook(URL, "Turned off", is_enabled=False)
    end_attempt()

    assert make_notices() == 1
    assert not Delivery.objects.exists()


def test_nothing_waits_for_the_day_when_webhooks_are_on(add_webhook, end_attempt, settings):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = []
    add_webhook(URL)
    end_attempt()

    assert make_notices() == 1
    assert not Delivery.objects.exists()


def test_new_webhook_is_not_told_of_the_past(add_webhook, end_attempt):
    add_webhook(URL, "First")
    end_attempt()
    late = add_webhook(URL, "Late")
    late.told_since = timezone.now() + timedelta(seconds=1)
    late.save()

    make_notices()

    assert [each.webhook.name for each in Delivery.objects.all()] == ["First"]


def test_nothing_is_read_before_there_is_a_receiver(end_attempt):
    end_attempt()

    assert make_notices() == 0
    assert not EventCursor.objects.exists()


def test_explanation_that_fails_does_not_lose_the_notice(add_webhook, end_attempt, monkeypatch):
    def fail(_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(attempt_events, "explain", fail)
    add_webhook(URL)
    end_attempt()

    assert make_notices() == 1
    assert Notice.objects.get().document["explanation"] == "Node unreachable"


def test_old_notices_are_deleted_with_their_deliveries(add_webhook, end_attempt):
    add_webhook(URL)
    end_attempt()
    make_notices()

    assert outbox.delete_old(timezone.now() + timedelta(days=29)) == 0
    outbox.delete_old(timezone.now() + timedelta(days=31))

    assert not Delivery.objects.exists()


def attempt_events_source(*, hidden):
    """The events of attempts as they look while the row with this number is not committed."""
    source = outbox.sources()["attempt"]

    def find(position, limit):
        return [pk for pk in source.find(position, limit) if pk != hidden]

    return outbox.EventSource(source.name, source.newest, source.newest_before, find, source.read)


def replaced(source):
    patch = pytest.MonkeyPatch.context()

    class Replaced:
        def __enter__(self):
            self.patch = patch.__enter__()
            self.patch.setattr(outbox, "sources", lambda: {source.name: source})

        def __exit__(self, *error):
            return patch.__exit__(*error)

    return Replaced()
