"""Nobody changes or deletes entries of the audit log, or events."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from setup_wizard.access import audit
from setup_wizard.access.append_only import AppendOnlyError
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.audit_actions import AccessAudit
from tests.attempts.attempt_rows import add_attempt

from .entries import trail


def test_models_refuse_to_change_or_delete_audit_entries(maria):
    audit.record(AccessAudit.SIGN_OUT, by=maria)
    row = AuditEvent.objects.get(action=AccessAudit.SIGN_OUT)

    for act in (row.save, row.delete, AuditEvent.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            act()
    with pytest.raises(AppendOnlyError):
        AuditEvent.objects.update(user_name="nobody")
    with pytest.raises(AppendOnlyError):
        AuditEvent.objects.bulk_update([row], ["user_name"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_auditevent SET user_name = 'nobody'",
        "DELETE FROM access_auditevent",
        "TRUNCATE access_auditevent",
    ],
)
def test_database_refuses_to_change_audit_entries(maria, statement):
    if statement.startswith("TRUNCATE") and connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has it")
    audit.record(AccessAudit.SIGN_OUT, by=maria)

    with (
        pytest.raises(DatabaseError, match="access_auditevent is append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert trail(AccessAudit.SIGN_OUT)[0].user_name == "maria"


@pytest.mark.parametrize(
    "statement",
    ["UPDATE attempts_event SET message = 'x'", "DELETE FROM attempts_event", "TRUNCATE attempts_event"],
)
def test_database_refuses_to_change_events(maria, statement):
    if statement.startswith("TRUNCATE") and connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has it")
    attempt = add_attempt(maria)
    connection.check_constraints()  # what is still to be checked at the end keeps PostgreSQL from truncating

    with (
        pytest.raises(DatabaseError, match="attempts_event is append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert attempt.events.get().message == "Started by maria"


def test_deleting_related_rows_keeps_events(maria):
    attempt = add_attempt(maria)

    for going in (attempt, maria):
        with pytest.raises(ProtectedError):
            going.delete()

    assert attempt.events.count() == 1


def test_audit_entries_outlive_the_account(maria):
    audit.record(AccessAudit.SIGN_OUT, by=maria)
    number = maria.pk

    maria.delete()

    assert (trail(AccessAudit.SIGN_OUT)[0].user_id, trail(AccessAudit.SIGN_OUT)[0].user_name) == (
        number,
        "maria",
    )
