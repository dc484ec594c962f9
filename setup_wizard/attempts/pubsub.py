"""The bell: "there is news of attempt X", from whoever moved it to every web process, over Redis.

It carries an attempt's id and nothing else; what is new stands in the row. A ring that is lost costs a second, because
web processes look once a second anyway. So ringing never fails and never waits: a thread of its own does it.

Reference: docs/failure-modes.md, D1 and D10.
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
PAUSE_SECONDS = 1.0  # after a ring that failed: nobody misses more than the look that comes anyway
WAITING_RINGS = 1000
SILENCE_SECONDS = 10.0  # a subscription that says nothing for so long is asked whether it still stands

logger = logging.getLogger(__name__)


def ring(attempt_id: UUID) -> None:
    """Say, once the transaction is committed, that there is news of this attempt; never waits, never fails."""
    transaction.on_commit(partial(_ringer.put, attempt_id), robust=True)


class Publisher:
    """Rings in a thread of its own, which begins with the first ring."""

    def __init__(self) -> None:
        self._rings: Queue[UUID] = Queue(WAITING_RINGS)
        self._beginning = Lock()
        self._thread: Thread | None = None

    def put(self, attempt_id: UUID) -> None:
        """Ring for this attempt soon; while more wait than anybody could miss, it is left out."""
        with suppress(Full):
            self._rings.put_nowait(attempt_id)
        with self._beginning:
            if self._thread is None or not self._thread.is_alive():  # a fork takes no threads along
                self._thread = Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        client = make_client(TIMEOUT_SECONDS)
        reachable = True
        while True:
            attempt_id = self._rings.get()
            try:
                reach(Point.NOTIFY_SEND)
                client.publish(CHANNEL, str(attempt_id))
            except (RedisError, OSError) as failure:
                if reachable:
                    logger.info("the bell cannot ring, pages look once a second instead: %s", type(failure).__name__)
                reachable = False
                time.sleep(PAUSE_SECONDS)
                self._forget()
            else:
                reachable = True

    def _forget(self) -> None:
        with suppress(Empty):
            while True:
                self._rings.get_nowait()


_ringer = Publisher()


async def listen() -> AsyncIterator[UUID]:
    """Give the id of each attempt that is rung for, for ever; while Redis is away nothing comes, and nothing fails."""
    while True:
        client = make_async_client(TIMEOUT_SECONDS)
        try:
            async with client, client.pubsub() as subscription:
                await subscription.subscribe(CHANNEL)
                async for attempt_id in _rings(subscription):
                    yield attempt_id
        except (RedisError, OSError, TimeoutError) as failure:
            logger.debug("the bell cannot be heard: %s", type(failure).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def _rings(subscription: PubSub) -> AsyncIterator[UUID]:
    """Give each ring until the connection fails, or has been silent and does not answer when it is asked."""
    asked = False
    while True:
        message = await subscription.get_message(timeout=SILENCE_SECONDS)
        if message is None:
            if asked:
                return
            await subscription.ping()
        asked = message is None
        if message is not None and message["type"] == "message":
            with suppress(ValueError):  # whoever else may publish here
                yield UUID(message["data"].decode())
