"""One `REDIS_URL` for people, two spellings for libraries."""

from urllib.parse import parse_qs, urlsplit


def celery_broker_url(redis_url: str) -> str:
    """Spell a redis-py address as Celery wants it: only a unix socket differs.

    Reference: redis-py's `unix:///path?db=0` is kombu's `redis+socket:///path?virtual_host=0`.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"
