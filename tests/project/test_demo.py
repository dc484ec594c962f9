"""`make demo` in a copy of the checkout: start, sign-in link, killed programs, stop."""

import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demos import Demo, session_of
from tests.project.processes import is_running, wait_until

PROGRAMS = ["node-1", "node-2", "node-3", "supervisor", "valkey", "web", "worker"]

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("clone")).start()
    yield demo
    demo.clean_up()


@pytest.fixture
def clone(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    demo.clean_up()


def test_the_link_signs_in_once(demo):
    first = demo.get(demo.link)
    start_page = demo.get("/setup/", cookie=session_of(first))

    second = demo.get(demo.link)

    assert (first.status, first.headers["Location"]) == (302, "/")
    assert start_page.status == 200
    assert second.status == 410
    assert session_of(second) == ""


def test_the_link_is_in_no_log(demo):
    token = demo.link.rstrip("/").rpartition("/")[2]
    demo.get(demo.link)

    logs = "".join(log.read_text() for log in (demo.path / "var" / "demo" / "logs").iterdir())

    assert "Uvicorn running" in logs
    assert token not in logs


def test_three_nodes_respond_and_are_in_the_nodes_file(demo):
    for node in demo.nodes:
        host, port = node["address"].split(":")
        socket.create_connection((host, int(port)), timeout=2).close()

    assert [node["pid"] for node in demo.nodes] == [demo.pids[f"node-{number}"] for number in (1, 2, 3)]
    assert all(Path(node["journal"]).is_file() for node in demo.nodes)


def test_fingerprints_file_has_the_certificates_that_nodes_show(demo):
    shown = [ssl.get_server_certificate(tuple(node["address"].split(":"))) for node in demo.nodes]
    digests = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() for pem in shown]

    lines = (demo.path / "var" / "demo" / "fingerprints").read_text().splitlines()

    assert [line.partition("=")[0] for line in lines] == ["sha256 Fingerprint"] * 3
    assert [line.partition("=")[2].replace(":", "").lower() for line in lines] == digests


def test_fingerprints_file_follows_a_certificate_that_is_written_late(demo):
    file = demo.path / "var" / "demo" / "fingerprints"
    complete = file.read_text()
    file.write_text("")

    next((demo.path / "var" / "demo" / "nodes").rglob("certificate.pem")).touch()

    assert wait_until(file.read_text) == complete


def test_every_program_runs(demo):
    assert sorted(demo.pids) == PROGRAMS
    assert all(map(is_running, demo.pids.values()))


@pytest.mark.skipif(sys.platform != "linux", reason="looks where Linux shows a process's arguments and environment")
def test_no_process_shows_a_secret(demo):
    secrets = [file.read_bytes() for file in (demo.path / "var" / "demo" / "secrets").iterdir()]

    shown = [
        Path(f"/proc/{pid}/{what}").read_bytes()
        for pid in [demo.process.pid, *demo.pids.values()]
        for what in ("cmdline", "environ")
    ]

    assert len(secrets) == 2
    assert not any(secret in each for secret in secrets for each in shown)


def test_other_accounts_cannot_read_the_demo_directory(demo):
    assert (demo.path / "var" / "demo").stat().st_mode & 0o077 == 0
    assert (demo.path / "var" / "demo" / "valkey" / "valkey.sock").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("program", ["web", "worker", "supervisor", "valkey"])
def test_a_killed_program_is_restarted(demo, program):
    killed = demo.pids[program]

    os.kill(killed, signal.SIGKILL)

    wait_until(
        lambda: is_running(demo.pids.get(program, killed)) and demo.pids.get(program, killed) != killed, seconds=5
    )
    wait_until(lambda: f"\n{program} was killed by signal 9; starting it again now" in demo.said)
    wait_until(demo.answers)


def test_the_nodes_file_has_the_new_process_of_a_killed_node(demo):
    killed = demo.nodes[1]["pid"]

    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: demo.nodes[1]["pid"] not in {killed, None}, seconds=5)
    wait_until(lambda: demo.pids.get("node-2") == demo.nodes[1]["pid"])


def test_a_stopped_node_is_silent_until_it_continues(demo):
    address = tuple(demo.nodes[2]["address"].split(":"))

    def signal_node(name):
        command = f"kill -{name} $(head -n 1 var/demo/pids/node-3)"
        subprocess.run(["/bin/sh", "-c", command], check=True, cwd=demo.path)

    signal_node("STOP")
    try:
        with pytest.raises(TimeoutError):
            ssl.get_server_certificate(address, timeout=1)
    finally:
        signal_node("CONT")

    assert ssl.get_server_certificate(address, timeout=10)


def test_a_second_start_prints_another_link_to_the_running_demo(demo):
    second = demo.launch()

    said, _ = second.communicate(timeout=20)

    assert second.returncode == 0
    assert f"already running at http://127.0.0.1:{demo.port}/ (process {demo.process.pid})" in said
    link = re.search(r"^Open (\S+)$", said, re.MULTILINE)[1]
    assert demo.get(link).status == 302
    assert demo.process.poll() is None


def test_data_is_not_deleted_while_the_demo_runs(demo):
    command = [sys.executable, "-m", "setup_wizard.project.demo", "reset"]

    result = subprocess.run(command, check=False, cwd=demo.path, capture_output=True, text=True)

    assert result.returncode == 1
    assert "already running" in result.stdout
    assert "Open" not in result.stdout
    assert (demo.path / "var" / "demo" / "demo.sqlite3").exists()


def test_a_taken_port_is_named_before_anything_starts(clone):
    with socket.create_server(("127.0.0.1", clone.port)):
        refused = clone.launch()
        said, _ = refused.communicate(timeout=20)

    assert refused.returncode == 1
    assert re.fullmatch(
        rf"Port {clone.port} of 127\.0\.0\.1 is taken\. Choose another: DEMO_PORT=\d+ make demo\n", said
    )
    assert not (clone.path / "var" / "demo" / "pids").exists()


@pytest.mark.slow
def test_a_stopped_or_killed_demo_leaves_no_process_and_keeps_its_data(clone):
    clone.start()
    secret = (clone.path / "var" / "demo" / "secrets" / "secret-key").read_text()
    signed_in = session_of(clone.get(clone.link))
    first = clone.pids

    began = time.monotonic()
    code = clone.stop()
    stopping = time.monotonic() - began

    assert code == 0
    assert stopping < 10
    assert not any(map(is_running, first.values()))
    assert clone.pids == {}

    clone.start()  # how long that takes is measured in benchmarks/start.py
    second = clone.pids

    assert (clone.path / "var" / "demo" / "secrets" / "secret-key").read_text() == secret
    assert clone.get("/setup/", cookie=signed_in).status == 200

    clone.stop(signal.SIGKILL)

    wait_until(lambda: not any(map(is_running, second.values())), seconds=3)
    clone.start()
    assert clone.get("/setup/", cookie=signed_in).status == 200
