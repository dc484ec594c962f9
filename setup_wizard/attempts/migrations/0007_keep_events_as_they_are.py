"""Let the database itself refuse to change or delete an event of an attempt, as it does for the audit trail."""

from django.db import migrations

SQLITE = [
    f"""CREATE TRIGGER attempts_event_no_{when} BEFORE {when.upper()} ON attempts_event
    BEGIN SELECT RAISE(ABORT, 'events are only added'); END"""
    for when in ("update", "delete")
]
POSTGRESQL = [
    """CREATE FUNCTION attempts_event_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'events are only added' USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE TRIGGER attempts_event_no_change BEFORE UPDATE OR DELETE ON attempts_event
    FOR EACH ROW EXECUTE FUNCTION attempts_event_refuse()""",
    """CREATE TRIGGER attempts_event_no_truncate BEFORE TRUNCATE ON attempts_event
    FOR EACH STATEMENT EXECUTE FUNCTION attempts_event_refuse()""",
]
TRIGGERS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def guard(apps, schema_editor):  # noqa: ARG001 - as Django calls it
    for statement in TRIGGERS.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):  # noqa: ARG001 - as Django calls it
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION attempts_event_refuse() CASCADE", params=None)
    elif schema_editor.connection.vendor == "sqlite":
        for when in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER attempts_event_no_{when}", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("attempts", "0006_counter_faults_and_patience"),
    ]

    operations = [
        migrations.RunPython(guard, unguard),
    ]
