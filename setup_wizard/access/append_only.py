"""Rows that are added and never changed: the models refuse changes, and so do triggers in the database.

The triggers of each such table are created after every migration: SQLite drops them when it alters a table.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from django.apps import AppConfig
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


class AppendOnlyError(RuntimeError):
    """Code tried to change or delete an append-only row."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are added and read only."""

    def update(self, **_: Any) -> NoReturn:
        raise AppendOnlyError("append-only rows cannot be changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("append-only rows cannot be deleted")


class AppendOnlyModel(models.Model):
    """A row that is written once."""

    on_existing: ClassVar = "ABORT"
    """What SQLite does when a row with the same key is added: ABORT refuses, IGNORE keeps the first one silently."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("append-only rows cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("append-only rows cannot be deleted")


def create_triggers(sender: AppConfig, using: str, **_: Any) -> None:
    """Create the missing triggers of an app's append-only tables; called after each migration."""
    found = [model for model in sender.get_models() if issubclass(model, AppendOnlyModel)]
    if not found:
        return
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    statements = {"sqlite": _for_sqlite, "postgresql": _for_postgresql}.get(connection.vendor)
    for model in found:
        if statements and model._meta.db_table in tables:
            with connection.cursor() as cursor:
                for statement in statements(model, _existing(connection)):
                    cursor.execute(statement)


def _existing(connection: BaseDatabaseWrapper) -> set[str]:
    names = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'"}
    with connection.cursor() as cursor:
        cursor.execute(names.get(connection.vendor, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        return {str(name) for (name,) in cursor.fetchall()}


def _for_sqlite(model: type[AppendOnlyModel], existing: set[str]) -> Iterator[str]:
    table, refuse = model._meta.db_table, f"SELECT RAISE(ABORT, '{model._meta.db_table} is append-only');"
    for when in ("update", "delete"):
        if f"{table}_no_{when}" not in existing:
            yield f"CREATE TRIGGER {table}_no_{when} BEFORE {when.upper()} ON {table} BEGIN {refuse} END"
    if f"{table}_no_replace" not in existing:  # INSERT OR REPLACE deletes a row without firing the trigger above
        same = " OR ".join(" AND ".join(f"{name} = NEW.{name}" for name in key) for key in _keys(model))
        action = refuse if model.on_existing == "ABORT" else "SELECT RAISE(IGNORE);"
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of our own tables
        yield f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {exists} BEGIN {action} END"


def _for_postgresql(model: type[AppendOnlyModel], existing: set[str]) -> Iterator[str]:
    table = model._meta.db_table
    if f"{table}_no_change" in existing:
        return
    yield (
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        f"'{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for name, when in (("change", "UPDATE OR DELETE"), ("truncate", "TRUNCATE")):
        each = "ROW" if name == "change" else "STATEMENT"
        how = f"FOR EACH {each} EXECUTE FUNCTION {table}_refuse()"
        yield f"CREATE TRIGGER {table}_no_{name} BEFORE {when} ON {table} {how}"


def _keys(model: type[AppendOnlyModel]) -> list[list[str]]:
    columns = {field.name: str(field.column) for field in model._meta.local_concrete_fields}
    single = [[str(field.column)] for field in model._meta.local_concrete_fields if field.unique]
    together = [constraint.fields for constraint in model._meta.total_unique_constraints]
    return single + [[columns[name] for name in names] for names in together]
