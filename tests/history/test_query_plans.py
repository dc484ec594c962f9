"""Each filter and each order of the list is served by an index, and a rare word by the search index."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import search_index
from setup_wizard.attempts.durations import usual
from setup_wizard.bootstrap.actions import Action
from setup_wizard.clusters import inventory
from setup_wizard.history.figures import figures
from setup_wizard.history.listing import PER_PAGE
from setup_wizard.history.pages import Place, _from
from setup_wizard.history.search import Search
from tests.attempts.attempt_rows import add_attempt, add_refused

pytestmark = pytest.mark.django_db

FILTERS = {
    "": "attempts_newest",
    "state=failed": "attempts_by_state",
    "action=join_cluster": "attempts_by_action",
    "code=access_denied": "attempts_by_code",
    "reason=node_error": "attempts_by_reason",
    "version=8.0.6-54": "attempts_by_version",
    "state=moving": "attempts_open",
    "reviewed=yes": "attempts_reviewed",
    "state=failed&reviewed=no": "attempts_not_reviewed",
    "user=maria": "attempts_by_person",
    "node=10.0.0.7:9443": "attempts_by_node",
    "cluster=redis-prod.example.com": "attempts_by_cluster",
}
ORDERS = {
    "sort=when": "attempts_newest",
    "sort=node": "attempts_by_node",
    "sort=-node": "attempts_by_node",
    "sort=cluster": "attempts_by_cluster",
    "sort=duration": "attempts_by_duration",
    "sort=-duration": "attempts_by_duration",
    "state=failed&sort=duration": "attempts_by_state_duration",
    "state=failed&sort=-duration": "attempts_by_state_duration",
}
OTHERS = {
    "attempts_figures": lambda reader: figures({}, reader=reader),
    "attempts_by_end": lambda _: inventory.add_attempts(),
    "attempts_usual": lambda _: usual(Action.CREATE, "8.0.6-54"),
}
# without statistics, SQLite prefers an index that begins with the state
ONLY_POSTGRESQL = {"attempts_open"}


@pytest.fixture
def rows(maria):
    return [add_attempt(maria, f"10.0.0.{number}:9443", minutes_ago=number) for number in range(20)]


@pytest.fixture
def by_index(db):
    """A few rows are not worth an index, so PostgreSQL may not read them otherwise."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{way} = off")


def skip_on_sqlite(index):
    if connection.vendor == "sqlite" and index in ONLY_POSTGRESQL:
        pytest.skip("SQLite prefers another index")


def parse(asked):
    return Search.parse(dict(part.split("=") for part in asked.split("&") if part))


@pytest.fixture
def plan(by_index, maria, rows):
    """The database's plan for a page."""

    def explain(asked, *, place=None, count=None):
        search = parse(asked)
        found = _from(place, search.attempts(maria), search, count=1_000_000 if count is None else count)
        return found[: PER_PAGE + 1].explain()  # as the list reads

    return explain


@pytest.mark.parametrize("period", ["", "&period=7d", "&from=2020-01-01&to=2100-01-01"])
@pytest.mark.parametrize("asked", FILTERS)
def test_each_filter_has_an_index_in_the_order_of_the_list(plan, asked, period):
    skip_on_sqlite(FILTERS[asked])
    # with so few rows, one index costs PostgreSQL as much as another that has the same order
    is_free = period and connection.vendor == "postgresql"
    assert_ordered(plan(f"{asked}{period}"), "attempts_" if is_free else FILTERS[asked])


@pytest.mark.parametrize("asked", ORDERS)
def test_each_order_has_an_index(plan, asked):
    assert_ordered(plan(asked), ORDERS[asked])


@pytest.mark.parametrize("asked", [*FILTERS, *ORDERS])
def test_a_later_page_begins_in_the_index(plan, asked, rows):
    skip_on_sqlite({**FILTERS, **ORDERS}[asked])
    found = plan(asked, place=Place(rows[9]))

    assert_ordered(found, {**FILTERS, **ORDERS}[asked])
    field = parse(asked).column.fields[0]
    if connection.vendor == "sqlite":
        assert f"{field}<" in found or f"{field}>" in found, found
    else:
        assert f"{field} <=" in found or f"{field} >=" in found or "ROW(" in found, found


@pytest.mark.parametrize("index", OTHERS)
def test_what_reads_some_attempts_has_an_index(by_index, maria, rows, index):
    skip_on_sqlite(index)
    asked = []

    def note(execute, statement, values, many, context):
        asked.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(note):
        OTHERS[index](maria)

    explain, plans = connection.ops.explain_query_prefix(), []
    with connection.cursor() as cursor:
        for statement, values in asked:
            if statement.startswith("SELECT") and 'FROM "attempts_attempt"' in statement:
                cursor.execute(f"{explain} {statement}", values)
                plans.append(str(cursor.fetchall()))
    assert any(index in plan for plan in plans), plans


def assert_ordered(plan, index):
    assert index in plan, plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan


@pytest.mark.parametrize("asked", ["q=access", "q=access&sort=node", "q=access&period=7d"])
def test_few_matches_of_a_word_are_found_by_the_search_index_and_sorted(maria, rows, asked):
    add_refused(maria, "10.0.1.1:9443")
    search = parse(asked)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE attempts_attempt")  # or it guesses how many rows a period has
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_indexscan = off")

    plan = _from(None, search.attempts(maria), search, count=1).explain()

    assert ("attempts_search" if connection.vendor == "postgresql" else "attempts_search_fts") in plan, plan


def test_few_matches_are_sorted_even_if_the_database_would_rather_read_an_index(maria, rows):
    search = Search.parse({"q": "access", "sort": "node"})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")

    plan = _from(None, search.attempts(maria), search, count=1).explain()

    assert ("Sort Key" if connection.vendor == "postgresql" else "TEMP B-TREE FOR ORDER BY") in plan, plan


@pytest.mark.parametrize(("asked", "is_sorted"), [("q=access", True), ("q=access&period=7d", False)])
def test_many_matches_are_sorted_unless_a_period_bounds_them(maria, asked, is_sorted):
    search = parse(asked)

    sql = str(_from(None, search.attempts(maria), search, count=5_000).query)

    assert ("ORDER BY COALESCE" in sql) is is_sorted


@pytest.mark.parametrize(
    ("asked", "has_index"),
    [
        ("q=access&state=failed", True),
        ("q=access&version=7.22.0-28&reviewed=no", True),
        ("q=access&node=10.0.1.1", False),
        ("q=access&state=failed&sort=node", False),
    ],
)
def test_sqlite_reads_few_matches_along_the_index_of_a_filter(maria, asked, has_index):
    search = parse(asked)

    sql = str(_from(None, search.attempts(maria), search, count=5_000).query)

    assert ("ORDER BY COALESCE" not in sql) is (has_index and connection.vendor == "sqlite")


@pytest.mark.parametrize(("asked", "has_index"), [("state__exact=failed", True), ("reviewed=no", False)])
def test_so_does_the_list_of_the_administration(client, maria, asked, has_index):
    add_refused(maria, "10.0.1.1:9443")
    client.force_login(assign(User.objects.create_user("rosa"), Role.REVIEWER))

    with CaptureQueriesContext(connection) as queries:
        client.get(f"/admin/attempts/attempt/?q=access&{asked}")

    is_sorted = any("ORDER BY COALESCE" in query["sql"] for query in queries)
    assert is_sorted is not (has_index and connection.vendor == "sqlite")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite reads along the index of the state")
def test_very_few_matches_are_looked_up_by_their_keys(maria, rows):
    search = Search.parse({"state": "failed", "reviewed": "no"})

    sql = str(_from(None, search.attempts(maria), search, count=3).query)

    # the limit tells PostgreSQL that they are few: it may expect very many
    assert re.search(r'"id" IN \(SELECT .* LIMIT 3\)', sql), sql


class TestIndex:
    """The search index is missing, and is created again."""

    @pytest.fixture
    def lost(self, maria):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("DROP INDEX attempts_search")
            else:
                for name in ("added", "changed", "deleted"):
                    cursor.execute(f"DROP TRIGGER attempts_search_{name}")
                cursor.execute("DROP TABLE attempts_search_fts")
                cursor.execute("DROP TABLE attempts_search")

    def found(self, maria, query):
        return [attempt.address for attempt in Search(q=query).attempts(maria)]

    def test_a_search_works_without_it(self, lost, maria):
        add_refused(maria, "10.0.1.1:9443")

        assert self.found(maria, "access") == ["10.0.1.1:9443"]
        assert self.found(maria, "ccess nowhere") == []

    def test_a_migration_creates_it_and_what_is_missing_in_it(self, lost, maria):
        add_refused(maria, "10.0.1.1:9443")

        search_index.create(connection.alias)
        add_refused(maria, "10.0.1.2:9443")

        assert sorted(self.found(maria, "access")) == ["10.0.1.1:9443", "10.0.1.2:9443"]

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no rights")
    def test_without_the_right_to_create_the_extension_there_is_a_warning(self, lost, maria, caplog):
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")
            cursor.execute("CREATE ROLE guest")
            cursor.execute("SET LOCAL ROLE guest")
            search_index.create(connection.alias)
            cursor.execute("RESET ROLE")

        assert "reads every row" in caplog.text
        assert User.objects.filter(pk=maria.pk).exists()


def test_the_index_follows_the_text(maria):
    attempt = add_attempt(maria, cluster="redis-old.example.com")
    attempt.search_text = attempt.search_text.replace("old", "new")
    attempt.save()

    assert list(Search(q="redis-new").attempts(maria)) == [attempt]
    assert not Search(q="redis-old").attempts(maria)
