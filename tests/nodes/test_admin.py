"""The administration's page of approved certificates: administrators withdraw, reviewers read."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.trust import approve, is_approved
from tests.nodes.servers import Identity

pytestmark = pytest.mark.django_db

PAGE = "/admin/nodes/trustedcertificate/"
NODE = Endpoint(Address("node-1.example.com"), "10.0.0.5", 9443)


def browser_of(role):
    browser = Client()
    browser.force_login(assign(User.objects.create_user(role.value), role))
    return browser


def withdraw(browser, *approvals):
    chosen = [str(approval.pk) for approval in approvals]
    return browser.post(PAGE, {"action": "withdraw", "_selected_action": chosen}, follow=True)


@pytest.fixture
def approvals():
    maria = User.objects.create_user("maria")
    return [approve(NODE, Identity().certificate, by=maria) for _ in range(2)]


def test_administrator_withdraws_one_of_two_approvals(approvals):
    old, current = approvals

    answer = withdraw(browser_of(Role.ADMINISTRATOR), old)

    assert "Approvals withdrawn: 1." in answer.content.decode()
    assert not is_approved(NODE.key, old.fingerprint)
    assert is_approved(NODE.key, current.fingerprint)
    entry = AuditEvent.objects.get(action=NodeAudit.WITHDRAW)
    assert (entry.user_name, entry.target_name, entry.fingerprint) == (
        Role.ADMINISTRATOR.value,
        NODE.key,
        old.fingerprint,
    )


def test_second_withdrawal_changes_and_records_nothing(approvals):
    browser = browser_of(Role.ADMINISTRATOR)
    withdraw(browser, approvals[0])
    first = TrustedCertificate.objects.get(pk=approvals[0].pk).withdrawn_at

    answer = withdraw(browser, approvals[0])

    assert "Approvals withdrawn: 0." in answer.content.decode()
    assert TrustedCertificate.objects.get(pk=approvals[0].pk).withdrawn_at == first
    assert AuditEvent.objects.filter(action=NodeAudit.WITHDRAW).count() == 1


def test_reviewer_cannot_withdraw(approvals):
    browser = browser_of(Role.REVIEWER)

    assert "Withdraw the approval" not in browser.get(PAGE).content.decode()
    withdraw(browser, *approvals)

    assert TrustedCertificate.objects.filter(withdrawn_at=None).count() == len(approvals)
    assert not AuditEvent.objects.filter(action=NodeAudit.WITHDRAW).exists()
