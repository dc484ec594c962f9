"""Notifications of new events: sent after the commit, received by subscribers, and never waited for."""

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
from tests.attempts.attempt_rows import create_attempt
from tests.redis_servers import running_redis

ATTEMPT = uuid4()


@pytest.fixture
def redis(tmp_path, settings):
    with running_redis(tmp_path) as url:
        settings.REDIS_URL = url
        yield


@pytest.fixture
def published(monkeypatch):
    """The ids that would be published."""
    ids = []
    monkeypatch.setattr(pubsub._publisher, "put", ids.append)
    return ids


async def receive(publish):
    """Publish until a new subscriber receives it."""
    async with asyncio.timeout(10), aclosing(pubsub.subscribe()) as ids:
        receiving = asyncio.ensure_future(anext(ids))
        while not receiving.done():
            publish()
            await asyncio.wait([receiving], timeout=0.05)
        return receiving.result()


def test_subscriber_receives_a_published_id(redis):
    publisher = pubsub.Publisher()

    assert asyncio.run(receive(lambda: publisher.put(ATTEMPT))) == ATTEMPT


def test_subscriber_skips_messages_that_are_no_ids(redis, settings):
    publisher = pubsub.Publisher()

    def publish():
        publisher.put("not an id")
        publisher.put(ATTEMPT)

    assert asyncio.run(receive(publish)) == ATTEMPT


def test_publisher_and_subscriber_find_a_server_that_starts_later(tmp_path, settings):
    settings.REDIS_URL = f"unix://{tmp_path / 'redis.sock'}?db=0"
    publisher = pubsub.Publisher()
    publisher.put(ATTEMPT)

    async def subscribe_before_the_server_starts():
        async with asyncio.timeout(15), aclosing(pubsub.subscribe()) as ids:
            receiving = asyncio.ensure_future(anext(ids))
            await asyncio.sleep(0.1)
            with running_redis(tmp_path):
                while not receiving.done():
                    publisher.put(ATTEMPT)
                    await asyncio.wait([receiving], timeout=0.1)
            return receiving.result()

    assert asyncio.run(subscribe_before_the_server_starts()) == ATTEMPT


def test_publisher_does_not_wait_for_a_frozen_server(settings):
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # accepts connections and stays silent
        settings.REDIS_URL = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        publisher = pubsub.Publisher()
        began = time.monotonic()

        for _ in range(3 * pubsub.MAX_PENDING):
            publisher.put(ATTEMPT)

        assert time.monotonic() - began < 5  # each would wait for seconds


@pytest.fixture
def attempt(maria):
    return create_attempt(
        requested_by=maria, action="create_cluster", address="10.0.0.5:9443", request={}, lease_held=True
    )


@pytest.mark.django_db(transaction=True)
def test_notification_is_sent_after_the_commit(attempt, published):
    with transaction.atomic():
        claim(attempt.pk)
        assert published == []

    assert published == [attempt.pk]


@pytest.mark.django_db(transaction=True)
def test_rollback_sends_no_notification(attempt, published):
    with transaction.atomic():
        claim(attempt.pk)
        transaction.set_rollback(True)

    assert published == []


@pytest.mark.django_db(transaction=True)
def test_claim_without_an_event_sends_no_notification(attempt, published):
    Attempt.objects.update(lease_held=False)

    claim(attempt.pk)

    assert published == []
