"""The index of the search text: trigrams in both databases, created after each migration where it is missing.

PostgreSQL indexes the attempts that have ended (a running one changes twice a second, and each change of a row costs as
many entries as its text has trigrams). SQLite has an FTS5 table, which triggers fill. Where neither can be created, a
search finds the same, but reads every row.
"""

import logging
import re
from typing import Any, Final

from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

logger = logging.getLogger(__name__)

COMMON: Final = 10_000  # a search with more matches walks the list until a page is full
MISSING: Final = (
    "The database has no index for the search of attempts, so it reads every row: %s. "
    'docs/operations.md, "Search", says what to do.'
)
# fastupdate: a search would read the list of entries that are not in the index yet
# STATISTICS: the planner must know how rare a word is
_POSTGRESQL: Final = """
    SET LOCAL statement_timeout = 0;
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX IF NOT EXISTS attempts_search ON attempts_attempt USING gin (search_text gin_trgm_ops)
        WITH (fastupdate = off) WHERE ended_at IS NOT NULL;
    ALTER TABLE attempts_attempt ALTER COLUMN search_text SET STATISTICS 1000
"""
# SQLite may renumber the rows of a table whose key is not a number, so each attempt gets a number of its own here
_TABLE: Final = "CREATE TABLE IF NOT EXISTS attempts_search (number INTEGER PRIMARY KEY, attempt_id char(32) UNIQUE)"
_FTS: Final = """
    CREATE VIRTUAL TABLE IF NOT EXISTS attempts_search_fts
        USING fts5 (text, content = '', tokenize = 'trigram case_sensitive 1')
"""
_ADDED: Final = """
    CREATE TRIGGER IF NOT EXISTS attempts_search_added AFTER INSERT ON attempts_attempt BEGIN
        INSERT INTO attempts_search (attempt_id) VALUES (NEW.id);
        INSERT INTO attempts_search_fts (rowid, text)
            SELECT number, NEW.search_text FROM attempts_search WHERE attempt_id = NEW.id;
    END
"""
_CHANGED: Final = """
    CREATE TRIGGER IF NOT EXISTS attempts_search_changed AFTER UPDATE OF search_text ON attempts_attempt
    WHEN NEW.search_text <> OLD.search_text BEGIN
        INSERT INTO attempts_search_fts (attempts_search_fts, rowid, text)
            SELECT 'delete', number, OLD.search_text FROM attempts_search WHERE attempt_id = OLD.id;
        INSERT INTO attempts_search_fts (rowid, text)
            SELECT number, NEW.search_text FROM attempts_search WHERE attempt_id = NEW.id;
    END
"""
_DELETED: Final = """
    CREATE TRIGGER IF NOT EXISTS attempts_search_deleted AFTER DELETE ON attempts_attempt BEGIN
        INSERT INTO attempts_search_fts (attempts_search_fts, rowid, text)
            SELECT 'delete', number, OLD.search_text FROM attempts_search WHERE attempt_id = OLD.id;
        DELETE FROM attempts_search WHERE attempt_id = OLD.id;
    END
"""
_MISSED: Final = """
    INSERT INTO attempts_search (attempt_id)
        SELECT id FROM attempts_attempt WHERE id NOT IN (SELECT attempt_id FROM attempts_search)
"""
_FILLED: Final = """
    INSERT INTO attempts_search_fts (rowid, text)
        SELECT number, search_text FROM attempts_search JOIN attempts_attempt ON id = attempt_id
        WHERE number > (SELECT coalesce(max(rowid), 0) FROM attempts_search_fts)
"""
_STATEMENTS: Final = {
    "postgresql": (_POSTGRESQL,),
    "sqlite": (_TABLE, _FTS, _ADDED, _CHANGED, _DELETED, _MISSED, _FILLED),
}
# numbers with what is around and between them, such as "M10234De" in a name, but not a port at the end
_NUMBERS: Final = re.compile(r".{0,2}(?:(?<!C)[0-9][D0-9]*[0-9])(?:C|.{0,2})")
_MATCHES: Final = "SELECT rowid FROM attempts_search_fts WHERE attempts_search_fts MATCH %s"
_ATTEMPTS: Final = f"SELECT attempt_id FROM attempts_search WHERE number IN ({_MATCHES})"  # noqa: S608


def create(using: str, **_: Any) -> None:
    """Create what is missing; called after each migration."""
    database = connections[using]
    if "attempts_attempt" not in database.introspection.table_names():
        return
    try:
        with transaction.atomic(using), database.cursor() as cursor:
            for statement in _STATEMENTS[database.vendor]:
                cursor.execute(statement)
    except DatabaseError as error:
        logger.warning(MISSING, error)


def mentions(parts: list[str]) -> Q:
    """Match the attempts whose text has all of these parts; on SQLite this first counts the matches."""
    if connection.vendor == "postgresql":
        text = Q(*(_contains(part) for part in parts))
        # in two halves: the index has only those that have ended, and the planner must see that the first half fits it
        return (Q(ended_at__isnull=False) & text) | (Q(ended_at__isnull=True) & text)
    phrases = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in parts)
    if _has_fts(connection) and not _is_common(connection, phrases):
        return Q(pk__in=RawSQL(_ATTEMPTS, [phrases]))  # noqa: S611 - the value is a parameter
    return Q(*(GreaterThan(StrIndex(F("search_text"), Value(part)), 0) for part in parts))


def _contains(part: str) -> Q:
    """Match a part, found by what is rare in it: PostgreSQL would read the entries of all its trigrams.

    Addresses and names differ in their numbers; ports and domains are the same in most rows.
    """
    numbers = _NUMBERS.findall(part)
    rare = max(numbers, key=len, default=part)
    found = Q(search_text__contains=rare)
    return found & Q(GreaterThan(StrIndex(F("search_text"), Value(part)), 0)) if rare != part else found


def _has_fts(database: BaseDatabaseWrapper) -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'attempts_search_added'")
        return cursor.fetchone() is not None


def _is_common(database: BaseDatabaseWrapper, phrases: str) -> bool:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({_MATCHES} LIMIT {COMMON + 1})", [phrases])  # noqa: S608
        return int(cursor.fetchone()[0]) > COMMON
