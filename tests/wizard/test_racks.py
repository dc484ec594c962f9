"""Rack awareness: chosen on a create, with a rack for the first node."""

import pytest

from setup_wizard.attempts.explanations import RACK_AWARENESS
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.bootstrap.request import InvalidRequest, parse_request
from setup_wizard.clusters import inventory

from .conftest import PASSWORD
from .test_join_checks import press

pytestmark = pytest.mark.django_db

CREATE = {
    "action": "create_cluster",
    "cluster": {"name": "redis-prod.example.com"},
    "policy": {"rack_aware": True},
}


def test_a_rack_aware_cluster_is_sent_and_reviewed(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(rack_aware="on", rack_id="rack-a")
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)

    assert "Rack-aware cluster yes" in maria.text
    assert "Rack ID rack-a" in maria.text
    maria.start()
    sent = Attempt.objects.get().request
    assert sent["policy"] == {"rack_aware": True}
    assert sent["node"]["identity"]["rack_id"] == "rack-a"


def test_a_rack_aware_cluster_needs_the_rack_of_its_first_node(maria, fresh_node):
    maria.approve(fresh_node)

    page = maria.fill(rack_aware="on")

    assert page.status_code == 422
    assert '<a href="#id_rack_id">Every node of a rack-aware cluster needs a rack ID.' in page.content.decode()
    assert maria.fields["rack_aware"] == "on"
    maria.fill(rack_id="rack-a")
    assert maria.url.endswith("/cluster/")


def test_the_request_of_a_rack_aware_cluster_needs_a_rack():
    with pytest.raises(InvalidRequest) as refused:
        parse_request(CREATE, credentials_required=False)

    assert list(refused.value.fields) == ["node.identity.rack_id"]


def test_unticking_sends_no_policy(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(rack_aware="on", rack_id="rack-a")
    maria.open(f"/setup/{maria.draft.pk}/node/")

    maria.fill(rack_aware=None)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    maria.start()

    assert "policy" not in Attempt.objects.get().request


def test_a_rack_without_rack_awareness_can_be_fixed_on_review(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(rack_id="rack-a")
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    assert "rack-a has no effect until the cluster is rack-aware." in maria.text

    press(maria, "Make the cluster rack-aware")

    assert "has no effect" not in maria.text
    assert "Rack-aware cluster yes" in maria.text
    maria.start()
    assert Attempt.objects.get().request["policy"] == {"rack_aware": True}


def test_another_node_keeps_the_choice_for_the_cluster(maria, fresh_node, second_node):
    maria.approve(fresh_node)
    maria.fill(rack_aware="on", rack_id="rack-a")
    maria.open(f"/setup/{maria.draft.pk}/action/")
    maria.fill(address=second_node.address)

    maria.fill(fingerprints_match="on")

    assert maria.url.endswith("/node/")
    assert maria.fields["rack_aware"] == "on"
    assert maria.fields["rack_id"] == ""
    maria.fill(rack_aware=None)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    maria.start()
    assert "policy" not in Attempt.objects.get().request


@pytest.mark.parametrize("action", ["join_cluster", "recover_cluster"])
def test_only_a_create_asks_for_rack_awareness(maria, fresh_node, action):
    maria.approve(fresh_node, action)

    assert "rack_aware" not in maria.page.content.decode()
    assert "Rack ID (optional)" in maria.text


@pytest.fixture
def asked_for(created):
    """The attempt that created redis-prod.example.com, which asked for rack awareness."""
    identity = {"addr": "127.0.0.2", "rack_id": "rack-a"}
    sent = created.request | {"policy": {"rack_aware": True}, "node": {"identity": identity}}
    Attempt.objects.filter(pk=created.pk).update(request=sent)
    return created


def join(maria, fresh_node, created):
    """Go to the rack of a node that joins the cluster."""
    maria.post(f"/setup/join/{created.pk}/", address=fresh_node.address)
    maria.fill()
    maria.fill(fingerprints_match="on")
    assert maria.url.endswith("/node/")


def add_reading(attempt, rack_aware):
    """Add what the cluster said about its rack awareness at the end of its creation."""
    Event.objects.create(attempt=attempt, seq=2, kind=RACK_AWARENESS, data={"rack_aware": rack_aware})


def test_join_names_the_racks_of_a_rack_aware_cluster(maria, fresh_node, asked_for):
    add_reading(asked_for, rack_aware=True)

    join(maria, fresh_node, asked_for)

    assert "redis-prod.example.com is rack-aware, so each node needs a rack ID" in maria.text
    assert "Used so far: rack-a ." in maria.text  # the code tags leave a blank
    assert "Rack ID (optional)" not in maria.text


def test_join_knows_that_rack_awareness_was_turned_on_after_the_setup(maria, fresh_node, asked_for):
    add_reading(asked_for, rack_aware=False)
    inventory.note_rack_awareness([asked_for])

    join(maria, fresh_node, asked_for)

    assert "redis-prod.example.com is rack-aware, so each node needs a rack ID" in maria.text
    assert "did not confirm it" not in maria.text


@pytest.mark.parametrize("said", [False, None])
def test_join_says_that_rack_awareness_was_not_confirmed(maria, fresh_node, asked_for, said):
    add_reading(asked_for, rack_aware=said)

    join(maria, fresh_node, asked_for)

    assert "Rack awareness was requested for redis-prod.example.com, but the cluster did not confirm it." in maria.text
    assert "is rack-aware" not in maria.text
    assert "Used so far: rack-a ." in maria.text


def test_join_of_another_cluster_leaves_the_rack_optional(maria, fresh_node, created):
    join(maria, fresh_node, created)

    assert "Rack ID (optional)" in maria.text
