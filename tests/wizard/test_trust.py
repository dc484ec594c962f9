"""No certificate is approved that was not shown, compared and ticked."""

import shutil
import socket

import pytest

from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.reference_node.running import start_node

from .conftest import bootstrap, wait_for_state

pytestmark = pytest.mark.django_db

STRANGER = ":".join(["AB"] * 32)


def test_an_unticked_certificate_is_not_approved(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    page = maria.fill(same=None)

    assert page.status_code == 422
    assert '<a href="#id_same">Compare the certificate of' in page.content.decode()
    assert not trust.approved(fresh_node.address)


def test_a_tick_counts_only_for_the_certificate_that_was_shown(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    page = maria.fill(same="on", fingerprint=STRANGER)

    assert page.status_code == 422
    assert "shows another certificate now than the one this page showed: AB:AB:AB:AB… before" in maria.text
    assert "same" not in maria.fields
    assert not trust.approved(fresh_node.address)


def test_a_tick_without_the_fingerprint_that_was_shown_approves_nothing(maria, fresh_node):
    maria.begin(fresh_node.address)

    maria.fill(action="create_cluster", same="on")

    assert maria.page.status_code == 422
    assert not trust.approved(fresh_node.address)


def test_a_certificate_that_changes_between_page_and_post_is_compared_again(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.begin(node.address)
        maria.fill(action="create_cluster")
        before = probe(Address.parse(node.address)).certificate.fingerprint
        node.stop()
        shutil.rmtree(node.directory)
        node.directory.mkdir()
        node.restart()

        page = maria.fill(same="on")

        now = probe(Address.parse(node.address)).certificate.fingerprint
        assert now != before
        assert page.status_code == 422
        assert f"{before[:11]}… before, {now[:11]}… now" in maria.text
        assert not trust.approved(node.address)
        maria.fill(same="on")
        assert trust.is_approved(node.address, now)


def test_an_approved_certificate_asks_for_no_tick_and_says_who_approved_it(maria, ben, fresh_node):
    maria.approve(fresh_node)

    ben.begin(fresh_node.address)
    ben.fill(action="create_cluster")

    assert ben.url.endswith("/node/")
    ben.open(f"/setup/{ben.draft.pk}/action/")
    assert "Approved by maria on" in ben.text
    assert "same" not in ben.fields


def test_the_review_stops_a_node_whose_certificate_changed(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.to_review(node)
        node.stop()
        shutil.rmtree(node.directory)
        node.directory.mkdir()
        node.restart()

        maria.open(maria.url)

        assert "The node shows another certificate than the one that was compared." in maria.text
        page = maria.start()
        assert page.status_code == 422
        assert node.accepted() == []


def test_a_member_is_named_and_cannot_be_set_up(maria, member):
    maria.begin(member.address)

    maria.fill(action="create_cluster")

    assert maria.page.status_code == 422
    assert "Already part of a cluster" in maria.text
    assert "a node cannot be set up twice" in maria.text
    assert not trust.approved(member.address)


def test_a_busy_node_is_named_and_cannot_be_set_up(maria, tmp_path):
    with start_node(tmp_path / "node", pace=30) as node:
        bootstrap(node, "create_cluster", {"cluster": {"name": "redis-prod.example.com"}})
        maria.begin(node.address)

        maria.fill(action="create_cluster")

        assert maria.page.status_code == 422
        assert "is at work on a bootstrap that was not started here" in maria.text


def test_a_node_that_failed_shows_why_and_asks_whether_that_was_read(maria, failed_node):
    wait_for_state(failed_node, "error")
    maria.begin(failed_node.address)
    maria.fill(action="create_cluster")
    assert "Free, but its last setup failed" in maria.text
    assert "A path cannot be used" in maria.text
    assert "/proc/nowhere" not in maria.text  # these are the words of the node

    maria.fill(same="on")
    assert maria.page.status_code == 422
    assert "Read why, then tick that you want to go on." in maria.text

    maria.fill(again="on")
    assert maria.url.endswith("/node/")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the address of the node to set up"),
        ("https://10.0.0.5:9443/", "Remove https://"),
        ("admin@10.0.0.5", "Remove the user name and the @"),
        ("10.0.0.5:99999", "a number from 1 to 65535"),
        ("127.0.0.1:1", "Cannot connect to 127.0.0.1:1"),
        ("169.254.169.254", "is not allowed"),
        ("8.8.8.8", "is not allowed"),
        ("2130706433", "four numbers from 0 to 255"),
    ],
)
def test_a_wrong_address_is_explained_beside_its_field(maria, typed, said):
    maria.begin("")

    page = maria.fill(action="create_cluster", address=typed)

    assert page.status_code == 422
    assert said in maria.text
    assert '<a href="#id_address">' in page.content.decode()
    assert maria.fields["address"] == typed


@pytest.mark.usefixtures("one_minute")
def test_strange_nodes_are_asked_so_often_and_no_more(maria, settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 2
    maria.begin("")
    for _ in range(2):
        maria.fill(action="create_cluster", address="127.0.0.1:1")

    maria.fill(action="create_cluster", address="127.0.0.1:1")

    assert "Too many checks: 2 within a minute." in maria.text


def test_approved_nodes_may_be_asked_as_often_as_one_likes(maria, fresh_node, settings):
    maria.approve(fresh_node)
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 0

    maria.open(f"/setup/{maria.draft.pk}/action/")
    maria.fill()

    assert maria.url.endswith("/node/")


def test_a_name_is_counted_before_it_is_looked_up(maria, settings, monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: asked.append(host) or [])
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 2
    maria.begin("")

    for number in range(5):
        maria.fill(action="create_cluster", address=f"no-such-node-{number}.example.com")

    assert "Too many checks: 2 within a minute." in maria.text
    assert asked == ["no-such-node-0.example.com", "no-such-node-1.example.com"]
