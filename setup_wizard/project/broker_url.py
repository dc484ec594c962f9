"""Translate `REDIS_URL` for Celery."""

from urllib.parse import parse_qs, quote, urlsplit


def celery_broker_url(redis_url: str) -> str:
    """Return the URL that Celery needs for a redis-py URL; only unix sockets differ.

    Reference: redis-py's `unix://user:password@/path?db=0` is kombu's `redis+socket://user:password@/path?virtual_host=0`.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    # as in redis-py, credentials before the @ take precedence over those in the query
    user = parts.username or quote(options.get("username", ""), safe="")
    password = parts.password or quote(options.get("password", ""), safe="")
    credentials = f"{user}:{password}@" if user or password else ""
    return f"redis+socket://{credentials}{parts.path}?virtual_host={options.get('db', '0')}"
