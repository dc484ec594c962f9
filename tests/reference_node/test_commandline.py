import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from .conftest import Caller, create_request
from .running import REPOSITORY, node_command


def run(*arguments: str, cwd: object = REPOSITORY) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "setup_wizard.reference_node", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bind", "node-1"], "'node-1' is not an IPv4 or IPv6 address"),
        (["--port", "70000"], "'70000' is not a port"),
        (["--pace", "-1"], "'-1' is not a number of seconds"),
        (["--pace", "nan"], "'nan' is not a number of seconds"),
        (["--fault", "explode"], "There is no fault 'explode'. Known: "),
        (["--fault", "hold-post=soon"], "It is used as hold-post=SECONDS"),
        (["--what"], "unrecognized arguments: --what"),
    ],
)
def test_a_bad_option_is_named_and_ends_with_code_2(arguments, words):
    ended = run(*arguments)

    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stdout == ""


def test_a_taken_port_is_named_before_anything_is_ready(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = run("--port", str(port), "--data", str(tmp_path / "node"))

    assert ended.returncode == 1
    assert ended.stderr == (f"reference node: Port {port} of 127.0.0.1 is taken. Choose another with --port.\n")
    assert ended.stdout == ""


def test_an_address_of_another_machine_is_named(tmp_path):
    ended = run("--bind", "192.0.2.77", "--port", "0", "--data", str(tmp_path / "node"))

    assert ended.returncode == 1
    assert "192.0.2.77 is not an address of this machine" in ended.stderr


def test_a_directory_belongs_to_one_node_at_a_time(start):
    node = start()

    ended = run("--port", "0", "--data", str(node.directory))

    assert ended.returncode == 1
    assert f"{node.directory} belongs to a node that is running" in ended.stderr
    assert Caller(node.address).get().status_code == 200


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda path: path.touch(), "cannot be used"),
        (lambda path: (path.mkdir(), (path / "node.json").write_text("{")), "node.json cannot be read"),
        (lambda path: (path.mkdir(), (path / "node.json").write_text('{"version": 9}')), "is of version 9"),
    ],
)
def test_a_directory_that_cannot_be_used_is_named(tmp_path, prepare, words):
    prepare(tmp_path / "node")

    ended = run("--port", "0", "--data", str(tmp_path / "node"))

    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_line_shows_where_the_node_listens(tmp_path):
    command = node_command(tmp_path / "node", "127.0.0.2", 0, 3, ())
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    line = process.stdout.readline()
    took = time.monotonic() - began
    address = line.split("https://")[1].split(" ")[0]
    answered = Caller(address).get().status_code
    process.send_signal(signal.SIGTERM)
    rest, complaints = process.communicate(timeout=5)

    assert line == f"reference node listening on https://{address} (data in {tmp_path / 'node'})\n"
    assert answered == 200
    assert (rest, complaints) == ("", "")
    assert took < 5  # usually 0.3 s; the machine may be busy


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_node_with_open_connections_and_held_requests(start, number):
    node = start(faults=("hold-post=60",))
    caller = Caller(node.address)
    idle, busy = caller.connect(), caller.connect()

    with idle, busy:
        busy.sendall(create_request())
        caller.get()
        began = time.monotonic()
        node.process.send_signal(number)
        code = node.process.wait(10)
        took = time.monotonic() - began

    assert code == 0
    assert took < 8  # the request is held for a minute


def test_a_stopped_node_prints_its_line_only(start):
    node = start(faults=("drop-answer=silence",))
    caller = Caller(node.address)
    caller.give_up_after(0.2)

    node.stop()

    assert node.said == []


def test_the_help_shows_the_defaults(tmp_path):
    shown = run("--help", cwd=tmp_path)

    assert "default: 127.0.0.1" in shown.stdout
    assert "default: 9443" in shown.stdout
    assert "default: var/reference_node" in shown.stdout
