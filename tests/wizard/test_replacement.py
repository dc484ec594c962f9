"""A setup that replaces a failed node says so on each of its pages."""

import re

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes import trust
from setup_wizard.nodes.models import TrustedCertificate
from tests.attempts.attempt_rows import REQUEST, add_attempt
from tests.nodes.servers import Identity

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

BOX = "This setup replaces failed node 3 ( 127.0.0.4:9610 ) of redis-prod.example.com ."


@pytest.fixture
def failed(maria, created):
    """Node 3 of redis-prod.example.com, which does not answer any more."""
    return add_attempt(
        maria.user,
        "127.0.0.4:9610",
        action="join_cluster",
        request=REQUEST | {"action": "join_cluster"},
        node_uid="3",
        new_fingerprint=created.current_fingerprint,
    )


@pytest.fixture
def replacing(maria, created, failed, settings, fresh_node):
    """The first step, as the button of the failed node opens it."""
    settings.SETUP_WIZARD_NODES = [fresh_node.address, failed.address]
    maria.post(f"/setup/join/{created.pk}/", replaces="3")
    return maria


def test_the_first_step_names_node_address_and_cluster(replacing):
    assert BOX in replacing.text


def test_the_first_step_offers_only_to_join(replacing):
    options = re.findall(r'<input type="radio" name="action" value="(\w+)"', replacing.page.content.decode())

    assert options == ["join_cluster"]


def test_the_first_step_offers_the_free_nodes(replacing, fresh_node, failed):
    links = re.findall(r'<a href="([^"]+)">Use <code>([^<]+)</code>', replacing.page.content.decode())

    assert [node for _, node in links] == [fresh_node.address]
    replacing.open(links[0][0].replace("&amp;", "&"))
    assert replacing.fields["address"] == fresh_node.address
    assert BOX in replacing.text


def test_an_error_leaves_the_replacement_named(replacing, fresh_node):
    replacing.fill(address="nowhere!")

    assert replacing.page.status_code == 422
    assert BOX in replacing.text
    assert fresh_node.address in replacing.text


def test_every_later_step_names_the_replacement(replacing, fresh_node):
    replacing.fill(address=fresh_node.address)
    replacing.fill(fingerprints_match="on")
    assert replacing.url.endswith("/node/")
    assert BOX in replacing.text

    replacing.fill()
    assert replacing.url.endswith("/cluster/")
    assert BOX in replacing.text

    replacing.fill(password=PASSWORD)
    assert replacing.url.endswith("/review/")
    assert BOX in replacing.text


def test_without_an_id_nothing_is_replaced(replacing, fresh_node):
    replacing.fill(address=fresh_node.address)
    replacing.fill(fingerprints_match="on")

    replacing.fill(uid="")

    assert "This setup replaces" not in replacing.text


def test_a_member_that_does_not_answer_is_still_known(replacing, created, failed):
    trust.withdraw_approval(TrustedCertificate.objects.get(), by=replacing.user)  # so it is not asked as a member
    Attempt.objects.filter(pk=created.pk).update(fingerprint=Identity().certificate.fingerprint)
    Attempt.objects.filter(pk=failed.pk).update(new_fingerprint="")

    replacing.post(f"/setup/join/{created.pk}/", replaces="3")

    assert "This setup replaces failed node 3 of redis-prod.example.com ." in replacing.text
