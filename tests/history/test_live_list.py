"""The list and the home page refresh by themselves while they are open."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.access.sessions import ACTIVE_AT
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(client, maria):
    client.force_login(maria)

    def get(url):
        answer = client.get(url)
        return answer.status_code, answer.content.decode(), answer

    return get


def refresh_url(page, of):
    """The URL from which this part of the page refreshes."""
    tag = re.search(rf'<div[^>]*id="{of}"[^>]*>', page)[0]
    assert 'hx-trigger="sse:changed, sse:auth, poll"' in tag
    return re.search(r'hx-get="([^"]+)"', tag)[1].replace("&amp;", "&")


PAGES = [("/attempts/", "results"), ("/setup/", "open-setups")]


@pytest.mark.parametrize(("url", "part"), PAGES)
class TestBoth:
    def test_an_attempt_that_ends_changes_the_list(self, at, maria, url, part):
        attempt = add_attempt(maria, state=State.IN_PROGRESS)
        asked = refresh_url(at(url)[1], part)
        Attempt.objects.filter(pk=attempt.pk).update(state=State.SUCCEEDED, last_seq=2)

        status, answer, _ = at(asked)

        assert status == 200
        assert "In progress" not in answer
        assert f'id="{part}"' in answer

    def test_an_attempt_that_starts_changes_the_list(self, at, maria, url, part):
        add_attempt(maria)
        asked = refresh_url(at(url)[1], part)
        add_attempt(maria, "10.0.0.77:9443", state=State.QUEUED)

        status, answer, _ = at(asked)

        assert (status, "10.0.0.77:9443" in answer) == (200, True)

    def test_refreshing_keeps_no_session_alive(self, at, client, maria, url, part):
        asked = refresh_url(at(url)[1], part)
        session = client.session
        session[ACTIVE_AT] = session[ACTIVE_AT] - 100
        session.save()

        at(asked)

        assert client.session[ACTIVE_AT] == session[ACTIVE_AT]

    def test_new_rows_refresh_from_their_own_version(self, at, maria, url, part):
        attempt = add_attempt(maria, state=State.QUEUED)
        asked = refresh_url(at(url)[1], part)
        Attempt.objects.filter(pk=attempt.pk).update(state=State.IN_PROGRESS, last_seq=2)

        newer = refresh_url(at(asked)[1], part)

        assert newer != asked
        assert at(newer)[:2] == (204, "")


def test_a_refreshed_list_keeps_filters_order_and_page(at, maria):
    for number in range(30):
        add_attempt(maria, f"10.0.1.{number}:9443")
    add_attempt(maria, "10.0.0.9:9443", action="join_cluster")
    place = Attempt.objects.get(address="10.0.1.12:9443")
    asked = f"action=create_cluster&sort=node&after={place.pk}"
    page = at(f"/attempts/?{asked}")[1]
    url = refresh_url(page, "results")
    Attempt.objects.filter(address="10.0.1.20:9443").update(last_seq=5)

    answer = at(url)[1]

    rows = re.findall(r"<tr><td><a [^>]*>([\d.]+):", answer)
    assert rows == re.findall(r"<tr><td><a [^>]*>([\d.]+):", page)
    assert "10.0.0.9" not in rows
    assert asked in refresh_url(answer, "results")
    assert "HX-Push-Url" not in at(url)[2].headers


def test_a_refreshed_list_updates_the_count_beside_the_form(at, maria):
    add_attempt(maria)
    url = refresh_url(at("/attempts/")[1], "results")
    add_attempt(maria, "10.0.0.6:9443")

    assert re.search(r'<span id="count"[^>]*hx-swap-oob="innerHTML"[^>]*>2 attempts</span>', at(url)[1])


def test_an_empty_list_reloads_the_page_at_the_first_attempt(at, maria):
    url = refresh_url(at("/attempts/")[1], "results")
    assert at(url)[0] == 204
    add_attempt(maria)

    assert at(url)[2].headers["HX-Refresh"] == "true"


def test_every_link_of_a_row_has_an_id(at, maria):
    """The script restores the focus by id."""
    attempt = add_attempt(maria)

    page = at("/attempts/")[1]

    results = page[page.index('id="results"') :]
    assert all(' id="' in link for link in re.findall(r"<a [^>]*>", results[: results.index("</table>")]))
    assert f'id="a-{attempt.pk.hex[:8]}" href="/attempts/{attempt.pk}/"' in results


def test_the_home_page_checks_nodes_again_after_a_change(at, maria, settings):
    settings.SETUP_WIZARD_NODES = ["10.0.0.5:9443"]
    page = at("/setup/")[1]
    assert 'hx-trigger="load, setups from:body"' in page
    url = refresh_url(page, "open-setups")
    add_attempt(maria, state=State.QUEUED)

    assert at(url)[2].headers["HX-Trigger"] == "setups"


def test_attempts_of_others_change_nothing_for_an_operator_limited_to_own(at, client, maria, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    jonas = assign(User.objects.create_user("jonas"), Role.OPERATOR)
    urls = [refresh_url(at(page)[1], part) for page, part in PAGES]

    add_attempt(jonas, state=State.QUEUED)

    assert [at(url)[0] for url in urls] == [204, 204]


def test_refreshing_needs_a_sign_in(client, maria):
    add_attempt(maria, state=State.QUEUED)

    for name in ("history:rows", "wizard:open"):
        assert client.get(reverse(name)).status_code == 302
