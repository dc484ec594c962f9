"""Every attempt that ended without success offers to start again with the same request."""

import re
from html import unescape

import pytest
from django.urls import reverse

from setup_wizard.attempts.choices import choices_of
from setup_wizard.attempts.states import Reason, State
from setup_wizard.wizard.models import Draft
from tests.attempts.attempt_rows import REQUEST, add_attempt

pytestmark = pytest.mark.django_db

CANCELLED = {Reason.CANCELLED, Reason.STOPPED}
ENDED = [
    reason for reason in Reason if reason is not Reason.NONE and (not choices_of(reason) or reason is Reason.FAULT)
]


@pytest.fixture
def again(client, maria):
    """Press a button of the attempt's page that starts again; gives the draft that it begins."""
    client.force_login(maria)

    def press(attempt):
        page = unescape(client.get(reverse("live:detail", args=[attempt.pk])).content.decode())
        url = reverse("wizard:retry", args=[attempt.pk])
        form = re.search(rf'<form method="post" action="{url}">(.*?)</form>', page, re.DOTALL)
        assert form, "no button"
        sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
        assert client.post(url, sent).status_code == 302
        return Draft.objects.get()

    return press


@pytest.mark.parametrize("reason", ENDED)
def test_an_ended_attempt_starts_again_with_its_request(again, maria, reason):
    state = State.CANCELLED if reason in CANCELLED else State.FAILED
    submits = {} if reason is not Reason.FAULT else {"node_state": "idle"}
    attempt = add_attempt(maria, "127.0.0.1:9", state=state, reason=reason, error_code="internal_error", **submits)
    if reason is Reason.FAULT:
        type(attempt).objects.update(submits=0)

    draft = again(attempt)

    assert (draft.action, draft.address) == ("create_cluster", "127.0.0.1:9")
    assert draft.data["create"]["name"] == REQUEST["cluster"]["name"]
    assert draft.data["create"]["username"] == "admin@example.com"
    assert "********" not in str(draft.data)


def test_failed_attempt_is_compared_with_the_next_on_its_node(client, maria):
    client.force_login(maria)
    failed = add_attempt(maria, "127.0.0.1:9", state=State.FAILED, reason=Reason.NODE_ERROR)
    worked = add_attempt(maria, "127.0.0.1:9", state=State.SUCCEEDED)

    page = unescape(client.get(reverse("live:detail", args=[failed.pk])).content.decode())

    assert f'{reverse("history:compare")}?a={failed.pk}&b={worked.pk}">Compare with the next attempt' in page
    assert f'{reverse("history:list")}?node=127.0.0.1%3A9">All attempts on this node' in page


def test_an_attempt_that_is_no_longer_watched_shows_the_last_status(client, maria):
    client.force_login(maria)
    attempt = add_attempt(maria, state=State.CANCELLED, reason=Reason.STOPPED, node_state="creating_cluster")

    text = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()

    assert "Its last status was creating_cluster." in text
    assert "Start again</button>" in text


def test_a_running_attempt_offers_no_second_start(client, maria):
    client.force_login(maria)
    attempt = add_attempt(maria, state=State.NEEDS_OPERATOR, reason=Reason.OVERDUE)

    page = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()

    assert reverse("wizard:retry", args=[attempt.pk]) not in page
