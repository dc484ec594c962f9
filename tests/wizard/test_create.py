"""A cluster is created without JavaScript."""

import pytest

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_the_node_is_described_before_its_approval(maria, fresh_node):
    maria.begin(fresh_node.address)

    page = maria.fill(action="create_cluster")

    assert page.status_code == 422
    assert "Ready to set up" in maria.text
    assert "Memory" in maria.text
    assert "Cores" in maria.text
    assert f"openssl s_client -connect {fresh_node.address}" in maria.text
    assert "Compare the fingerprint with" in maria.text


def test_a_cluster_is_created_without_a_script(maria, fresh_node):
    maria.approve(fresh_node)
    assert maria.url.endswith("/node/")

    maria.fill()
    assert maria.url.endswith("/cluster/")

    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    assert maria.url.endswith("/review/")
    assert "redis-prod.example.com" in maria.text

    draft = maria.draft
    page = maria.start()

    attempt = Attempt.objects.get()
    assert page.status_code == 302
    assert page["Location"] == f"/attempts/{attempt.pk}/"
    assert attempt.address == fresh_node.address
    assert attempt.requested_by == maria.user
    assert attempt.request["cluster"]["name"] == "redis-prod.example.com"
    assert attempt.request["node"]["paths"]["persistent_path"] == draft.data["node"]["persistent_path"]
    assert attempt.request["node"]["identity"]["addr"] == "127.0.0.1"


def test_the_new_certificate_is_trusted_only_when_checked(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    maria.fill(fingerprints_match="on", accept_new_certificate="on")

    assert maria.draft.accept_new_certificate is True
    maria.open(f"/setup/{maria.draft.pk}/action/")
    maria.fill(accept_new_certificate=None)
    assert maria.draft.accept_new_certificate is False


def test_back_keeps_every_value(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk

    maria.open(f"/setup/{draft}/node/")
    maria.fill(persistent_path="/var/opt/elsewhere", rack_id="rack-a")
    maria.open(f"/setup/{draft}/cluster/")
    kept = maria.fields
    maria.open(f"/setup/{draft}/node/")

    assert maria.fields["persistent_path"] == "/var/opt/elsewhere"
    assert maria.fields["rack_id"] == "rack-a"
    assert kept["name"] == "redis-prod.example.com"
    assert kept["username"] == "admin@example.com"
    assert kept["password"] == ""


@pytest.mark.parametrize("step", ["node", "cluster", "review"])
def test_a_link_to_a_later_step_opens_the_first_incomplete_one(maria, fresh_node, step):
    draft = maria.add_incomplete_draft(fresh_node.address)

    maria.open(f"/setup/{draft.pk}/{step}/")

    assert maria.url.endswith("/action/")


def test_a_post_to_a_later_step_changes_nothing(maria, fresh_node):
    draft = maria.add_incomplete_draft(fresh_node.address)

    maria.post(f"/setup/{draft.pk}/node/", version="1", persistent_path="/a", ephemeral_path="/b", addr="10.0.0.5")
    maria.post(f"/setup/{draft.pk}/review/")

    draft.refresh_from_db()
    assert draft.data == {}
    assert not Attempt.objects.exists()


def test_an_address_unknown_to_the_node_can_be_typed(maria, fresh_node):
    maria.approve(fresh_node)

    maria.fill(addr="other", other_addr="")
    assert "Enter the internal address." in maria.text

    maria.fill(addr="other", other_addr="10.0.0.7")
    assert maria.draft.data["node"]["addr"] == "10.0.0.7"

    maria.open(f"/setup/{maria.draft.pk}/node/")
    assert maria.fields["addr"] == "other"
    assert maria.fields["other_addr"] == "10.0.0.7"


def test_an_error_is_shown_at_its_field_and_no_input_is_lost(maria, fresh_node):
    maria.to_cluster(fresh_node)

    page = maria.fill(name="redis", username="admin@example.com", password=PASSWORD)

    assert page.status_code == 422
    assert '<a href="#id_name">redis has no domain.' in page.content.decode()
    assert maria.fields["name"] == "redis"
    assert maria.fields["username"] == "admin@example.com"
    assert "Stored, entered now" in maria.text
    maria.fill(name="redis-prod.example.com")
    assert maria.url.endswith("/review/")


def test_another_node_does_not_get_the_paths_of_the_first(maria, fresh_node, second_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk

    maria.open(f"/setup/{draft}/action/")
    maria.fill(address=second_node.address)
    maria.fill(fingerprints_match="on")

    assert maria.url.endswith("/node/")
    assert maria.fields["persistent_path"].startswith(str(second_node.directory))
    assert maria.fields["addr"] == "127.0.0.1"
    assert "From the node" in maria.text
    maria.open(f"/setup/{draft}/review/")
    assert maria.url.endswith("/node/")


def test_discard_deletes_the_draft_and_its_password(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk
    assert vault.expires_at(draft)

    maria.post(f"/setup/{draft}/discard/")

    assert maria.url == "/setup/"
    assert vault.expires_at(draft) is None
    assert maria.open(f"/setup/{draft}/node/").status_code == 404
