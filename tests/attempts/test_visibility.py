"""With SETUP_WIZARD_ATTEMPTS=own, users do not see the attempts of others."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from setup_wizard.access import tokens
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.states import State
from setup_wizard.live import topics
from setup_wizard.live.stream import queries
from setup_wizard.live.stream.open_streams import CloseReason, Subscription
from tests.attempts.attempt_rows import add_attempt


@pytest.fixture
def own(settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"


@pytest.fixture
def hers(maria):
    return add_attempt(maria, "10.0.0.5:9443", state=State.IN_PROGRESS)


@pytest.fixture
def his(jonas):
    return add_attempt(jonas, "10.0.0.6:9443", state=State.IN_PROGRESS)


@pytest.fixture
def jonas(db):
    return assign(User.objects.create_user("jonas"), Role.OPERATOR)


def ways_to(attempt):
    """Every page and API call that shows or changes an attempt."""
    page, call = f"/attempts/{attempt.pk}/", f"/api/v1/attempts/{attempt.pk}"
    yield from [("get", page), ("get", f"{page}panel/"), ("get", f"{page}stream"), ("get", call)]
    yield ("get", f"{call}/events")
    for choice in Choice:
        yield from [("post", f"{page}{choice.value}/"), ("post", f"{call}/{choice.value}")]
    yield ("post", reverse("wizard:retry", args=[attempt.pk]))


BODIES = {
    Choice.APPROVE_CERTIFICATE: {"fingerprint": ":".join(["AB"] * 32)},
    Choice.CREDENTIALS: {"username": "admin@example.com", "password": "Correct-horse-7-battery"},
}


def ask(user, method, address):
    if address.startswith("/api/"):
        browser = Client(headers={"Authorization": f"Bearer {tokens.issue(user)}"})
        body = json.dumps(BODIES.get(address.rpartition("/")[2], {})) if method == "post" else None
        return getattr(browser, method)(address, body, content_type="application/json")
    browser = Client()
    browser.force_login(user)
    return getattr(browser, method)(address)


def statuses(user, attempt):
    return {(method, address): ask(user, method, address).status_code for method, address in ways_to(attempt)}


def test_operator_cannot_reach_attempts_of_others(own, maria, his):
    before = type(his).objects.filter(pk=his.pk).values().get()

    assert set(statuses(maria, his).values()) == {404}
    assert type(his).objects.filter(pk=his.pk).values().get() == before


def test_operator_reaches_their_own_attempts(own, maria, hers):
    assert 404 not in statuses(maria, hers).values()


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMINISTRATOR])
def test_reviewers_and_administrators_see_all_attempts(own, his, role):
    rosa = assign(User.objects.create_user("rosa"), role)

    assert 404 not in statuses(rosa, his).values()


def test_default_shows_all_attempts_to_everybody(maria, his):
    assert 404 not in statuses(maria, his).values()


@pytest.mark.parametrize("asked", ["", "?q=10.0.0", "?user=jonas", "?state=in_progress"])
def test_list_and_search_show_only_own_attempts(own, maria, hers, his, asked):
    page = ask(maria, "get", f"/attempts/{asked}").text

    assert "10.0.0.6:9443" not in page
    rows = page.partition('id="results"')[2]  # the filters above them offer the nodes of her own attempts
    assert ("10.0.0.5:9443" in rows) == ("jonas" not in asked)
    assert '<option value="jonas">' not in page.replace(" selected", "") or asked == "?user=jonas"


def test_api_list_shows_only_own_attempts(own, maria, hers, his):
    listed = ask(maria, "get", "/api/v1/attempts?q=10.0.0").json()

    assert [each["address"] for each in listed["results"]] == ["10.0.0.5:9443"]
    assert listed["count"] == 1


def test_home_page_shows_only_own_attempts(own, maria, hers, jonas):
    add_attempt(jonas, "10.0.0.6:9443", cluster="his.example.com", state=State.IN_PROGRESS)
    made = add_attempt(jonas, "10.0.0.7:9443", cluster="his.example.com")

    page = ask(maria, "get", "/setup/").text

    assert "10.0.0.5:9443" in page
    assert "10.0.0.6:9443" not in page
    assert "his.example.com" not in page
    assert ask(maria, "post", reverse("wizard:join", args=[made.pk])).status_code == 404


def test_stream_has_the_same_visibility_as_the_page(own, maria, hers, his):
    watched, cursors = queries.visible_topics(maria, [f"attempt:{hers.pk}", f"attempt:{his.pk}"])

    assert [*watched] == [*cursors] == [("attempt", str(hers.pk))]


@pytest.mark.parametrize("name", ["attempts", "home", "setups", "action-needed"])
def test_lists_give_no_sign_of_attempts_of_others(own, maria, hers, his, name):
    before = topics.watch(maria, name)

    add_attempt(his.requested_by, "10.0.0.7:9443", state=State.NEEDS_OPERATOR)
    assert topics.watch(maria, name) == before

    add_attempt(maria, "10.0.0.8:9443", state=State.NEEDS_OPERATOR)
    assert topics.watch(maria, name) != before


def test_a_stream_reconnects_when_its_user_may_see_less(settings, client, maria, his):
    client.force_login(maria)
    watched, _ = queries.visible_topics(maria, [f"attempt:{his.pk}"])
    stream = Subscription(watched, client.session.session_key, str(maria.pk))
    assert queries.why_close(stream) is None

    settings.SETUP_WIZARD_ATTEMPTS = "own"

    assert queries.why_close(stream) is CloseReason.RECONNECT


def test_busy_node_names_its_user_without_a_link(own, start, fresh_node, maria, jonas):
    attempt = start(fresh_node)
    body = {
        "address": fresh_node.address,
        "fingerprint": attempt.fingerprint,
        "bootstrap": {
            "action": "create_cluster",
            "cluster": {"name": "other.example.com"},
            "credentials": {"username": "admin@example.com", "password": "Correct-horse-7-battery"},
        },
    }
    busy = {}
    for user in (jonas, maria):
        browser = Client(headers={"Authorization": f"Bearer {tokens.issue(user)}"})
        busy[user] = browser.post("/api/v1/attempts", json.dumps(body), content_type="application/json")

    assert busy[jonas].status_code == busy[maria].status_code == 409
    assert "by maria" in busy[jonas].json()["message"]
    assert str(attempt.pk) not in busy[jonas].text + str(busy[jonas].headers)
    assert str(attempt.pk) in busy[maria].text
