import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
import requests

from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import background
from setup_wizard.reference_node.store.process import find_program
from tests.project.processes import is_running

from . import ccs
from .conftest import MARIA, Caller, create_body, wait_for

KEEPER = "import subprocess, sys; subprocess.run(sys.argv[1:])"


def test_three_nodes_have_the_record_in_servers_of_their_own_and_one_that_is_killed_takes_its_server_with_it(start):
    nodes = [start(f"node-{last}", bind=f"127.0.0.{last}", pace=0.0) for last in (2, 3, 4)]
    first, second, third = nodes
    caller = Caller(first.address)
    caller.create()
    caller.wait_until("completed")
    for node in (second, third):
        Caller(node.address).join(caller)
        assert Caller(node.address).wait_until("completed", "error")["state"] == "completed"

    for node in nodes:
        with ccs.sign_in(node.directory) as record:
            assert json.loads(record.get("cluster"))["name"] == "redis-prod.example.com"
            wait_for(lambda record=record: sorted(record.hgetall("nodes")) == ["1", "2", "3"])
            assert record.config_get("bind")["bind"] == node.bind
        for credentials in ("wrong", MARIA[0]), ("", ""):
            with pytest.raises(redis.AuthenticationError), ccs.sign_in(node.directory, *credentials) as record:
                record.ping()
    for node in (second, third):
        with ccs.sign_in(node.directory) as record:
            told = record.info("replication")
            assert (told["role"], told["master_link_status"]) == ("slave", "up")
            assert told["master_port"] == ccs.own_entry(first.directory)["ccs_port"]
    well = {"cluster_test_result": True, "nodes": [{"node_uid": uid, "result": True} for uid in (1, 2, 3)]}
    assert caller.get("/v1/cluster/check", auth=MARIA).json() == well

    server = ccs.server_pid(third.directory)
    third.kill()

    wait_for(lambda: not is_running(server))
    assert caller.nodes() == {1: "active", 2: "active", 3: "down"}
    assert Caller(second.address).nodes() == {1: "active", 2: "active", 3: "down"}
    check = caller.get("/v1/cluster/check", auth=MARIA).json()
    assert check["cluster_test_result"] is False
    assert [node["result"] for node in check["nodes"]] == [True, True, False]
    assert check["nodes"][2]["error"] == f"{third.address} cannot be reached: connection refused"


def test_a_node_that_is_told_to_stop_stops_its_server(start):
    node = start(pace=0.02)
    Caller(node.address).create()
    Caller(node.address).wait_until("completed")
    server = ccs.server_pid(node.directory)

    assert node.stop() == 0

    assert not is_running(server)


def test_an_idle_node_runs_no_server(start, tmp_path):
    start()

    assert not list(tmp_path.rglob("ccs-redis*"))


def test_a_change_that_was_acknowledged_is_in_the_file_after_a_kill(start):
    node = start(pace=0.0)
    caller = Caller(node.address)
    caller.create()
    wait_for(lambda: sign_in_status_of(caller) == 401)  # it has become a member this moment

    node.kill()

    kept = node.directory / "persist" / "ccs" / "ccs-redis.rdb"
    assert b"redis-prod.example.com" in kept.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    node.restart()
    caller.wait_until("completed")
    assert caller.nodes() == {1: "active"}


def test_a_server_that_dies_under_its_member_is_started_again(member, tmp_path):
    server = ccs.server_pid(tmp_path / "member")

    os.kill(server, signal.SIGKILL)

    wait_for(lambda: not is_running(server))
    assert member.nodes() == {1: "active"}  # asked while there is none: the answer waits for the new one
    assert member.get("/v1/cluster", auth=(MARIA[0], "wrong")).status_code == 401
    assert ccs.server_pid(tmp_path / "member") != server


def test_a_sign_in_is_what_the_server_says(member, tmp_path):
    with ccs.sign_in(tmp_path / "member") as record:
        record.acl_setuser(MARIA[0].encode().hex(), enabled=True, passwords=["+second password"])

    assert member.get("/v1/cluster", auth=(MARIA[0], "second password")).status_code == 200
    assert member.get("/v1/cluster", auth=(MARIA[0], "third password")).status_code == 401
    assert member.get("/v1/cluster", auth=("anybody", MARIA[1])).status_code == 401


@pytest.mark.parametrize("username", ["maria müller", "maria o'neill \\ #1", "default", "x" * 255])
def test_any_name_and_password_that_a_request_may_have_can_sign_in(node, tmp_path, username):
    password = 'pass word #~* "\n\t\\ ünïcode'
    body = create_body(credentials={"username": username, "password": password})

    node.post("create_cluster", body)

    credentials = (username.encode(), password.encode())
    wait_for(lambda: sign_in_status_of(node) == 401)
    assert node.get("/v1/cluster", auth=credentials).status_code == 200
    assert node.get("/v1/cluster", auth=(username.encode(), b"wrong")).status_code == 401
    with ccs.sign_in(tmp_path / "node-1", password, username) as record:
        assert record.ping()


def test_a_store_that_cannot_listen_fails_the_bootstrap_and_the_next_one_works(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node = start(pace=0.02, options=("--ccs-port", str(port)))
        caller = Caller(node.address)
        caller.create()

        status = caller.wait_until("error", "completed")

    assert status["error_code"] == "internal_error"
    assert "Address already in use" in status["error_details"]["message"]
    caller.create()
    assert caller.wait_until("error", "completed")["state"] == "completed"
    assert ccs.own_entry(node.directory)["ccs_port"] == port


def test_a_machine_without_a_server_program_fails_the_bootstrap(node, monkeypatch):
    monkeypatch.setenv("VALKEY_SERVER", "/nowhere/valkey-server")
    node.create()

    status = node.wait_until("error", "completed")

    assert status["error_code"] == "internal_error"
    assert "/nowhere/valkey-server, which is not a program that can be run" in status["error_details"]["message"]
    monkeypatch.delenv("VALKEY_SERVER")
    node.create()
    assert node.wait_until("error", "completed")["state"] == "completed"


def test_what_a_server_says_at_its_end_is_told_without_secrets(node, monkeypatch, tmp_path):
    program = tmp_path / "valkey-server"
    program.write_text(f"#!/bin/sh\ntee {tmp_path / 'told'}\n")  # says all that it is told, then ends
    program.chmod(0o755)
    monkeypatch.setenv("VALKEY_SERVER", str(program))
    node.create()

    status = node.wait_until("error", "completed")

    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    secrets = [words[1] for words in told if words[0] == "masterauth"]
    secrets += [words[3][1:] for words in told if words[0] == "user" and words[1] != "default"]
    assert "The server of the store has ended" in status["error_details"]["message"]
    assert len(secrets) == 4
    assert not [secret for secret in secrets if secret in json.dumps(status)]


def test_no_secret_is_in_the_list_of_processes(member, tmp_path):
    server = ccs.server_pid(tmp_path / "member")
    kept = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]

    command = Path(f"/proc/{server}/cmdline").read_bytes() + Path(f"/proc/{server}/environ").read_bytes()

    assert find_program(os.environ).name.encode() in command
    assert kept["secret"].encode() not in command
    assert kept["password"].encode() not in command


REDIS = shutil.which("redis-server")


@pytest.mark.skipif(REDIS is None, reason="no redis-server here")
def test_a_redis_server_keeps_the_record_as_well(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("VALKEY_SERVER", str(REDIS))
    first, second, third = (Caller(serve(name).address) for name in ("first", "second", "third"))
    first.create()
    first.wait_until("completed", "error")

    second.join(first)

    assert second.wait_until("completed", "error")["state"] == "completed"
    assert first.get("/v1/nodes", auth=(MARIA[0], "wrong")).status_code == 401
    with ccs.sign_in(tmp_path / "second") as record:
        assert "valkey_version" not in record.info("server")
        assert record.info("replication")["master_link_status"] == "up"
    os.kill(ccs.server_pid(tmp_path / "first"), signal.SIGKILL)
    assert first.nodes() == {1: "active", 2: "active"}
    file = tmp_path / "first" / "persist" / "ccs" / "ccs-redis.rdb"
    (tmp_path / "half.rdb").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    third.recover(tmp_path / "half.rdb")
    assert third.wait_until("completed", "error")["error_code"] == "config_error"
    third.recover(shutil.copy(file, tmp_path / "whole.rdb"))
    assert third.wait_until("completed", "error")["state"] == "completed"
    assert third.nodes() == {1: "active", 2: "down"}


def test_two_nodes_cannot_keep_their_records_in_one_directory(member, node, tmp_path):
    node.join(member, node={"paths": {"persistent_path": str(tmp_path / "member" / "persist")}})

    status = node.wait_until("error", "completed")

    assert status["error_code"] == "path_error"
    assert status["error_details"]["path"] == str(tmp_path / "member" / "persist" / "ccs")
    assert member.nodes() == {1: "active"}


def test_the_record_goes_where_the_request_says(node, tmp_path):
    node.create(node={"paths": {"ccs_persistent_path": str(tmp_path / "elsewhere")}})

    node.wait_until("completed")

    assert (tmp_path / "elsewhere" / "ccs-redis.rdb").exists()


def test_the_file_of_an_earlier_cluster_is_kept_when_a_new_one_is_created_over_it(node, tmp_path):
    directory = tmp_path / "node-1" / "persist" / "ccs"
    directory.mkdir()
    (directory / "ccs-redis.rdb").write_bytes(b"precious")

    node.create()
    node.wait_until("completed")

    assert (directory / "ccs-redis.rdb.1").read_bytes() == b"precious"


@contextmanager
def cluster_of_three(directory: Path) -> Iterator[list]:
    """redis-prod.example.com: three nodes in this process, of which the first can be ended on its own."""
    with ExitStack() as stack:
        first = ExitStack()
        stack.callback(first.close)
        servers = [first.enter_context(background(Node(directory / "1", pace=0.0)))]
        Caller(servers[0].address).create()
        Caller(servers[0].address).wait_until("completed")
        for name in ("2", "3"):
            servers.append(stack.enter_context(background(Node(directory / name, pace=0.0))))
            Caller(servers[-1].address).join(Caller(servers[0].address))
            assert Caller(servers[-1].address).wait_until("completed", "error")["state"] == "completed"
        yield [first, *(Caller(server.address) for server in servers)]


def test_when_the_primary_is_lost_the_lowest_uid_leads_and_its_place_can_be_taken(serve, tmp_path):
    with cluster_of_three(tmp_path) as (primary, first, second, third):
        newcomer = Caller(serve("newcomer").address)
        primary.close()

        # through another member than the one that is to lead; only a primary can record it
        newcomer.join(third, node={"identity": {"uid": 1}})

        assert newcomer.wait_until("completed", "error")["state"] == "completed"
        with ccs.sign_in(tmp_path / "2") as record:
            assert record.info("replication")["role"] == "master"
            assert (record.get("epoch"), record.get("primary")) == ("2", "2")
        everybody = {1: "active", 2: "active", 3: "active"}
        assert second.nodes() == third.nodes() == newcomer.nodes() == everybody
        for name in ("3", "newcomer"):
            wait_for(lambda name=name: follows(tmp_path / name, tmp_path / "2"))
        # the one that was given up is no member any more
        with background(Node(tmp_path / "1"), first.port):
            assert second.nodes() == everybody
            assert first.ask("GET", "/v1/nodes", auth=MARIA, timeout=30).status_code == 503


def test_a_primary_that_comes_back_after_another_has_taken_over_follows_it(tmp_path):
    with cluster_of_three(tmp_path) as (primary, first, _second, third):
        primary.close()
        wait_for(lambda: leads(tmp_path / "2"), seconds=30)

        with background(Node(tmp_path / "1"), first.port):
            for name in ("1", "3"):
                wait_for(lambda name=name: follows(tmp_path / name, tmp_path / "2"), seconds=30)
            assert first.nodes() == third.nodes() == {1: "active", 2: "active", 3: "active"}


def sign_in_status_of(caller: Caller) -> int | None:
    """What a request without sign-in is answered; None while the certificate is being replaced."""
    try:
        return caller.get().status_code
    except requests.ConnectionError:
        return None


def leads(directory: Path) -> bool:
    with ccs.sign_in(directory) as record:
        return record.info("replication")["role"] == "master"


def follows(directory: Path, primary: Path) -> bool:
    try:
        with ccs.sign_in(directory) as record:
            told = record.info("replication")
    except redis.ConnectionError:
        return False
    if told["role"] != "slave" or told["master_link_status"] != "up":
        return False
    return told["master_port"] == ccs.own_entry(primary)["ccs_port"]


def test_where_the_system_cannot_end_a_server_with_its_node_somebody_watches(tmp_path):
    code = (
        "import os, sys; from setup_wizard.reference_node.store.tether import watch; watch(os.getppid(), sys.argv[1:])"
    )
    server = ["/bin/sh", "-c", f"echo $$ > {tmp_path / 'pid'}; exec sleep 600"]
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, sys.executable, "-c", code, *server])
    pid = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    assert is_running(pid)

    keeper.kill()
    keeper.wait()

    wait_for(lambda: not is_running(pid))
