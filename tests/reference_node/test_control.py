"""The control port: faults that are changed while the node runs, its journal, its description."""

import json
import os
import socket
import subprocess
import sys

import pytest
import requests
import yaml

from setup_wizard.reference_node.control import Control, open_control_socket, read_description
from setup_wizard.reference_node.errors import CannotStart

from .conftest import MARIA, Caller, wait_for
from .running import REPOSITORY, start_node


@pytest.fixture(scope="module")
def lasting_node(tmp_path_factory):
    directory = tmp_path_factory.mktemp("controlled") / "node"
    with start_node(directory, pace=60, options=("--control", "0")) as node:
        yield node


@pytest.fixture
def controlled(lasting_node):
    """A node as a process, with a control port and no fault."""
    lasting_node.put_faults()
    return lasting_node


@pytest.fixture
def control():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_faults_are_changed_while_the_node_runs(controlled, control):
    node, faults = Caller(controlled.address), f"{controlled.control}/faults"
    assert control.get(faults).json() == []

    put = control.put(faults, json=["answer=409:once:after=1", "html:get"])

    assert (put.status_code, put.json()) == (200, ["answer=409:once:after=1", "html:get"])
    assert control.get(faults).json() == put.json()
    assert node.get().headers["Content-Type"].startswith("text/html")
    assert control.delete(faults).json() == []
    assert node.get().json()["bootstrap_status"] == {"state": "idle"}


def test_faults_of_the_command_line_are_listed(start, control):
    node = start(faults=("hold-post=0",), options=("--control", "127.0.0.1:0"))

    assert control.get(f"{node.control}/faults").json() == ["hold-post=0"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{}", "JSON list"),
        (b'["html", 5]', "JSON list"),
        (b'["html", "explode"]', "There is no fault 'explode'"),
        (b'["hold-post=soon"]', "It is used as hold-post=SECONDS"),
        (b'["html"' + b" " * 70_000 + b"]", "not JSON"),
    ],
    ids=["nothing", "object", "number", "unknown", "value", "too long"],
)
def test_an_unreadable_list_of_faults_is_refused_and_changes_nothing(controlled, control, body, words):
    controlled.put_faults("garbage")

    answer = control.put(f"{controlled.control}/faults", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert words in answer.json()["description"]
    assert control.get(f"{controlled.control}/faults").json() == ["garbage"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Host": "node.example.com"},
        {"Content-Type": "application/json", "Host": "10.0.0.5:9790"},
    ],
    ids=["not JSON", "another name", "another address"],
)
def test_a_page_in_a_browser_cannot_change_faults(controlled, control, headers):
    answer = control.put(f"{controlled.control}/faults", data=b'["garbage"]', headers=headers)

    assert answer.status_code == 403
    assert Caller(controlled.address).get().status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "faults", 405),
        ("PUT", "journal", 405),
        ("DELETE", "openapi.yaml", 405),
        ("GET", "", 404),
        ("GET", "2/faults", 404),
        ("GET", "0/faults", 404),
        ("GET", "../v1/bootstrap", 404),
    ],
)
def test_other_paths_of_the_control_port_are_404(controlled, control, method, path, status):
    answer = control.request(method, f"{controlled.control}/{path}", json=[] if method == "PUT" else None)

    assert answer.status_code == status


def test_the_control_port_serves_the_journal(start, control):
    started = start(options=("--control", "0"))
    started.put_faults("swallow=502")
    node = Caller(started.address)
    node.create()
    node.create()

    text = control.get(f"{started.control}/journal").text

    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["complete"], line["accepted"], line["fault"]) for line in lines] == [
        (True, False, "swallow=502"),
        (True, True, None),
    ]
    assert MARIA[1] not in text


def test_the_description_is_served_as_it_is(controlled, control):
    answer = control.get(f"{controlled.control}/openapi.yaml")

    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.content == read_description()
    assert "/v1/bootstrap" in yaml.safe_load(answer.text)["paths"]


def test_several_nodes_have_a_path_each(serve):
    first, second = serve("node-1"), serve("node-2")
    control = Control([first.node, second.node], open_control_socket("127.0.0.1", 0))

    replaced = control._respond("PUT", "/_control/2/faults", b'["html"]')

    assert json.loads(replaced.body) == ["html"]
    assert Caller(first.address).get().headers["Content-Type"] == "application/json"
    assert Caller(second.address).get().headers["Content-Type"].startswith("text/html")
    assert control._respond("GET", "/_control/faults", b"").status == 404
    control._listener.close()


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.7", "10.0.0.5"])
def test_the_control_port_needs_a_loopback_address(tmp_path, bind):
    with pytest.raises(CannotStart, match="is not a loopback address"):
        open_control_socket(bind, 0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.0.0.0:9790", "0.0.0.0 is not a loopback address"),
        ("[::]:9790", ":: is not a loopback address"),
        ("node-1:9790", "'node-1' is not an IPv4 or IPv6 address"),
        ("far", "'far' is not a port"),
    ],
)
def test_a_control_port_beyond_loopback_ends_with_code_2(value, words):
    command = [sys.executable, "-m", "setup_wizard.reference_node", "--control", value]
    ended = subprocess.run(
        command, check=False, cwd=REPOSITORY, env={**os.environ}, capture_output=True, text=True, timeout=20
    )

    assert ended.returncode == 2
    assert words in ended.stderr


def test_a_control_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} of 127.0.0.1 is taken. Choose another with --control"):
            open_control_socket("127.0.0.1", port)


def test_a_node_without_a_control_port_has_no_control(start):
    node = start()

    Caller(node.address).get()

    assert node.said == []
    wait_for(node.requests)
    assert Caller(node.address).get("/_control/faults").status_code == 404
