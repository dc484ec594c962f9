"""One `REDIS_URL` for people, two spellings for libraries."""

from urllib.parse import parse_qs, quote, urlsplit


def celery_broker_url(redis_url: str) -> str:
    """Spell a redis-py address as Celery wants it: only a unix socket differs.

    Reference: redis-py's `unix://user:password@/path?db=0` is kombu's `redis+socket://user:password@/path?virtual_host=0`.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    # the words before the @ are spelt as in any URL; those after the ? win where there are none, as in redis-py
    user = parts.username or quote(asked.get("username", ""), safe="")
    password = parts.password or quote(asked.get("password", ""), safe="")
    sign_in = f"{user}:{password}@" if user or password else ""
    return f"redis+socket://{sign_in}{parts.path}?virtual_host={asked.get('db', '0')}"
