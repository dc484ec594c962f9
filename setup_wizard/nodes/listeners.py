"""Host and port of this product's own database, queue and pages, from the URLs in its settings.

A PostgreSQL URL may name several servers, in its authority and its query, and libpq reads the rest from the
environment. A Redis URL may name its host in the query, and Celery takes a list of URLs. An extra host does no harm; a
missing one could be probed like a node.
"""

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

PORTS: Final = {
    "postgres": 5432,
    "postgresql": 5432,
    "pgsql": 5432,
    "postgis": 5432,
    "mysql": 3306,
    "redis": 6379,
    "rediss": 6379,
    "valkey": 6379,
    "valkeys": 6379,
    "sentinel": 26379,
}
LIBPQ: Final = frozenset({"postgres", "postgresql", "pgsql", "postgis"})
_LIST: Final = re.compile(r";(?=[a-z+]+://)")
_HOST_AND_PORT: Final = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?")


def listeners(urls: str) -> frozenset[tuple[str, int]]:
    """Return every host, as written, with every port it may have; nothing for a file or a socket."""
    return frozenset(each for url in _LIST.split(urls) for each in _listeners(url))


def _listeners(url: str) -> Iterator[tuple[str, int]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    scheme = parts.scheme.partition("+")[0]
    query = {
        name: [word for value in values for word in value.split(",")] for name, values in parse_qs(parts.query).items()
    }
    if scheme in LIBPQ:
        for name, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"), ("port", "PGPORT")):
            query.setdefault(name, []).extend(filter(None, os.environ.get(variable, "").split(",")))
    hosts = [*query.get("host", []), *query.get("hostaddr", [])]
    ports = [int(port) for port in query.get("port", []) if port.isdecimal()]
    for authority in re.split("[,;]", parts.netloc.rpartition("@")[2]):
        if found := _HOST_AND_PORT.fullmatch(authority):
            hosts.append(unquote(found[1] or found[2] or ""))
            ports += [int(found[3])] if found[3] else []
    for port in ports or [PORTS.get(scheme, 0)]:
        yield from ((host.lower(), port) for host in hosts if host and port and not host.startswith(("/", "@")))
