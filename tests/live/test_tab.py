"""The title and the icon of the attempt page show its state."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.urls import reverse

from setup_wizard.attempts.states import Reason, State
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db

TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
ICON = re.compile(r'<link rel="icon" id="icon" href="/static/icons/(\w+)\.[0-9a-f]+\.svg"')
STATES = {
    "working": ({"state": State.IN_PROGRESS}, "Creating the cluster", "live"),
    "succeeded": ({"state": State.SUCCEEDED}, "Your cluster is up", "good"),
    "failed": ({"state": State.FAILED, "reason": Reason.NODE_RESET}, "Failed", "bad"),
    "waiting": ({"state": State.NEEDS_OPERATOR, "reason": Reason.OVERDUE}, "Action needed", "warn"),
    "cancelled": ({"state": State.CANCELLED, "reason": Reason.STOPPED}, "No longer watched", "warn"),
    "behind one": (
        {"state": State.QUEUED, "blocked_by": "10.0.0.6:9443", "blocker_needs_operator": True},
        "Waiting for 10.0.0.6:9443",
        "warn",
    ),
}


@pytest.fixture
def read(client, maria):
    client.force_login(maria)

    def get(name, attempt, **query):
        return client.get(reverse(f"live:{name}", args=[attempt.pk]), query).content.decode()

    return get


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["detail", "panel"])
def test_title_and_icon_show_the_state(read, maria, name, state):
    fields, headline, icon = STATES[state]
    attempt = add_attempt(maria, **fields)

    answer = read(name, attempt)

    assert [title.strip() for title in TITLE.findall(answer)] == [f"{headline} · 10.0.0.5:9443"]
    assert ICON.findall(answer) == [icon]
    assert finders.find(f"icons/{icon}.svg")


def test_a_new_panel_replaces_the_icon_in_the_head(read, maria):
    answer = read("panel", add_attempt(maria))

    assert answer.lstrip().startswith("<title>")  # htmx reads a title at the top of an answer only
    assert re.search(r'<link rel="icon" id="icon" [^>]*hx-swap-oob="true">', answer)


def test_the_whole_page_has_no_out_of_band_swaps(read, maria):
    assert "hx-swap-oob" not in read("detail", add_attempt(maria))


def test_other_pages_have_the_plain_icon(client, maria):
    client.force_login(maria)

    assert f'href="{static("icon.svg")}"' in client.get("/attempts/").content.decode()
