"""The review page of a join shows what its cluster says, and offers the change that fixes a check."""

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.models import Attempt, PreflightResult
from setup_wizard.attempts.preflight import title_of
from tests.attempts.real_clusters import make_cluster, nodes_of_one_port, overlay
from tests.reference_node.conftest import MARIA

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shared_nodes(tmp_path_factory):
    with nodes_of_one_port(tmp_path_factory.mktemp("nodes")) as start:
        yield make_cluster(start), start("127.0.0.9")


@pytest.fixture
def cluster(shared_nodes):
    """A rack-aware cluster of three; no test may change it."""
    for node in shared_nodes[0]:
        node.put_faults()
    return shared_nodes[0]


@pytest.fixture
def to_review(maria, cluster, shared_nodes):
    """Fill in the steps of a join; `node` are answers of the second step."""

    def fill(password=MARIA[1], **node):
        maria.approve(shared_nodes[1], "join_cluster")
        maria.fill(**node)
        maria.fill(members="127.0.0.2", port=str(cluster[0].port), username=MARIA[0], password=password)
        maria.fill(member_fingerprints_match="on")
        assert maria.url.endswith("/review/"), maria.text
        return maria

    return fill


def press(browser, label):
    """Press the button of a remedy."""
    markup = browser.page.content.decode()
    forms = re.findall(r'<form method="post" action="([^"]*/remedy/)">(.*?)</form>', markup, re.DOTALL)
    for url, form in forms:
        values = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
        if values.get("label") == label:
            values.pop("csrfmiddlewaretoken", None)
            return browser.post(url, **values)
    raise AssertionError(f"no button {label}: {[re.sub('<[^>]+>', '', form) for _, form in forms]}")


def test_review_shows_the_racks_in_use_and_joins_in_the_chosen_one(to_review):
    maria = to_review()
    assert "is rack-aware, so this node needs a rack, best a new one." in maria.text
    assert "Racks in use: rack-a, rack-b and rack-c." in maria.text
    assert "Join in a new rack" in maria.text

    press(maria, "Join in rack-b")
    maria.open(f"/setup/{maria.draft.pk}/review/")

    assert "rack-b is in use already" in maria.text
    assert maria.start().status_code == 302
    assert Attempt.objects.get().request["node"]["identity"]["rack_id"] == "rack-b"


def unmentioned(maria):
    """The checks that ended without a word on the page."""
    ended = PreflightResult.objects.all()
    return [
        each.name
        for each in ended
        if (each.message.replace("`", "") or title_of(each.name)).split(".")[0] not in maria.text
    ]


def test_review_of_a_join_in_a_new_rack_passes(to_review):
    maria = to_review(rack_id="rack-d")

    assert "rack-d is a new rack of redis-prod.example.com." in maria.text
    assert "Nothing to report: " in maria.text
    assert not unmentioned(maria)
    assert maria.start().status_code == 302


def test_review_finds_a_wrong_password(to_review, cluster):
    maria = to_review(password="Wrong-horse-8-battery", rack_id="rack-d")

    assert f"The cluster refused {MARIA[0]} with this password." in maria.text
    assert maria.start("sign_in").status_code == 422
    assert not unmentioned(maria)
    refused = [line for line in cluster[0].requests() if line["authorization"] and not line["signed_in"]]
    assert len(refused) == 1


def test_review_stops_a_join_of_a_busy_cluster_until_it_is_idle(to_review, cluster):
    cluster[0].put_faults(overlay("/v1/actions", {"actions": [{"name": "migrate_shard", "status": "running"}]}))
    maria = to_review(rack_id="rack-d")
    assert "is busy: it runs migrate_shard." in maria.text
    assert maria.start("cluster_busy").status_code == 422

    cluster[0].put_faults()
    maria.check_again()

    assert "is not busy." in maria.text
    assert maria.start().status_code == 302


def test_review_stops_the_replacement_of_a_node_that_is_alive(to_review):
    maria = to_review(uid="2")

    assert "Only a node that is down can be replaced." in maria.text
    assert maria.start("replaced_node").status_code == 422
    assert not Attempt.objects.exists()

    press(maria, "Join as a new node")
    maria.open(f"/setup/{maria.draft.pk}/review/")

    assert "is rack-aware, so this node needs a rack" in maria.text


def test_review_asks_twice_before_a_node_is_replaced(to_review, cluster):
    cluster[1].stop()
    try:
        maria = to_review(uid="2")
        once = maria.text
        first = PreflightResult.objects.get(name="replaced_node")
        down_since = (timezone.now() - timedelta(seconds=61)).isoformat()
        PreflightResult.objects.filter(pk=first.pk).update(data=first.data | {"down_since": down_since})
        maria.check_again()
    finally:
        cluster[1].restart()

    assert "is down. It may only be restarting: check again after" in once
    assert "Start anyway" in once
    assert "The old machine is off and will be reinstalled" in maria.text
    assert maria.start().status_code == 422
    maria.open(f"/setup/{maria.draft.pk}/review/")


def test_review_overrides_the_rack_of_a_replaced_node(to_review, cluster):
    cluster[1].stop()
    try:
        maria = to_review(uid="2", rack_id="rack-d")
        assert "To replace it in rack-d, the rack has to be overridden." in maria.text
        press(maria, "Override with rack-d")
        maria.open(f"/setup/{maria.draft.pk}/review/")
        assert maria.start("replaced_node").status_code == 302
    finally:
        cluster[1].restart()

    identity = Attempt.objects.get().request["node"]["identity"]
    assert (identity["uid"], identity["rack_id"], identity["override_rack_id"]) == (2, "rack-d", True)


def test_review_offers_the_addresses_that_the_cluster_lists(to_review, cluster):
    cluster[0].put_faults(overlay("/v1/nodes", {"1": {"addr": "127.0.0.8"}}))
    maria = to_review(rack_id="rack-d")
    assert "redis-prod.example.com does not list 127.0.0.2." in maria.text

    press(maria, "Use 127.0.0.8, 127.0.0.3 and 127.0.0.4")

    assert maria.draft.values("join")["members"] == ["127.0.0.8", "127.0.0.3", "127.0.0.4"]
