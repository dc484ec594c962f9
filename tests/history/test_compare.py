"""Two attempts side by side: what differs is marked, and only those who may see both attempts see the page."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.attempts.models import Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.history.comparison import MAX_EVENTS, compare
from tests.attempts.attempt_rows import REQUEST, add_attempt

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"
URL = "/attempts/compare/"


@pytest.fixture
def pages(client, maria):
    client.force_login(maria)
    return client


def marked(comparison, title):
    (group,) = [group for group in comparison.groups if group.title == title]
    return {row.label: (row.first, row.second) for row in group.rows if row.differs}


def test_equal_attempts_have_no_marks(maria):
    first, second = add_attempt(maria, minutes_ago=90), add_attempt(maria)

    assert compare(first, second).count == 0


def test_only_what_differs_is_marked(maria):
    request = REQUEST | {"cluster": {"name": "redis-prod.example.com", "rack_aware": True}}
    first = add_attempt(maria, facts={"software_version": "7.8.2-34", "total_memory": 16 * 2**30}, minutes_ago=90)
    second = add_attempt(
        maria,
        facts={"software_version": "8.0.6-54", "total_memory": 16 * 2**30},
        request=request,
        state=State.FAILED,
        reason=Reason.NODE_ERROR,
        error_code="path_error",
    )

    comparison = compare(first, second)

    assert marked(comparison, "Request") == {"cluster.rack_aware": ("", "true")}
    assert marked(comparison, "Node details before Start") == {"Software": ("7.8.2-34", "8.0.6-54")}
    assert marked(comparison, "Outcome")["State"] == ("Succeeded", "Failed")
    assert marked(comparison, "Outcome")["Error code"] == ("", "path_error")
    assert marked(comparison, "Events") == {}


@pytest.mark.parametrize(
    ("first", "second", "is_marked"), [(16, 16.9, False), (16, 19, False), (16, 22, True), (1, 1.9, False)]
)
def test_a_time_is_marked_from_a_second_and_a_fifth_on(maria, first, second, is_marked):
    comparison = compare(add_attempt(maria, took=first, minutes_ago=90), add_attempt(maria, took=second))

    assert ("From Start to the end" in marked(comparison, "Times")) == is_marked


def test_accepted_checks_have_the_names_that_the_pages_use(maria):
    accepted = [{"name": "replaced_node", "reason": "It is gone"}]

    comparison = compare(add_attempt(maria, minutes_ago=90), add_attempt(maria, overrides=accepted))

    assert marked(comparison, "Outcome") == {"Accepted checks": ("", "Node to replace")}


def test_a_time_is_marked_if_only_one_attempt_has_ended(maria):
    comparison = compare(add_attempt(maria, minutes_ago=90), add_attempt(maria, state=State.IN_PROGRESS))

    assert "From Start to the end" in marked(comparison, "Times")


def test_events_with_the_same_words_are_beside_each_other(maria):
    first, second = add_attempt(maria, minutes_ago=90), add_attempt(maria)
    for attempt, messages in ((first, ["Sent", "Done"]), (second, ["Sent", "No answer", "Done"])):
        for seq, message in enumerate(messages, 2):
            at = attempt.created_at + timedelta(seconds=seq)
            Event.objects.create(attempt=attempt, seq=seq, kind="checking", message=message, at=at)

    assert marked(compare(first, second), "Events") == {"3": ("", "No answer (after 3.0 s)")}


def test_many_events_are_cut_and_the_page_says_so(maria):
    attempts = [add_attempt(maria, minutes_ago=90), add_attempt(maria)]
    for attempt in attempts:
        more = range(2, MAX_EVENTS + 5)
        Event.objects.bulk_create(Event(attempt=attempt, seq=seq, kind="checking", message="Checked") for seq in more)

    events = compare(*attempts).groups[-1]

    assert len(events.rows) == MAX_EVENTS
    assert str(MAX_EVENTS) in events.note


def test_the_page_masks_secrets_and_escapes_what_nodes_say(pages, maria):
    first, second = add_attempt(maria, minutes_ago=90), add_attempt(maria, cluster=HOSTILE)
    Event.objects.create(attempt=second, seq=2, kind="checking", message=HOSTILE)

    text = pages.get(URL, {"a": first.pk, "b": second.pk}).text

    assert "&lt;script&gt;alert" in text
    assert HOSTILE not in text
    assert "********" in text
    assert f"{compare(first, second).count} differences, marked" in text
    assert text.count('<tr class="differs">') == compare(first, second).count


def test_two_ticked_attempts_are_compared_the_older_first(pages, maria):
    older, newer = add_attempt(maria, minutes_ago=90), add_attempt(maria)

    answer = pages.get(URL, {"attempt": [newer.pk, older.pk]})

    assert answer.status_code == 302
    assert answer.url == f"{URL}?a={older.pk}&b={newer.pk}"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_other_number_of_ticks_is_explained(pages, maria, count):
    ticked = [add_attempt(maria, minutes_ago=90 + number).pk for number in range(count)]

    answer = pages.get(URL, {"attempt": ticked}, follow=True)

    assert answer.redirect_chain == [(reverse("history:list"), 302)]
    assert "Tick two attempts to compare them" in answer.text


def test_the_list_offers_a_tick_for_each_attempt(pages, maria):
    attempts = [add_attempt(maria, minutes_ago=90), add_attempt(maria)]

    text = pages.get(reverse("history:list")).text

    for attempt in attempts:
        assert f'name="attempt" value="{attempt.pk}"' in text


def test_an_attempt_leads_to_the_one_before_on_its_node(pages, maria):
    add_attempt(maria, "10.0.0.6:9443", minutes_ago=30)
    oldest, before, newest = (add_attempt(maria, minutes_ago=minutes) for minutes in (120, 90, 10))

    link = f"{URL}?a={before.pk}&amp;b={newest.pk}"
    assert link in pages.get(reverse("live:detail", args=[newest.pk])).text
    assert f"b={oldest.pk}" not in pages.get(reverse("live:detail", args=[oldest.pk])).text


@pytest.mark.parametrize("wrong", ["", "x", "..%2F..", "<b>", str(UUID(int=1)), "9" * 5000])
@pytest.mark.parametrize("name", ["a", "b"])
def test_unknown_and_hostile_ids_are_not_found(pages, maria, name, wrong):
    known = str(add_attempt(maria).pk)

    assert pages.get(URL, {"a": known, "b": known} | {name: wrong}).status_code == 404
    assert pages.get(URL, {"attempt": [known, wrong]}).status_code == 404


def test_only_those_who_may_see_both_attempts_compare_them(client, maria, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    other = User.objects.create_user("other")
    other.groups.set(maria.groups.all())
    theirs, own = add_attempt(maria, minutes_ago=90), add_attempt(other)
    client.force_login(other)

    assert client.get(URL, {"a": theirs.pk, "b": own.pk}).status_code == 404
    assert client.get(URL, {"a": own.pk, "b": theirs.pk}).status_code == 404
    assert URL not in client.get(reverse("live:detail", args=[own.pk])).text
    client.force_login(maria)
    assert client.get(URL, {"a": theirs.pk, "b": theirs.pk}).status_code == 200
