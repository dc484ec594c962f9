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

    text = "1 approval withdrawn. The next setup of 10.0.0.5:9443 asks to compare the certificate again."
    assert text in answer.content.decode()
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

    assert "No approval was withdrawn: that was done before." in answer.content.decode()
    assert TrustedCertificate.objects.get(pk=approvals[0].pk).withdrawn_at == first
    assert AuditEvent.objects.filter(action=NodeAudit.WITHDRAW).count() == 1


def test_reviewer_cannot_withdraw(approvals):
    browser = browser_of(Role.REVIEWER)

    assert "Withdraw the approval" not in browser.get(PAGE).content.decode()
    withdraw(browser, *approvals)

    assert TrustedCertificate.objects.filter(withdrawn_at=None).count() == len(approvals)
    assert not AuditEvent.objects.filter(action=NodeAudit.WITHDRAW).exists()


def test_message_about_several_approvals_says_that_each_is_asked_again(approvals):
    answer = withdraw(browser_of(Role.ADMINISTRATOR), *approvals)

    assert "2 approvals withdrawn. The next setup of each node asks" in answer.content.decode()


def test_action_says_what_happens_next(approvals):
    page = browser_of(Role.ADMINISTRATOR).get(PAGE).content.decode()

    assert "Withdraw the approval (asks again next time)" in page


def test_page_of_an_approval_withdraws_it_after_a_confirmation(approvals):
    browser, approval = browser_of(Role.ADMINISTRATOR), approvals[0]
    url = f"{PAGE}{approval.pk}/change/"
    page = browser.get(url).content.decode()
    button = page.partition('<details class="withdraw"')[2]

    answer = browser.post(url, {"withdraw": "yes"}, follow=True).content.decode()

    assert '<input class="button" type="submit" name="withdraw" value="Withdraw the approval">' in button
    assert "The next setup asks to compare it again." in button
    assert "1 approval withdrawn." in answer
    assert '<details class="withdraw"' not in answer
    assert not is_approved(NODE.key, approval.fingerprint)
    assert AuditEvent.objects.get(action=NodeAudit.WITHDRAW).fingerprint == approval.fingerprint


def test_page_of_an_approval_withdraws_nothing_for_a_reviewer(approvals):
    browser, url = browser_of(Role.REVIEWER), f"{PAGE}{approvals[0].pk}/change/"

    assert '<details class="withdraw"' not in browser.get(url).content.decode()
    assert browser.post(url, {"withdraw": "yes"}).status_code == 403

    assert is_approved(NODE.key, approvals[0].fingerprint)


def test_page_of_an_approval_says_when_it_was_given_and_is_valid(approvals):
    page = browser_of(Role.REVIEWER).get(f"{PAGE}{approvals[0].pk}/change/").content.decode()

    assert all(f">{label}:</label>" in page for label in ("Valid", "Approved", "Withdrawn"))
    assert "Not before" not in page
    assert "Details" not in page


def test_count_says_that_withdrawn_approvals_are_in_it(approvals):
    browser = browser_of(Role.ADMINISTRATOR)
    withdraw(browser, approvals[0])

    assert "2 approvals, withdrawn ones included" in browser.get(PAGE).content.decode()
    assert "1 approval\n" in browser.get(f"{PAGE}?approval=valid").content.decode()
