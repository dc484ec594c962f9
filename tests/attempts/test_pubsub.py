"""The bell rings after the commit, reaches whoever listens, and holds nobody up."""

import asyncio
import socket
import time
from contextlib import aclosing
from uuid import uuid4

import pytest
from django.db import transaction

from setup_wizard.attempts import pubsub
from setup_wizard.attempts.engine.lease import claim
from setup_wizard.attempts.models import Attempt
from tests.live.streams import run_redis

ATTEMPT = uuid4()


@pytest.fixture
def redis(tmp_path, settings):
    with run_redis(tmp_path) as url:
        settings.REDIS_URL = url
        yield


@pytest.fixture
def rung(monkeypatch):
    """What is rung for, instead of the server."""
    heard = []
    monkeypatch.setattr(pubsub._ringer, "put", heard.append)
    return heard


async def first_ring(ring):
    """Ring again and again, as attempts do, until somebody who has just begun to listen hears it."""
    async with asyncio.timeout(10), aclosing(pubsub.listen()) as rings:
        hearing = asyncio.ensure_future(anext(rings))
        while not hearing.done():
            ring()
            await asyncio.wait([hearing], timeout=0.05)
        return hearing.result()


def test_a_ring_is_heard(redis):
    ringer = pubsub.Publisher()

    assert asyncio.run(first_ring(lambda: ringer.put(ATTEMPT))) == ATTEMPT


def test_a_word_that_is_no_attempt_is_passed_over(redis, settings):
    ringer = pubsub.Publisher()

    def ring():
        ringer.put("somebody else's word")
        ringer.put(ATTEMPT)

    assert asyncio.run(first_ring(ring)) == ATTEMPT


def test_a_server_that_comes_later_is_found(tmp_path, settings):
    settings.REDIS_URL = f"unix://{tmp_path / 'redis.sock'}?db=0"
    ringer = pubsub.Publisher()
    ringer.put(ATTEMPT)

    async def begin_to_listen_before_it_is_there():
        async with asyncio.timeout(15), aclosing(pubsub.listen()) as rings:
            hearing = asyncio.ensure_future(anext(rings))
            await asyncio.sleep(0.1)
            with run_redis(tmp_path):
                while not hearing.done():
                    ringer.put(ATTEMPT)
                    await asyncio.wait([hearing], timeout=0.1)
            return hearing.result()

    assert asyncio.run(begin_to_listen_before_it_is_there()) == ATTEMPT


def test_a_frozen_server_holds_nobody_up(settings):
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections and says nothing
        settings.REDIS_URL = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        ringer = pubsub.Publisher()
        began = time.monotonic()

        for _ in range(3 * pubsub.WAITING_RINGS):
            ringer.put(ATTEMPT)

        assert time.monotonic() - began < 5  # each would wait for seconds


@pytest.fixture
def attempt(maria):
    return Attempt.objects.create(
        requested_by=maria, action="create_cluster", address="10.0.0.5:9443", request={}, lease_held=True
    )


@pytest.mark.django_db(transaction=True)
def test_it_rings_when_what_is_new_is_committed(attempt, rung):
    with transaction.atomic():
        claim(attempt.pk)
        assert rung == []

    assert rung == [attempt.pk]


@pytest.mark.django_db(transaction=True)
def test_it_does_not_ring_for_what_was_taken_back(attempt, rung):
    with transaction.atomic():
        claim(attempt.pk)
        transaction.set_rollback(True)

    assert rung == []


@pytest.mark.django_db(transaction=True)
def test_a_step_without_news_does_not_ring(attempt, rung):
    Attempt.objects.update(lease_held=False)

    claim(attempt.pk)

    assert rung == []
