"""What earlier versions stored of tried passwords is deleted."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


@pytest.mark.django_db
def test_the_tables_in_which_passwords_were_stored_are_dropped():
    migration = import_module("setup_wizard.access.migrations.0007_password_tries")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE axes_accessattempt (id integer PRIMARY KEY, post_data text)")
        cursor.execute(
            "CREATE TABLE axes_accessattemptexpiration (id integer REFERENCES axes_accessattempt DEFERRABLE)"
        )
    MigrationRecorder(connection).record_applied("axes", "0001_initial")

    migration.drop_tables_of_axes(apps, SimpleNamespace(connection=connection))

    assert [name for name in connection.introspection.table_names() if name.startswith("axes_")] == []
    assert not MigrationRecorder.Migration.objects.filter(app="axes").exists()
