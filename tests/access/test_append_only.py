"""Append-only tables: the database refuses to change, replace or delete a row."""

from contextlib import nullcontext

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from setup_wizard.access import audit
from setup_wizard.access.append_only import AppendOnlyModel
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.clusters import plans
from setup_wizard.clusters.document import PlanDocument
from setup_wizard.clusters.models import Run, RunEvent
from setup_wizard.history import reviews
from setup_wizard.history.models import ReviewMark
from tests.attempts.attempt_rows import add_attempt

MODELS = [model for model in apps.get_models() if issubclass(model, AppendOnlyModel)]
ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone has REPLACE")

pytestmark = pytest.mark.django_db


@pytest.fixture(params=MODELS, ids=lambda model: model._meta.db_table)
def model(request):
    """A model with one row in its table."""
    maria = User.objects.create_user("maria")
    add_attempt(maria)
    reviews.write(Attempt.objects.all(), by=maria, note="seen", mark=True)
    audit.record(AccessAudit.SIGN_OUT, by=maria)
    run = Run.objects.create(plan=plans.add(PlanDocument(), by=maria), started_by=maria)
    RunEvent.objects.create(run=run, seq=1, kind="started", message="Started by maria")
    assert request.param.objects.exists()
    return request.param


def rows(model):
    return list(model.objects.order_by("pk").values())


def refusal(model):
    """SQLite keeps the first mark of an attempt without an error; everything else is refused."""
    if model is ReviewMark and connection.vendor == "sqlite":
        return nullcontext()
    return pytest.raises(DatabaseError, match="append-only")


def run(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def copied(model, **changes):
    """The table, its columns, and their values with some of them changed."""
    columns = [field.column for field in model._meta.local_concrete_fields]
    return model._meta.db_table, ", ".join(columns), ", ".join(changes.get(each, each) for each in columns)


@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_a_row_cannot_be_changed_or_deleted(model, statement):
    before = rows(model)

    with pytest.raises(DatabaseError, match="append-only"):
        run(statement.format(table=model._meta.db_table, column=model._meta.pk.column))

    assert rows(model) == before


@ON_SQLITE
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR ABORT", "INSERT OR FAIL"])
def test_a_row_cannot_be_replaced(model, verb):
    before = rows(model)
    table, columns, values = copied(model, at="'2020-01-01'", user_name="'nobody'", message="'x'", text="'x'")

    with refusal(model):
        run(f"{verb} INTO {table} ({columns}) SELECT {values} FROM {table}")

    assert rows(model) == before


@ON_SQLITE
def test_a_row_cannot_be_replaced_by_its_primary_key(maria):
    before = add_attempt(maria).events.values().get()
    table, columns, values = copied(Event, id="id + 100", message="'x'")

    with pytest.raises(DatabaseError, match="append-only"):
        run(f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {values} FROM {table}")

    assert Event.objects.values().get() == before


@pytest.mark.parametrize("columns", ["DO UPDATE SET {pk} = excluded.{pk}", "DO UPDATE SET at = '2020-01-01'"])
def test_an_upsert_changes_nothing(model, columns):
    before, pk = rows(model), model._meta.pk.column
    table, names, values = copied(model)

    change = columns.format(pk=pk)
    with refusal(model):
        run(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE true ON CONFLICT ({pk}) {change}")

    assert rows(model) == before


def test_the_first_of_two_marks_stays(maria):
    attempts = Attempt.objects.filter(pk=add_attempt(maria).pk)
    reviews.write(attempts, by=maria, mark=True)

    ReviewMark.objects.bulk_create(
        [ReviewMark(attempt=attempts.get(), by=User.objects.create_user("ben"))], ignore_conflicts=True
    )

    assert ReviewMark.objects.get().by == maria


@ON_SQLITE
def test_lost_triggers_are_created_again(maria):
    audit.record(AccessAudit.SIGN_OUT, by=maria)
    for when in ("update", "delete", "replace"):
        run(f"DROP TRIGGER access_auditevent_no_{when}")

    call_command("migrate", verbosity=0)

    with pytest.raises(DatabaseError, match="append-only"):
        run("DELETE FROM access_auditevent")
