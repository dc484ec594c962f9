"""Redis clients that try once and fail fast, because nothing may wait for Redis."""

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry


def make_client(timeout: float) -> redis.Redis:
    """Make a client with a timeout in seconds for the connection and for each answer."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=timeout, socket_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


def make_async_client(timeout: float) -> redis.asyncio.Redis:
    """Make the same client for asyncio."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=timeout, socket_timeout=timeout, retry=AsyncRetry(NoBackoff(), 0)
    )
