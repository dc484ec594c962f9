"""Only a certificate that was shown and confirmed is approved."""

import re
import shutil
import socket

import pytest

from setup_wizard.access.roles import Role, assign
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.reference_node.running import start_node

from .conftest import bootstrap, wait_for_state

pytestmark = pytest.mark.django_db

STRANGER = ":".join(["AB"] * 32)


def reinstall(node):
    """Give the node another certificate."""
    node.stop()
    shutil.rmtree(node.directory)
    node.directory.mkdir()
    node.restart()


def test_an_unchecked_certificate_is_not_approved(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    page = maria.fill(fingerprints_match=None)

    assert page.status_code == 422
    assert '<a href="#id_fingerprints_match">Compare the fingerprint with' in page.content.decode()
    assert not trust.approved(fresh_node.address)


def test_a_checkbox_counts_only_for_the_shown_certificate(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    page = maria.fill(fingerprints_match="on", fingerprint=STRANGER)

    assert page.status_code == 422
    assert "This page showed fingerprint AB:AB:AB:AB…, but" in maria.text
    assert "fingerprints_match" not in maria.fields
    assert not trust.approved(fresh_node.address)


def test_a_checkbox_without_a_fingerprint_approves_nothing(maria, fresh_node):
    maria.begin(fresh_node.address)

    maria.fill(action="create_cluster", fingerprints_match="on")

    assert maria.page.status_code == 422
    assert not trust.approved(fresh_node.address)


def test_a_certificate_changed_before_the_post_is_not_approved(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.begin(node.address)
        maria.fill(action="create_cluster")
        before = probe(Address.parse(node.address)).certificate.fingerprint
        reinstall(node)

        page = maria.fill(fingerprints_match="on")

        now = probe(Address.parse(node.address)).certificate.fingerprint
        assert now != before
        assert page.status_code == 422
        assert f"showed fingerprint {before[:11]}…, but {node.address} has {now[:11]}… now" in maria.text
        assert not trust.approved(node.address)
        maria.fill(fingerprints_match="on")
        assert trust.is_approved(node.address, now)


def test_an_approved_certificate_says_who_approved_it(maria, ben, fresh_node):
    maria.approve(fresh_node)

    ben.begin(fresh_node.address)
    ben.fill(action="create_cluster")

    assert ben.url.endswith("/node/")
    ben.open(f"/setup/{ben.draft.pk}/action/")
    assert "Approved by maria on" in ben.text
    assert "fingerprints_match" not in ben.fields


def test_review_blocks_a_node_whose_certificate_changed(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.to_review(node)
        reinstall(node)

        maria.check_again()

        assert "certificate has changed since it was compared." in maria.text
        page = maria.start()
        assert page.status_code == 422
        assert node.accepted() == []


def test_a_member_cannot_be_set_up(maria, member):
    maria.begin(member.address)

    maria.fill(action="create_cluster")

    assert maria.page.status_code == 422
    assert "In a cluster" in maria.text
    assert "is already in a cluster. Choose a fresh node." in maria.text
    assert not trust.approved(member.address)


def test_a_busy_node_cannot_be_set_up(maria, tmp_path):
    with start_node(tmp_path / "node", pace=30) as node:
        bootstrap(node, "create_cluster", {"cluster": {"name": "redis-prod.example.com"}})
        maria.begin(node.address)

        maria.fill(action="create_cluster")

        assert maria.page.status_code == 422
        assert "is running a bootstrap that was not started here" in maria.text


def test_a_failed_node_shows_why_and_asks_for_confirmation(maria, failed_node):
    wait_for_state(failed_node, "error")
    maria.begin(failed_node.address)
    maria.fill(action="create_cluster")
    assert "Ready; last setup failed" in maria.text
    assert "A path cannot be used" in maria.text
    assert "/proc/nowhere" not in maria.text  # the node's own message

    maria.fill(fingerprints_match="on")
    assert maria.page.status_code == 422
    assert "Read why, then confirm it." in maria.text

    maria.fill(read_failure="on")
    assert maria.url.endswith("/node/")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the address of the node to set up"),
        ("https://10.0.0.5:9443/", "Remove https://"),
        ("127.0.0.1:1", "Cannot connect to 127.0.0.1:1"),
        ("8.8.8.8", "is not allowed"),
    ],
)
def test_a_wrong_address_is_explained_at_its_field(maria, typed, said):
    maria.begin("")

    page = maria.fill(action="create_cluster", address=typed)

    assert page.status_code == 422
    assert said in maria.text
    assert '<a href="#id_address">' in page.content.decode()
    assert maria.fields["address"] == typed


@pytest.mark.usefixtures("one_minute")
def test_probes_of_unknown_nodes_are_limited(maria, settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 2
    maria.begin("")
    for _ in range(2):
        maria.fill(action="create_cluster", address="127.0.0.1:1")

    maria.fill(action="create_cluster", address="127.0.0.1:1")

    assert "The limit is 2 checks of new nodes per minute for each user." in maria.text


def test_probes_of_approved_nodes_are_not_limited(maria, fresh_node, settings):
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

    assert "The limit is 2 checks of new nodes per minute for each user." in maria.text
    assert asked == ["no-such-node-0.example.com", "no-such-node-1.example.com"]


def test_an_approval_leads_administrators_to_withdrawing_it(maria, fresh_node):
    maria.approve(fresh_node)
    approval = trust.approved(fresh_node.address)[0]
    first_step = f"/setup/{maria.draft.pk}/action/"
    link = f'href="/admin/nodes/trustedcertificate/{approval.pk}/change/#withdraw"'
    of_operator = maria.open(first_step).content.decode()
    assign(maria.user, Role.ADMINISTRATOR)

    page = maria.open(first_step).content.decode()

    assert link not in of_operator
    assert link in page


def test_review_leads_to_the_step_that_compares_a_withdrawn_certificate(maria, fresh_node):
    maria.to_review(fresh_node)
    trust.withdraw(fresh_node.address, by=maria.user)

    page = maria.check_again().content.decode()

    assert re.search(
        r'The node&#x27;s certificate is not approved\. Compare it in step 1\. <a href="[^"]+/action/[^"]*">', page
    )
    assert "tick the box" not in page.partition('id="checks"')[2].partition("</section>")[0]
    maria.open(re.search(r'Compare it in step 1\. <a href="([^"#]+)', page)[1])
    assert "The fingerprints match" in maria.text
