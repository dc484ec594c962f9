"""Which nodes count as members of a cluster: a withdrawn approval removes a node only with its own certificate."""

import pytest
from django.contrib.auth.models import User

from setup_wizard.attempts.cluster_members import attempts_of_members, replacement_of, set_up_addresses
from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.trust import approve, withdraw, withdraw_approval
from tests.attempts.attempt_rows import add_attempt
from tests.nodes.servers import Identity

pytestmark = pytest.mark.django_db

NODE = Endpoint(Address("10.0.0.5"), "10.0.0.5", 9443)


@pytest.fixture
def maria():
    return User.objects.create_user("maria")


@pytest.fixture
def before(maria):
    """The approval of the certificate that the node had before its bootstrap."""
    return approve(NODE, Identity().certificate, by=maria)


@pytest.fixture
def certificate():
    """The certificate that its bootstrap made."""
    return Identity().certificate


@pytest.fixture
def since(maria, certificate):
    return approve(NODE, certificate, by=maria)


@pytest.fixture
def member(maria, before, since):
    return add_attempt(maria, NODE.key, fingerprint=before.fingerprint, new_fingerprint=since.fingerprint)


def test_the_old_certificate_of_a_member_can_be_withdrawn(maria, member, before):
    withdraw_approval(before, by=maria)

    assert list(attempts_of_members()) == [member]


def test_another_certificate_at_its_address_can_be_withdrawn(maria, member):
    withdraw_approval(approve(NODE, Identity().certificate, by=maria), by=maria)

    assert list(attempts_of_members()) == [member]


def test_a_node_whose_certificate_is_withdrawn_is_no_member(maria, member, since):
    withdraw_approval(since, by=maria)

    assert list(attempts_of_members()) == []


def test_without_a_new_certificate_the_first_one_counts(maria, before):
    add_attempt(maria, NODE.key, fingerprint=before.fingerprint)

    withdraw_approval(before, by=maria)

    assert list(attempts_of_members()) == []


def test_a_member_that_is_trusted_again_is_one_again(maria, member, certificate):
    withdraw(NODE.key, by=maria)

    approve(NODE, certificate, by=maria)

    assert list(attempts_of_members()) == [member]


def test_members_can_be_combined_with_other_attempts(maria, member, since):
    other = add_attempt(maria, "10.0.0.6:9443")
    withdraw_approval(since, by=maria)

    both = Attempt.objects.filter(pk=member.pk) | attempts_of_members()

    assert set(both) == {member, other}


def test_a_node_stays_set_up_when_one_of_its_approvals_is_withdrawn(maria, member, before, since):
    TrustedCertificate.objects.update(approved_at=member.created_at)
    withdraw_approval(since, by=maria)

    assert set_up_addresses([NODE.key, "10.0.0.6:9443"]) == {NODE.key}


def test_a_node_is_free_when_every_approval_from_before_is_withdrawn(maria, member):
    withdraw(NODE.key, by=maria)
    approve(NODE, Identity().certificate, by=maria)  # of the reinstalled node

    assert set_up_addresses([NODE.key]) == set()


def test_a_replaced_node_is_no_member_and_not_free(maria, member, since):
    Attempt.objects.filter(pk=member.pk).update(node_uid="3")
    in_its_place = {"action": "join_cluster", "node_uid": "3", "new_fingerprint": since.fingerprint}

    joined = add_attempt(maria, "10.0.0.6:9443", minutes_ago=1, **in_its_place)

    member.refresh_from_db()
    assert list(attempts_of_members()) == [joined]
    assert replacement_of(member) == joined
    assert set_up_addresses([NODE.key]) == {NODE.key}


def test_a_node_with_the_same_id_in_another_cluster_replaces_nothing(maria, member):
    Attempt.objects.filter(pk=member.pk).update(node_uid="3")

    joined = add_attempt(maria, "10.0.0.6:9443", minutes_ago=1, action="join_cluster", node_uid="3")

    assert set(attempts_of_members()) == {member, joined}
