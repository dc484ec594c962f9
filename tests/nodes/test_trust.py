import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from setup_wizard.access.audit import AuditEvent
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import Origin, TrustedCertificate
from setup_wizard.nodes.trust import approve, approved, cluster_of, has_approval, is_approved, withdraw
from tests.nodes.servers import Identity

pytestmark = pytest.mark.django_db

NODE = Endpoint(Address("node-1.example.com"), "10.0.0.5", 9443)
CERTIFICATE = Identity("redis-prod.example.com").certificate


@pytest.fixture
def maria():
    return get_user_model().objects.create_user("maria")


@pytest.fixture
def jan():
    return get_user_model().objects.create_user("jan")


def test_approval_records_user_certificate_and_address(maria):
    approval = approve(NODE, CERTIFICATE, by=maria, cluster="prod.example.com")

    stored = TrustedCertificate.objects.get()
    assert stored == approval
    assert (stored.address, stored.host, stored.approved_by) == ("10.0.0.5:9443", "node-1.example.com", maria)
    assert (stored.origin, stored.cluster) == (Origin.OPERATOR, "prod.example.com")
    assert stored.not_after == CERTIFICATE.not_after
    assert Certificate.from_json(stored.details) == CERTIFICATE
    assert stored.approved_at is not None


def test_second_approval_keeps_the_first(maria, jan):
    first = approve(NODE, CERTIFICATE, by=maria)

    second = approve(NODE, CERTIFICATE, by=jan, origin=Origin.CLUSTER)

    assert second == first
    assert (second.approved_by, second.origin) == (maria, Origin.OPERATOR)


def test_certificate_is_approved_for_one_address_only(maria):
    approve(NODE, CERTIFICATE, by=maria)

    assert is_approved("10.0.0.5:9443", CERTIFICATE.fingerprint.replace(":", "").lower())
    assert not is_approved("10.0.0.6:9443", CERTIFICATE.fingerprint)
    assert not is_approved("10.0.0.5:9443", Identity().certificate.fingerprint)


def test_approvals_are_listed_newest_first(maria):
    replacement = Identity().certificate
    approve(NODE, CERTIFICATE, by=maria)
    approve(NODE, replacement, by=maria, origin=Origin.BOOTSTRAP)
    approve(Endpoint(Address("10.0.0.6"), "10.0.0.6", 9443), CERTIFICATE, by=maria)

    assert [approval.fingerprint for approval in approved("10.0.0.5:9443")] == [
        replacement.fingerprint,
        CERTIFICATE.fingerprint,
    ]


def test_database_allows_one_approval_per_certificate(maria):
    approval = approve(NODE, CERTIFICATE, by=maria)

    approval.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        approval.save(force_insert=True)


def test_withdrawn_certificate_is_not_trusted_until_it_is_approved_again(maria):
    withdrawn = approve(NODE, CERTIFICATE, by=maria)

    withdraw(NODE.key, by=maria)

    assert not is_approved(NODE.key, CERTIFICATE.fingerprint)
    assert not has_approval(NODE.address)
    assert approved(NODE.key) == []
    entry = AuditEvent.objects.get(action=NodeAudit.WITHDRAW)
    assert (entry.user_name, entry.target_name, entry.fingerprint) == ("maria", NODE.key, CERTIFICATE.fingerprint)

    again = approve(NODE, CERTIFICATE, by=maria)

    assert again.pk != withdrawn.pk
    assert approved(NODE.key) == [again]


def test_withdrawn_approval_names_no_cluster(maria):
    approve(NODE, CERTIFICATE, by=maria, cluster="prod.example.com")
    assert cluster_of(CERTIFICATE.fingerprint) == "prod.example.com"

    withdraw(NODE.key, by=maria)

    assert cluster_of(CERTIFICATE.fingerprint) == ""


def test_unreadable_certificate_can_be_approved(maria):
    approve(NODE, Certificate(CERTIFICATE.fingerprint), by=maria)

    assert is_approved(NODE.key, CERTIFICATE.fingerprint)


def test_user_with_approvals_cannot_be_deleted(maria):
    approve(NODE, CERTIFICATE, by=maria)

    with pytest.raises(ProtectedError):
        maria.delete()


def test_the_longest_names_fit(maria):
    longest = Endpoint(Address(".".join(["n" * 62] * 4)), "fd00:1111:2222:3333:4444:5555:6666:7777", 65535)
    approval = approve(longest, Certificate(CERTIFICATE.fingerprint, "s" * 300, "i" * 300), by=maria, cluster="c" * 64)

    approval.full_clean(exclude=["id"], validate_unique=False, validate_constraints=False)
