"""Fill an empty database with attempts of two years, in bulk: `python -m benchmarks.history_rows COUNT`.

A hundred and fifty people set up the nodes of many clusters, some people and clusters much more often than others. Each
attempt has three events; a third is reviewed. The statements are the same for PostgreSQL and SQLite, but for the
spelling of a few functions. Every column that they do not name has the default of its model.
"""

import sys
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from time import monotonic

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import NOT_PROVIDED

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import search_text
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.history.models import ReviewMark, ReviewNote

DAYS = 730
PEOPLE = 150
OPEN = 40  # half of them wait for an operator
NODES_PER_CLUSTER = 8
PRIME = 1000003
SITES = ("eu-west", "eu-north", "us-east", "us-west", "ap-south", "lab", "staging", "edge")
VERSIONS = ("7.4.6-22", "7.8.2-34", "7.8.6-13", "7.22.0-28", "7.22.2-20", "8.0.2-17", "8.0.6-54")
REASONS = ("unreachable", "validation", "rejected", "already_in_cluster", "node_reset", "not_a_node")
WAITING = ("trust", "lost_contact", "overdue", "not_accepted")
REQUEST = (
    '{"action": "join_cluster", "cluster": {"nodes": ["10.0.0.5"]}, "node": {"identity": {"addr": "10.0.0.6",'
    ' "rack_id": "rack-a"}, "paths": {"persistent_path": "/var/opt/redislabs/persist", "ephemeral_path":'
    ' "/var/opt/redislabs"}}, "credentials": {"username": "admin@example.com", "password": "********"}}'
)
FACTS = (
    '{"available_memory": 14.2e9, "cores": 8, "os_version": "Red Hat Enterprise Linux 9.4", "total_memory": 16.5e9,'
    ' "persistent_storage_path": "/var/opt/redislabs/persist", "persistent_storage_size": 2.1e11, "software_version": "'
)


def fill(count):
    """Add this many attempts and all that belongs to them; prints the seconds of each step."""
    if is_postgresql():
        execute("SET statement_timeout = 0")
    people = User.objects.bulk_create(User(username=f"person-{number:03}", password="!") for number in range(PEOPLE))
    for person in people:
        assign(person, Role.OPERATOR)
    with timed(f"{count:,} attempts"), without_indexes(Attempt):
        add_attempts(count, people[0].pk)
    with timed(f"{3 * count:,} events"), without_indexes(Event):
        add_events()
    with timed("reviews"), without_indexes(ReviewMark, ReviewNote):
        add_reviews(people[0].pk)
    with timed("statistics"):
        execute("VACUUM ANALYZE" if is_postgresql() else "PRAGMA wal_checkpoint(TRUNCATE)")
    check_search_text()


def add_attempts(count, first_person):
    columns = template(Attempt) | expressions()
    numbers = (
        "SELECT * FROM generate_series(CAST(0 AS bigint), %(count)s - 1) AS numbers (n)"
        if is_postgresql()
        else "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < %(count)s - 1)"
        " SELECT n FROM numbers"
    )
    # each step names what the next one computes with
    drawn = f"SELECT n, {', '.join(f'{share(*pair)} AS u{number}' for number, pair in enumerate(DRAWS))} FROM numbers"
    chosen = f"""
        SELECT n, u1, u2, u3, u4, u5, {floored("u0 * u0 * %(clusters)s")} AS c, {floored("u6 * %(per_cluster)s")} AS k,
            CASE WHEN n >= %(count)s - %(open)s / 2 THEN 'in_progress' WHEN n >= %(count)s - %(open)s
                THEN 'needs_operator' WHEN u1 < 0.78 THEN 'succeeded' WHEN u1 < 0.95 THEN 'failed' ELSE 'cancelled' END
                AS state,
            {floored("n * %(days)s / %(count)s")} AS day
        FROM drawn"""
    named = f"""
        SELECT n, u1, u2, u3, u4, u5, c, k, state, day, c * %(per_cluster)s + k AS node,
            state IN ('succeeded', 'failed', 'cancelled') AS ended,
            'redis-' || CAST(c + 10000 AS text) || '.' || {pick(SITES, "c")} || '.example.com' AS cluster,
            CASE WHEN state <> 'failed' OR u2 > 0.7 THEN '' ELSE {pick([*ErrorCode], "u3 * u3 * %(codes)s")} END
                AS code,
            {moment("day * 86400.0 + 28800 + u4 * 36000")} AS created,
            CASE WHEN state = 'failed' THEN 2 + u5 * 90 WHEN u5 < 0.95 THEN 9 + day * 0.002 + u5 * u5 * 40
                ELSE 60 + (u5 - 0.95) * 9000 END AS seconds,
            {pick(VERSIONS, f"day * {len(VERSIONS) - 1} / %(days)s + u3")} AS version,
            CASE WHEN k = 0 THEN 'create_cluster' WHEN u2 > 0.95 THEN 'recover_cluster' ELSE 'join_cluster' END
                AS action
        FROM chosen"""
    addressed = f"""
        SELECT named.*, {address("node")} AS address, {address("c * %(per_cluster)s")} AS member,
            {moment("day * 86400.0 + 28800 + u4 * 36000 + seconds")} AS ended_at,
            CASE WHEN u4 < 0.6 THEN 'node-' || CAST(node AS text) || '.' || {pick(SITES, "c")} || '.example.com'
                ELSE {ip("node")} END AS host,
            CASE WHEN state = 'failed' AND code = '' THEN {pick(REASONS, f"u3 * {len(REASONS)}")}
                WHEN state = 'failed' THEN 'node_error' WHEN state = 'cancelled' THEN 'cancelled'
                WHEN state = 'needs_operator' THEN {pick(WAITING, "n")} ELSE '' END AS reason
        FROM named"""
    values = {
        "count": count,
        "clusters": max(20, count // 50),
        "per_cluster": NODES_PER_CLUSTER,
        "open": OPEN,
        "days": DAYS,
        "codes": len(ErrorCode),
        "people": PEOPLE,
        "first_person": first_person,
    }
    steps = (("numbers", numbers), ("drawn", drawn), ("chosen", chosen), ("named", named), ("addressed", addressed))
    # otherwise each use of a name would compute it again
    with_steps = ", ".join(f"{name} AS MATERIALIZED ({step})" for name, step in steps)
    literals = {f"column_{name}": value for name, (value, is_literal) in columns.items() if is_literal}
    shown = (f"%(column_{name})s" if is_literal else value for name, (value, is_literal) in columns.items())
    statement = f"""
        INSERT INTO attempts_attempt ({", ".join(columns)})
        WITH {with_steps} SELECT {", ".join(shown)} FROM addressed"""
    execute(statement, values | literals)


def expressions():
    """Give the columns that differ from attempt to attempt, as SQL."""
    spelled = "lower({0})"
    for typed, stored in zip(".:-_[]@/%", "DCMUBEASP", strict=True):
        spelled = f"replace({spelled}, '{typed.replace('%', '%%')}', '{stored}')"
    fields = ("address", "host", "cluster", "member_address", "code", "reason")
    parts = {name: f"'{search_text.MARK}' || {spelled.format(name)}" for name in fields}
    host = f"CASE WHEN {starts_with('address', 'host')} THEN '' ELSE ' ' || {parts['host']} END"
    member = f"CASE WHEN member_address IN ('', address) THEN '' ELSE ' ' || {parts['member_address']} END"
    rest = [f"CASE WHEN {name} = '' THEN '' ELSE ' ' || {parts[name]} END" for name in ("code", "reason")]
    text = " || ".join([parts["address"], host, f"' ' || {parts['cluster']}", member, *rest])
    member_address = "CASE WHEN action = 'join_cluster' THEN member ELSE '' END"
    text = text.replace("member_address", f"({member_address})")
    pairs = ["'00'", *(f"':' || substr(CAST(c + 100000 AS text), {place}, 2)" for place in (1, 3, 5))]
    found = {
        "id": "gen_random_uuid()" if is_postgresql() else "lower(hex(randomblob(16)))",
        "requested_by_id": f"%(first_person)s + {floored('u2 * u2 * u2 * %(people)s')}",
        "action": "action",
        "host": "host",
        "address": "CASE WHEN ended THEN address ELSE '10.255.0.' || CAST(n %% 256 AS text) || ':9443' END",
        "cluster_name": "cluster",
        "member_address": member_address,
        "username": "'admin@example.com'",
        "request": json(f"'{REQUEST}'"),
        "facts": json(f"'{FACTS}' || version || '\"}}'"),
        "software_version": "version",
        "search_text": f"CASE WHEN ended THEN {text} ELSE '' END",
        "is_reviewed": "ended AND (state = 'failed' OR seconds > 45)",
        "state": "state",
        "reason": "reason",
        "node_state": "CASE WHEN state = 'succeeded' THEN 'completed' WHEN code <> '' THEN 'error' ELSE '' END",
        "error_code": "code",
        "error_details": json("""'{"message": "the node said why"}'"""),
        "fingerprint": "'" + ":".join(["AB"] * 32) + "'",
        "new_fingerprint": f"{' || '.join(pairs)} || '{':CD' * 28}'",
        "node_uid": "CASE WHEN state = 'succeeded' THEN CAST(k + 1 AS text) ELSE '' END",
        "listed_as": "CASE WHEN state = 'succeeded' THEN 'active' ELSE '' END",
        "submits": "CASE WHEN reason IN ('unreachable', 'validation', 'cancelled') THEN 0 ELSE 1 END",
        "created_at": "created",
        "started_at": "created",
        "ended_at": "CASE WHEN ended THEN ended_at END",
        "duration": "CASE WHEN ended THEN seconds END",
        "last_seq": "3",
        "next_tick_at": "created",
        "lease_expires_at": "created",
    }
    return {name: (value, False) for name, value in found.items()}


def add_events():
    kinds = [
        ("started", "Started by person"),
        ("submitting", "The request is being sent"),
        ("ended", "The attempt ended"),
    ]
    numbered = " UNION ALL ".join(
        f"SELECT {seq} AS seq, '{kind}' AS kind, '{message}' AS message" for seq, (kind, message) in enumerate(kinds, 1)
    )
    execute(f"""
        INSERT INTO attempts_event (attempt_id, seq, at, kind, message, data, by_id)
        SELECT attempts_attempt.id, kinds.seq, CASE WHEN kinds.seq = 3 THEN coalesce(ended_at, created_at)
            ELSE created_at END, kinds.kind, kinds.message, {json("'{}'")},
            CASE WHEN kinds.seq = 1 THEN requested_by_id END
        FROM attempts_attempt CROSS JOIN ({numbered}) AS kinds""")


def add_reviews(reviewer):
    """Mark all that failed and some others, and write a note about some."""
    execute(
        """INSERT INTO history_reviewmark (attempt_id, by_id, at)
        SELECT id, %(reviewer)s, ended_at FROM attempts_attempt WHERE is_reviewed""",
        {"reviewer": reviewer},
    )
    execute(
        """INSERT INTO history_reviewnote (attempt_id, by_id, at, text)
        SELECT id, %(reviewer)s, ended_at, 'Looked at it; the firewall was closed.' FROM attempts_attempt
        WHERE state = 'failed' AND error_code = ''""",
        {"reviewer": reviewer},
    )


def check_search_text():
    """Exit if SQL wrote another text than the product does."""
    for attempt in Attempt.objects.exclude(ended_at=None).order_by("-id")[:500]:
        if attempt.search_text != search_text.text_of(attempt):
            raise SystemExit(f"{attempt.search_text!r} is not {search_text.text_of(attempt)!r}")


def template(model):
    """Give each column's default, as a literal."""
    row = model()
    fields = [each for each in model._meta.concrete_fields if each.db_default is NOT_PROVIDED]
    return {each.column: (each.get_db_prep_save(getattr(row, each.attname), connection), True) for each in fields}


DRAWS = (
    (7919, 65537),
    (31337, 104729),
    (15485863, 49979687),
    (86028121, 9301),
    (32452843, 49297),
    (71, 233280),
    (941, 27644437),
)


def share(first, second):
    """A number from 0 to 1 that looks random, computed from the row's number."""
    return f"((n * n %% {PRIME} * {first} + n * {second}) %% {PRIME}) / CAST({PRIME} AS double precision)"


def floored(expression):
    whole = f"floor({expression})" if is_postgresql() else expression
    return f"CAST({whole} AS {'bigint' if is_postgresql() else 'integer'})"


def pick(words, number):
    """One of these words by a number, which counts modulo their number."""
    cases = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(words))
    return f"CASE {floored(number)} %% {len(words)} {cases} END"


def ip(node):
    return f"'10.' || {' || '.join(f'CAST({node} / {size} %% 256 AS text)' + dot for size, dot in OCTETS)}"


OCTETS = ((65536, " || '.'"), (256, " || '.'"), (1, ""))


def address(node):
    return f"{ip(node)} || ':9443'"


def starts_with(text, start):
    return f"substr({text}, 1, length({start})) = {start}"


def moment(seconds):
    """Seconds since the first day, as a time of the database."""
    first = datetime.combine(datetime.now(UTC), time.min, UTC) - timedelta(days=DAYS)
    if is_postgresql():
        return f"TIMESTAMPTZ '{first.isoformat()}' + ({seconds}) * INTERVAL '1 second'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', {first.timestamp():.0f} + {seconds}, 'unixepoch')"


def json(text):
    return f"CAST({text} AS jsonb)" if is_postgresql() else text


def is_postgresql():
    return connection.vendor == "postgresql"


def execute(statement, values=None):
    with connection.cursor() as cursor:
        cursor.execute(statement if values is not None else statement.replace("%%", "%"), values)


@contextmanager
def without_indexes(*models):
    """Let PostgreSQL create the indexes of these tables after they are filled, and check no keys meanwhile."""
    if not is_postgresql():
        yield
        return
    tables = [model._meta.db_table for model in models]
    # it writes no log of what is added to a table, and to an index, that the same transaction has made or emptied
    with transaction.atomic(), refilled(tables):
        yield


@contextmanager
def refilled(tables):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [tables],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        for _, definition in found:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = origin")


@contextmanager
def timed(what):
    begun = monotonic()
    yield
    print(f"{what}: {monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    fill(int(sys.argv[1]))
