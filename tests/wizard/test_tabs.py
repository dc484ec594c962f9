"""Two tabs with one draft cannot overwrite each other unnoticed."""

import pytest

from setup_wizard.attempts import vault
from setup_wizard.wizard import drafts, steps
from setup_wizard.wizard.models import Draft

from .conftest import PASSWORD, form_values

pytestmark = pytest.mark.django_db


@pytest.fixture
def node_step(maria, fresh_node):
    """The URL of the second step, and what an unchanged tab would send."""
    maria.approve(fresh_node)
    return maria.url, maria.fields


def send(maria, url, values):
    maria.page = maria.client.post(url, values, follow=True)
    return maria.page


def test_a_stale_post_changes_nothing_and_says_what_the_other_tab_saved(maria, node_step):
    url, tab = node_step
    send(maria, url, tab | {"rack_id": "rack-a"})
    before = maria.draft

    page = send(maria, url, tab | {"rack_id": "rack-b"})

    assert page.status_code == 422
    assert "another tab saved this step" in maria.text
    assert "Rack ID saved: rack-a here: rack-b" in maria.text
    assert "External addresses saved" not in maria.text
    assert maria.fields["rack_id"] == "rack-b"
    assert maria.draft.data == before.data
    assert maria.draft.version == before.version


def test_saving_again_overwrites(maria, node_step):
    url, tab = node_step
    send(maria, url, tab | {"rack_id": "rack-a"})
    page = send(maria, url, tab | {"rack_id": "rack-b"})

    send(maria, url, form_values(page.content.decode()))

    assert maria.draft.data["node"]["rack_id"] == "rack-b"
    assert maria.url.endswith("/cluster/")


def test_the_same_values_sent_twice_are_a_double_click(maria, node_step):
    url, tab = node_step
    send(maria, url, tab | {"rack_id": "rack-a"})
    version = maria.draft.version

    send(maria, url, tab | {"rack_id": "rack-a"})

    assert maria.url.endswith("/cluster/")
    assert maria.draft.version == version


def test_a_tab_without_a_version_is_stale(maria, node_step):
    url, tab = node_step
    send(maria, url, tab | {"rack_id": "rack-a"})

    page = send(maria, url, {**tab, "version": "", "rack_id": "rack-b"})

    assert page.status_code == 422
    assert maria.draft.data["node"]["rack_id"] == "rack-a"


def test_saving_another_step_is_no_conflict(maria, node_step):
    url, tab = node_step
    send(maria, url, tab)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    maria.open(url)
    tab = maria.fields
    maria.open(url.replace("/node/", "/cluster/"))
    maria.fill(name="redis-test.example.com")

    send(maria, url, tab | {"rack_id": "rack-a"})

    assert maria.page.status_code == 200
    assert maria.draft.data["node"]["rack_id"] == "rack-a"
    assert maria.draft.data["create"]["name"] == "redis-test.example.com"


def test_a_tab_about_another_node_is_stale(maria, node_step, second_node):
    url, tab = node_step
    maria.open(url.replace("/node/", "/action/"))
    maria.fill(address=second_node.address)
    maria.fill(fingerprints_match="on")

    page = send(maria, url, tab)

    assert page.status_code == 422
    assert "Persistent storage saved:" in maria.text
    assert "node" not in maria.draft.data


def test_an_unchanged_first_step_makes_no_other_tab_stale(maria, node_step):
    url, tab = node_step
    maria.open(url.replace("/node/", "/action/"))
    maria.fill()

    send(maria, url, tab | {"rack_id": "rack-a"})

    assert maria.url.endswith("/cluster/")
    assert maria.draft.data["node"]["rack_id"] == "rack-a"


def test_a_stale_password_replaces_none(maria, fresh_node):
    maria.to_cluster(fresh_node)
    url, tab = maria.url, maria.fields
    answers = {"name": "redis-prod.example.com", "username": "admin@example.com"}
    send(maria, url, tab | answers | {"password": PASSWORD, "password_again": PASSWORD})

    page = send(maria, url, tab | answers | {"password": "Another-one-8", "password_again": "Another-one-8"})

    assert page.status_code == 422
    assert "Password saved: another one, or none" in maria.text
    assert vault.open_for(maria.draft.pk).password.reveal() == PASSWORD


def test_the_same_password_sent_twice_is_a_double_click(maria, fresh_node):
    maria.to_cluster(fresh_node)
    url, tab = maria.url, maria.fields
    answers = {"name": "redis-prod.example.com", "username": "admin@example.com"}
    answers |= {"password": PASSWORD, "password_again": PASSWORD}
    send(maria, url, tab | answers)

    send(maria, url, tab | answers)

    assert maria.url.endswith("/review/")


def test_a_write_that_lost_the_race_is_a_conflict(maria, fresh_node):
    maria.approve(fresh_node)
    mine, other = (Draft.objects.get(pk=maria.draft.pk) for _ in range(2))
    form = steps.NODE.form(mine, maria.user, maria.fields | {"rack_id": "rack-b"})
    assert form.is_valid()
    drafts.save(other, "node", data={**other.data, "node": {"rack_id": "rack-a"}})

    assert form.save() is False
    assert form.differences
    assert Draft.objects.get(pk=mine.pk).data["node"] == {"rack_id": "rack-a"}
