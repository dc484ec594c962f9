"""Start makes one attempt, and refuses a node that another attempt has."""

import pytest

from setup_wizard.access.models import RequestCount
from setup_wizard.attempts import engine
from setup_wizard.attempts.models import Attempt
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("one_minute")
def test_start_clicked_too_often_waits_and_keeps_input(maria, fresh_node, settings):
    settings.SETUP_WIZARD_STARTS_PER_MINUTE = 1
    maria.to_review(fresh_node)
    engine.count_start(maria.user)

    page = maria.start()
    RequestCount.objects.update(minute=0)  # the minute is over
    later = maria.start()

    assert page.status_code == 429
    assert "The limit is 1 setups per minute for each user" in page.text
    assert "A check below failed" not in page.text
    assert later["Location"] == f"/attempts/{Attempt.objects.get().pk}/"


def test_a_started_setup_leads_to_its_attempt(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk
    maria.start()

    attempt = Attempt.objects.get()
    for step in ("action", "node", "cluster", "review"):
        answers = maria.client.get(f"/setup/{draft}/{step}/"), maria.client.post(f"/setup/{draft}/{step}/")
        assert [answer["Location"] for answer in answers] == [f"/attempts/{attempt.pk}/"] * 2


def test_start_links_to_the_attempt_that_has_the_node(maria, ben, fresh_node):
    maria.to_review(fresh_node)
    ben.to_review(fresh_node)
    maria.start()
    attempt = Attempt.objects.get()

    page = ben.start()

    assert page.status_code == 422
    assert "maria is setting up" in ben.text
    assert f'href="/attempts/{attempt.pk}/"' in page.content.decode()
    assert Attempt.objects.count() == 1


def test_a_running_setup_blocks_the_first_step(maria, ben, fresh_node):
    maria.to_review(fresh_node)
    maria.start()

    ben.begin(fresh_node.address)
    ben.fill(action="create_cluster")

    assert ben.page.status_code == 422
    assert "maria is already setting up" in ben.text
    assert f'href="/attempts/{Attempt.objects.get().pk}/"' in ben.page.content.decode()


def test_review_shows_the_request_without_the_password(maria, fresh_node):
    maria.to_review(fresh_node)

    assert '"password": "********"' in maria.text
    assert '"username": "admin@example.com"' in maria.text
    assert '"name": "redis-prod.example.com"' in maria.text


def test_the_review_links_each_answer_to_its_field(maria, fresh_node):
    maria.to_review(fresh_node)

    page = maria.page.content.decode()

    draft = maria.draft.pk
    for step, field in (
        ("action", "address"),
        ("node", "persistent_path"),
        ("cluster", "name"),
        ("cluster", "password"),
    ):
        assert f'href="/setup/{draft}/{step}/?from=review#id_{field}"' in page


def test_a_node_that_went_away_blocks_start(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.to_review(node)
        node.stop()

        maria.check_again()
        page = maria.start()

    assert f"Cannot connect to {node.address}" in maria.text
    assert page.status_code == 422
    assert not Attempt.objects.exists()
