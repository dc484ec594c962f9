"""redis-py and Celery reach the same broker by one URL."""

from urllib.parse import urlsplit

import pytest
from kombu import Connection
from redis import Redis

from setup_wizard.project.broker_url import celery_broker_url
from tests.redis_servers import running_redis


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "rediss://:a%20word@redis.example.com:6380/3"])
def test_a_network_url_is_the_same_for_both_libraries(url):
    assert celery_broker_url(url) == url


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("unix://{socket}", ""),
        ("unix://{socket}?db=2", ""),
        ("unix://:a%20word%2F@{socket}?db=2", "a word/"),
        ("unix://{socket}?db=2&password=a%20word%2F", "a word/"),
        ("unix://default:a%20word%2F@{socket}?db=2", "a word/"),
        ("unix://{socket}?db=2&username=default&password=a%20word%2F", "a word/"),
    ],
)
def test_celery_and_redis_py_use_the_same_database_of_a_socket(url, password):
    with running_redis() as plain:
        url = url.format(socket=urlsplit(plain).path)
        with Redis.from_url(plain) as client:
            client.config_set("requirepass", password)

        with Connection(celery_broker_url(url)) as connection, connection.SimpleQueue("bell") as queue:
            queue.put("ding")
            shown = connection.as_uri()

        with Redis.from_url(url) as client:
            assert client.llen("bell") == 1
    assert "word" not in shown
