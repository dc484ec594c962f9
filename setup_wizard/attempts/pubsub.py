"""Notify every web process over Redis when an attempt, or a run of attempts, has a new event.

The message is its id and nothing else; the event is in the database. Web processes poll once a second anyway, so a lost
message costs at most a second. That is why publishing never fails and never waits: a thread does it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from queue import Empty, Full, Queue
from threading import Lock, Thread
from uuid import UUID

from django.db import transaction
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from setup_wizard.attempts.redis_client import make_async_client, make_client
from setup_wizard.failpoints import Point, reach

CHANNEL = "setup_wizard:news"
TIMEOUT_SECONDS = 0.3
PAUSE_SECONDS = 1.0  # after a failure; no longer than the interval at which web processes poll
MAX_PENDING = 1000
SILENCE_SECONDS = 10.0  # a subscription without messages for this long gets a ping

logger = logging.getLogger(__name__)


def notify(changed: UUID) -> None:
    """Publish the id of what has changed once the transaction is committed; never waits, never fails."""
    transaction.on_commit(partial(_publisher.put, changed), robust=True)


class Publisher:
    """Publishes ids from a thread, which starts with the first one."""

    def __init__(self) -> None:
        self._pending: Queue[UUID] = Queue(MAX_PENDING)
        self._starting = Lock()
        self._thread: Thread | None = None

    def put(self, changed: UUID) -> None:
        """Publish an id soon; drop it while too many are pending."""
        with suppress(Full):
            self._pending.put_nowait(changed)
        with self._starting:
            if self._thread is None or not self._thread.is_alive():  # threads do not survive a fork
                self._thread = Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        client = make_client(TIMEOUT_SECONDS)
        reachable = True
        while True:
            changed = self._pending.get()
            try:
                reach(Point.NOTIFY_SEND)
                client.publish(CHANNEL, str(changed))
            except (RedisError, OSError) as failure:
                if reachable:
                    logger.info("cannot notify web processes, they poll once a second: %s", type(failure).__name__)
                reachable = False
                time.sleep(PAUSE_SECONDS)
                self._drop_pending()
            else:
                reachable = True

    def _drop_pending(self) -> None:
        with suppress(Empty):
            while True:
                self._pending.get_nowait()


_publisher = Publisher()


async def subscribe() -> AsyncIterator[UUID]:
    """Yield the id of each thing with a new event, forever; while Redis is away, nothing comes and nothing fails."""
    while True:
        client = make_async_client(TIMEOUT_SECONDS)
        try:
            async with client, client.pubsub() as subscription:
                await subscription.subscribe(CHANNEL)
                async for changed in _messages(subscription):
                    yield changed
        except (RedisError, OSError, TimeoutError) as failure:
            logger.debug("cannot receive notifications: %s", type(failure).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def _messages(subscription: PubSub) -> AsyncIterator[UUID]:
    """Yield each id until the connection fails, or is silent and does not answer a ping."""
    pinged = False
    while True:
        message = await subscription.get_message(timeout=SILENCE_SECONDS)
        if message is None:
            if pinged:
                return
            await subscription.ping()
        pinged = message is None
        if message is not None and message["type"] == "message":
            with suppress(ValueError):  # another program published on our channel
                yield UUID(message["data"].decode())
