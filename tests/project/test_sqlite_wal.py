"""SQLite's log stays while a process runs, so that readers are not locked out many times a second."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from setup_wizard.project import sqlite_wal
from tests.project.processes import wait_until
from tests.serving import CLONE, on_tables

CODE = """
from django.contrib.auth.models import Group
from django.db import connection
from setup_wizard.project import sqlite_wal
def say(what): print(what, flush=True); input()
Group.objects.create(name="night shift")
connection.close()
say("closed")
Group.objects.filter(name="night shift").delete()
connection.close()
sqlite_wal.truncate(None)
say("emptied")
"""


@pytest.mark.slow
def test_the_log_outlives_connections_and_loses_deleted_data(tmp_path, file_with_tables):
    environment = on_tables(file_with_tables, tmp_path)
    database, log = tmp_path / "rows.sqlite3", tmp_path / "rows.sqlite3-wal"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", CODE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=CLONE, env=environment, **pipes)  # a fork would not end as Python does

    assert process.stdout.readline() == "closed\n"
    file = log.stat().st_ino
    for _ in range(3):  # another connection opens and closes
        with closing(sqlite3.connect(database)) as other:
            other.execute("SELECT count(*) FROM auth_group").fetchone()
    assert log.stat().st_ino == file
    assert b"night shift" in log.read_bytes()

    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "emptied\n"
    assert log.stat().st_ino == file
    assert log.stat().st_size == 0
    assert b"night shift" not in database.read_bytes()

    process.stdin.write("\n")
    process.stdin.close()
    process.stdout.close()
    wait_until(lambda: process.poll() is not None)
    assert not log.exists()


def test_a_log_in_use_is_not_truncated(tmp_path):
    path = tmp_path / "read.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader, closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE racks (name)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM racks").fetchall()
        writer.execute("INSERT INTO racks VALUES ('rack-a')")
        writer.commit()

        emptied = sqlite_wal.truncate_file(str(path))
        reader.execute("COMMIT")

        assert not emptied
        assert sqlite_wal.truncate_file(str(path))
