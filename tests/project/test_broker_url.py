"""redis-py and Celery reach the same broker by one URL."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from kombu import Connection
from redis import Redis

from setup_wizard.project.broker_url import celery_broker_url
from setup_wizard.project.demo.broker import find_server, server_arguments


@pytest.fixture
def server_socket():
    """A server as in the demo, in a directory with a short path."""
    directory = Path(tempfile.mkdtemp(prefix="setup-wizard-test-"))
    socket = directory / "valkey.sock"
    arguments = server_arguments(find_server(os.environ), socket, directory)
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    while not socket.exists():
        assert server.poll() is None
        time.sleep(0.01)
    yield socket
    server.kill()
    server.wait()
    shutil.rmtree(directory)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "rediss://:a%20word@redis.example.com:6380/3"])
def test_a_network_url_is_the_same_for_both_libraries(url):
    assert celery_broker_url(url) == url


@pytest.mark.parametrize("database", ["", "?db=2"])
def test_celery_and_redis_py_use_the_same_database_of_a_socket(server_socket, database):
    url = f"unix://{server_socket}{database}"

    with Connection(celery_broker_url(url)) as connection, connection.SimpleQueue("bell") as queue:
        queue.put("ding")

    with Redis.from_url(url) as client:
        assert client.llen("bell") == 1


@pytest.mark.parametrize(
    "url",
    [
        "unix://:a%20word%2F@{socket}?db=2",
        "unix://{socket}?db=2&password=a%20word%2F",
        "unix://default:a%20word%2F@{socket}?db=2",
        "unix://{socket}?db=2&username=default&password=a%20word%2F",
    ],
)
def test_both_libraries_open_a_socket_with_a_password(server_socket, url):
    url = url.format(socket=server_socket)
    with Redis(unix_socket_path=str(server_socket)) as client:
        client.config_set("requirepass", "a word/")

    with Connection(celery_broker_url(url)) as connection, connection.SimpleQueue("bell") as queue:
        queue.put("ding")
        shown = connection.as_uri()

    with Redis.from_url(url) as client:
        assert client.llen("bell") == 1
    assert "word" not in shown
