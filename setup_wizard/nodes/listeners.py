"""Where this product's own database and queue answer, read from the URLs in its settings.

A PostgreSQL URL may name several servers, in its authority and in its query, and libpq reads what is left from the
environment; a URL of redis-py may name its host in the query, and one of Celery may be a list. A host too many is
harmless here, one that is missing could be asked like a node.
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
_SEVERAL: Final = re.compile(r";(?=[a-z+]+://)")
_PLACE: Final = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?")


def listeners(urls: str) -> frozenset[tuple[str, int]]:
    """Give every host, as it is written, with every port that it may have; nothing for a file or a socket."""
    return frozenset(each for url in _SEVERAL.split(urls) for each in _listeners(url))


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
    for place in re.split("[,;]", parts.netloc.rpartition("@")[2]):
        if found := _PLACE.fullmatch(place):
            hosts.append(unquote(found[1] or found[2] or ""))
            ports += [int(found[3])] if found[3] else []
    for port in ports or [PORTS.get(scheme, 0)]:
        yield from ((host.lower(), port) for host in hosts if host and port and not host.startswith(("/", "@")))
