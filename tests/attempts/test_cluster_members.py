"""Which nodes count as members of a cluster: a withdrawn approval removes a node only with its own certificate."""

import pytest
from django.contrib.auth.models import User

from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.guard import Endpoint
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
