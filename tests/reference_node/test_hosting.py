"""Many nodes in one process."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from setup_wizard.reference_node.errors import CannotStart
from setup_wizard.reference_node.hosting import plan_nodes
from tests.project.processes import free_port, wait_until

from .conftest import MARIA, Caller
from .running import REPOSITORY

COMMAND = [sys.executable, "-m", "setup_wizard.reference_node"]


class Swarm:
    """Nodes in one process, as a script starts them."""

    def __init__(self, data, count, *options):
        self.data = data
        command = [*COMMAND, "--data", str(data), "--count", str(count), *options]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait(self):
        self.line = self.process.stdout.readline()
        assert self.line, self.process.stderr.read()
        self.nodes = json.loads((self.data / "nodes.json").read_text())
        self.callers = [Caller(node["address"]) for node in self.nodes]
        return self

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture
def swarm(tmp_path):
    swarms = []

    def start(count, *options, data=tmp_path / "nodes"):
        swarms.append(Swarm(data, count, *options))
        return swarms[-1]

    yield start
    for each in swarms:
        each.process.kill()
        each.process.communicate()


def ports_in_a_row(count):
    """The first of some ports of 127.0.0.1 that are free one after the other."""
    while True:
        first = free_port()
        with socket.socket() as tried:
            if all(tried.connect_ex(("127.0.0.1", first + index)) for index in range(count)):
                return first


def shown_certificate(caller):
    with caller.connect() as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def test_thirty_nodes_in_one_process_are_independent(swarm):
    port = free_port()
    nodes = swarm(30, "--light", "--bind", "127.0.0.2", "--port", str(port), "--pace", "0.05").wait()
    first, second, third, *idle = nodes.callers

    first.create()
    first.wait_until("completed")
    for newcomer in (second, third):
        newcomer.post("join_cluster", join_without_port(first))
        assert newcomer.wait_until("completed", "error")["state"] == "completed"

    assert [(entry["uid"], entry["addr"], entry["status"]) for entry in third.get("/v1/nodes", auth=MARIA).json()] == [
        (1, "127.0.0.2", "active"),
        (2, "127.0.0.3", "active"),
        (3, "127.0.0.4", "active"),
    ]
    assert {caller.status()["state"] for caller in idle} == {"idle"}
    certificates = [shown_certificate(caller).fingerprint(hashes.SHA256()) for caller in nodes.callers]
    assert len(set(certificates[:3])) == 1  # the cluster's
    assert len(set(certificates)) == 28
    posts = [journal_paths(node["journal"], "POST") for node in nodes.nodes]
    assert [line.rpartition("/")[2] for line in posts[0] if "/v1/" in line] == ["create_cluster"]
    assert [line.rpartition("/")[2] for each in posts[1:3] for line in each if "/v1/" in line] == ["join_cluster"] * 2
    assert not any(posts[3:])


def journal_paths(journal, method):
    lines = [json.loads(line) for line in Path(journal).read_text().splitlines()]
    return [line["path"] for line in lines if line.get("method") == method]


def join_without_port(member):
    """As real nodes are joined: all of them answer on one port."""
    return {
        "cluster": {"nodes": [member.host]},
        "credentials": {"username": MARIA[0], "password": MARIA[1]},
    }


def test_the_list_of_nodes_is_there_while_they_run(swarm):
    port = free_port()
    nodes = swarm(3, "--bind", "127.0.0.2", "--port", str(port)).wait()

    ended = nodes.stop(signal.SIGINT)

    assert nodes.line == (
        f"3 reference nodes listening on https://127.0.0.2:{port} to https://127.0.0.4:{port} "
        f"(listed in {nodes.data / 'nodes.json'})\n"
    )
    assert nodes.nodes == [
        {
            "address": f"127.0.0.{number + 1}:{port}",
            "pid": nodes.process.pid,
            "journal": str(nodes.data / f"node-{number}" / "journal.jsonl"),
        }
        for number in (1, 2, 3)
    ]
    assert ended == (0, ("", ""))
    assert not (nodes.data / "nodes.json").exists()


def test_each_node_keeps_its_state_after_a_restart(swarm):
    options = ("--bind", "127.0.0.2", "--port", str(free_port()), "--pace", "0.05")
    before = swarm(3, *options).wait()
    before.callers[1].create()
    before.callers[1].wait_until("completed")
    certificates = [shown_certificate(caller) for caller in before.callers]
    before.process.kill()
    before.process.wait()

    after = swarm(3, *options).wait()

    assert [caller.status()["state"] for caller in after.callers] == ["idle", "completed", "idle"]
    assert [shown_certificate(caller) for caller in after.callers] == certificates


def test_a_fault_that_happens_once_happens_once_to_each(swarm):
    nodes = swarm(2, "--port", "0", "--pace", "0.05", "--fault", "drop-answer=502").wait()

    answers = [caller.create().status_code for caller in nodes.callers]

    assert answers == [502, 502]


def test_a_node_that_cannot_start_is_named_and_stops_the_others(swarm):
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.3", port))
        taken.listen()

        code, (said, complaint) = swarm(3, "--bind", "127.0.0.2", "--port", str(port)).stop(0)

    assert (code, said) == (1, "")
    assert complaint == (
        f"reference node: node-2 cannot start: Port {port} of 127.0.0.3 is taken. Choose another with --port.\n"
    )


def test_running_nodes_keep_their_directories_and_their_list(swarm):
    running = swarm(2, "--port", "0").wait()

    code, (_, complaint) = swarm(2, "--port", "0").stop(0)

    assert code == 1
    assert f"node-1 cannot start: {running.data / 'node-1'} belongs to a node that is running" in complaint
    assert json.loads((running.data / "nodes.json").read_text()) == running.nodes


def test_an_interrupt_stops_nodes_that_still_start(swarm):
    nodes = swarm(1000, "--port", "0")
    wait_until((nodes.data / "node-3" / "node.json").exists, 20)

    code, said = nodes.stop(signal.SIGINT)

    assert (code, said) == (0, ("", ""))
    assert not (nodes.data / "node-1000" / "node.json").exists()


def test_successive_addresses_share_a_port(tmp_path):
    places = plan_nodes("127.0.0.254", 9443, 4, tmp_path)

    assert [(place.bind, place.port) for place in places] == [
        ("127.0.0.254", 9443),
        ("127.0.0.255", 9443),
        ("127.0.1.0", 9443),
        ("127.0.1.1", 9443),
    ]
    assert [place.directory.name for place in places] == ["node-1", "node-2", "node-3", "node-4"]


@pytest.mark.parametrize("bind", ["0.0.0.0", "10.0.0.5", "::1", "127.255.255.254"])
def test_elsewhere_they_have_successive_ports(tmp_path, bind):
    assert [(place.bind, place.port) for place in plan_nodes(bind, 9443, 3, tmp_path)] == [
        (bind, 9443),
        (bind, 9444),
        (bind, 9445),
    ]
    assert [place.port for place in plan_nodes(bind, 0, 3, tmp_path)] == [0, 0, 0]


def test_more_nodes_than_ports_are_refused(tmp_path):
    with pytest.raises(CannotStart, match="From port 65535 on there are not 2 ports"):
        plan_nodes("0.0.0.0", 65535, 2, tmp_path)


def test_one_alone_has_the_directory_itself(tmp_path):
    [place] = plan_nodes("127.0.0.1", 9443, 1, tmp_path)

    assert (place.bind, place.port, place.directory) == ("127.0.0.1", 9443, tmp_path)


def limited_to(files, *arguments):
    """Run the command with so many open files allowed: at first, and at most."""
    soft, hard = files
    shell = ["sh", "-c", f'ulimit -S -n {soft} && ulimit -H -n {hard} && exec "$@"', "sh"]
    return subprocess.Popen(
        [*shell, *COMMAND, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_too_low_a_limit_of_open_files_is_reported_before_the_start(tmp_path):
    process = limited_to((100, 100), "--count", "50", "--port", "0", "--data", str(tmp_path / "nodes"))

    said, complaint = process.communicate(timeout=20)

    assert (process.returncode, said) == (1, "")
    assert "50 nodes need 264 open files, but a process may have only 100 here" in complaint
    assert not (tmp_path / "nodes").exists()


def test_a_limit_that_may_be_raised_is(tmp_path):
    process = limited_to((64, 2000), "--count", "50", "--port", "0", "--data", str(tmp_path / "nodes"))

    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    complaint = process.communicate(timeout=20)[1]

    assert line.startswith("50 reference nodes listening on ")
    assert complaint == ""


def test_connections_send_without_delay(serve):
    server = serve()

    with Caller(server.address).connect() as connection:
        connection.sendall(b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n")
        connection.recv(65536)
        [at_the_node] = server._connections()
        accepted = at_the_node.transport.get_extra_info("socket")

        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
