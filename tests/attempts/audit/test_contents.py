"""The audit log has everything that users do, and no secret."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from setup_wizard.access import audit, first_admin, tokens
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.roles import Role
from setup_wizard.attempts import engine
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.preflight import describe_overrides
from setup_wizard.attempts.states import Reason
from setup_wizard.history.audit_actions import ReviewAudit
from setup_wizard.nodes import probing
from setup_wizard.nodes.audit_actions import NodeAudit
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import PASSWORD, follow, tick

from .accounts import change_groups, set_password
from .entries import CLIENT, SIGN_IN, trail


def test_audit_has_sign_ins_and_sign_outs_with_address(ada):
    browser = Client(**CLIENT)
    browser.post("/sign-in/", {"username": "ada", "password": SIGN_IN})
    browser.post("/sign-out/")

    for action in (AccessAudit.SIGN_IN, AccessAudit.SIGN_OUT):
        (row,) = trail(action)
        assert (row.user_id, row.user_name, row.address) == (ada.pk, "ada", "10.0.0.66")
        assert row.outcome == AuditOutcome.DONE
        assert abs((timezone.now() - row.at).total_seconds()) < 60


def test_audit_has_refused_sign_ins(ada, client):
    client.post("/sign-in/", {"username": "ada", "password": "eight loud otters"})
    client.post("/sign-in/", {"username": "eight loud otters", "password": "x"})  # the wrong field

    unknown, known = trail(AccessAudit.SIGN_IN_FAILED)
    assert (known.target_name, known.target_id, known.outcome) == ("ada", str(ada.pk), AuditOutcome.REFUSED)
    assert (unknown.target_name, unknown.target_id) == ("unknown user name", "")


def test_audit_has_a_start_and_the_approval_before_it(start, fresh_node, maria):
    attempt = start(fresh_node)

    (started,), (approved,) = trail(AttemptAudit.START), trail(NodeAudit.TRUST)
    assert (started.user_name, started.target_kind, started.target_id) == ("maria", "attempt", str(attempt.pk))
    assert started.fingerprint == approved.fingerprint == attempt.fingerprint
    assert "redis-prod.example.com" in started.target_name
    assert approved.target_name == attempt.address


def test_audit_has_the_new_certificate_of_a_bootstrap(start, fresh_node):
    attempt = follow(start(fresh_node))

    newest, _ = trail(NodeAudit.TRUST)
    assert newest.fingerprint == attempt.new_fingerprint
    assert newest.address is None
    assert newest.note.startswith("automatic: ")
    assert "accepted in advance" in newest.note


def test_audit_has_a_refused_address(maria):
    with pytest.raises(probing.ProbeFailed):
        probing.probe_node("169.254.169.254:9443", by=maria)

    (row,) = trail(NodeAudit.ADDRESS_REFUSED)
    assert (row.user_name, row.target_name, row.outcome) == ("maria", "169.254.169.254:9443", AuditOutcome.REFUSED)


@pytest.mark.usefixtures("one_minute")
def test_audit_limits_entries_for_refused_addresses(maria, settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 3
    refusals = []
    for _ in range(5):
        with pytest.raises(probing.ProbeFailed) as refusal:
            probing.probe_node("169.254.169.254:9443", by=maria)
        refusals.append(refusal.type)

    assert refusals[3:] == [probing.TooManyProbes] * 2
    assert len(trail(NodeAudit.ADDRESS_REFUSED)) == 3


def test_audit_has_an_address_refused_after_start(start, fresh_node, settings):
    attempt = start(fresh_node)
    tick(attempt)
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

    tick(attempt)

    (row,) = trail(NodeAudit.ADDRESS_REFUSED)
    assert (row.target_id, row.outcome) == (str(attempt.pk), AuditOutcome.REFUSED)


def test_audit_has_an_address_refused_after_the_request(start, fresh_node, settings):
    attempt = follow(start(fresh_node), until=lambda attempt: attempt.may_have_sent)
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

    tick(attempt)

    (row,) = trail(NodeAudit.ADDRESS_REFUSED)
    assert (row.target_id, attempt.why) == (str(attempt.pk), Reason.LOST_CONTACT)


def test_audit_names_reasons_and_checks_as_the_pages_do(waiting, maria):
    engine.choose(waiting.pk, Choice.KEEP_WATCHING, by=maria)

    (chosen,) = trail(Choice.KEEP_WATCHING)
    assert chosen.note == "while it waited: Lost contact"
    assert describe_overrides([{"name": "replaced_node", "reason": "It is gone"}]) == "Accepted: Node to replace"


def test_audit_has_created_and_revoked_tokens(maria):
    token = tokens.issue(maria)
    tokens.revoke(maria, token)

    (made,), (revoked,) = trail(AccessAudit.TOKEN_MADE), trail(AccessAudit.TOKEN_REVOKED)
    assert made.target_id == revoked.target_id == token[: tokens.PREFIX_LENGTH]
    assert token not in made.target_name + revoked.target_name


def test_audit_has_reviews_and_exports(desk, maria):
    attempt = add_attempt(maria)
    desk.post(f"/admin/attempts/attempt/{attempt.pk}/change/", {"note": "It was a typo", "mark": "on"})
    desk.post("/admin/attempts/attempt/", {"action": "export_csv", "_selected_action": [str(attempt.pk)]})

    assert [row.target_id for action in (ReviewAudit.NOTE, ReviewAudit.MARK) for row in trail(action)] == [
        str(attempt.pk)
    ] * 2
    (exported,) = trail(ReviewAudit.EXPORT)
    assert (exported.user_name, exported.target_name, exported.note) == (
        "ada",
        "1 attempt",
        "as CSV",
    )


def test_audit_has_changes_of_roles_and_accounts(desk, maria):
    reviewers = Group.objects.get(name=Role.REVIEWER)
    change_groups(desk, maria, [reviewers])
    desk.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [maria.pk], "post": "yes"})

    (changed,), (deleted,) = trail(AccessAudit.ACCOUNT_CHANGED), trail(AccessAudit.ACCOUNT_DELETED)
    assert (changed.user_name, changed.address, changed.target_name) == ("ada", "10.0.0.66", "maria")
    assert "in: reviewer" in changed.note
    assert deleted.target_name == "maria"


def test_audit_has_a_password_set_by_an_administrator(desk, maria):
    set_password(desk, maria)

    (changed,) = trail(AccessAudit.ACCOUNT_CHANGED)
    assert changed.target_name == "maria"
    assert "nine quiet otters" not in changed.note


def test_every_choice_has_an_audit_action():
    assert {choice.value for choice in Choice} <= set(audit.labels())


def test_audit_contains_no_secret(start, fresh_node, client, maria):
    client.post("/sign-in/", {"username": "maria", "password": PASSWORD})
    token = tokens.issue(maria)
    setup_token = first_admin.create_token()
    follow(start(fresh_node))

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM access_auditevent")
        told = repr(cursor.fetchall())
    for secret in (PASSWORD, token, token.removeprefix(tokens.PREFIX), setup_token):
        assert secret not in told
    assert "redis-prod.example.com" in told
