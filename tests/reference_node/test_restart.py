import json

import pytest

from .conftest import MARIA, Caller, wait_for


def test_a_restarted_member_is_a_member_with_the_same_certificate(start):
    node = start(pace=0.05)
    caller = Caller(node.address)
    caller.create()
    before = caller.wait_until("completed")
    certificate = (node.directory / "certificate.pem").read_bytes()

    node.kill()
    node.restart()

    assert caller.get().status_code == 401
    assert caller.status() == before
    assert (node.directory / "certificate.pem").read_bytes() == certificate
    assert caller.get("/v1/nodes", auth=MARIA).json()[0]["status"] == "active"


@pytest.mark.parametrize("state", ["initiated", "creating_cluster"])
def test_a_create_goes_on_after_its_node_was_killed(start, state):
    node = start(pace=0.8)
    caller = Caller(node.address)
    caller.create()
    start_time = caller.wait_until(state)["start_time"]

    node.kill()
    node.restart()

    assert caller.wait_until("completed")["start_time"] == start_time
    assert len(node.accepted()) == 1


@pytest.mark.parametrize("password", [MARIA[1], "wrong"])
def test_a_join_continues_after_its_node_was_killed_before_the_sign_in(start, member, password):
    node = start(pace=0.4)
    caller = Caller(node.address)
    caller.join(member, password=password)
    node.kill()

    node.restart()

    status = caller.wait_until("completed", "error")
    assert status.get("error_code") == (None if password == MARIA[1] else "access_denied")


def test_a_restart_keeps_the_error_and_start_times_keep_growing(start):
    node = start(pace=0.0)
    caller = Caller(node.address)
    for _ in range(3):
        caller.create(node={"identity": {"addr": "10.0.0.5"}})
        before = caller.wait_until("error")

    node.restart()

    assert caller.status() == before
    caller.create()
    assert caller.wait_until("completed")["start_time"] > before["start_time"]


def test_a_node_killed_after_writing_its_certificate_repeats_the_step(start):
    node = start(pace=0.4)
    caller = Caller(node.address)
    caller.create()
    caller.wait_until("creating_cluster")
    kept = (node.directory / "node.json").read_bytes()
    wait_for(lambda: (node.directory / "node.json").read_bytes() != kept)
    node.kill()
    (node.directory / "node.json").write_bytes(kept)

    node.restart()

    assert caller.wait_until("completed")
    assert caller.get("/v1/cluster", auth=MARIA).status_code == 200


def test_a_pending_password_is_forgotten_when_its_bootstrap_fails(start):
    node = start(pace=0.0)
    caller = Caller(node.address)

    caller.create(node={"identity": {"addr": "10.0.0.5"}})
    caller.wait_until("error")

    assert json.loads((node.directory / "node.json").read_text())["pending"] is None


def test_the_journal_goes_on_after_a_restart(start):
    node = start()
    Caller(node.address).get()
    node.kill()
    node.restart()
    Caller(node.address).get()

    assert [line["path"] for line in node.requests()] == ["/v1/bootstrap", "/v1/bootstrap"]
