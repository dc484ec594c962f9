"""An account without the administrator's role: it reads, and changes nothing."""

import pytest

from .conftest import MARIA, Caller, join_body

LEO = ("leo@example.com", "slow brown bears")


@pytest.fixture
def viewed(serve) -> Caller:
    """The only node of a cluster in which leo may read."""
    caller = Caller(serve("viewed", viewer=dict([LEO])).address)
    caller.create()
    caller.wait_until("completed")
    return caller


def test_a_viewer_reads_all_but_what_administrators_read(viewed):
    paths = ["/v1/bootstrap", "/v1/cluster", "/v1/nodes", "/v1/nodes/status", "/v1/license", "/v1/ocsp"]

    codes = [viewed.get(path, auth=LEO).status_code for path in paths]

    assert codes == [200, 200, 200, 200, 200, 403]
    assert viewed.get("/v1/ocsp", auth=MARIA).status_code == 200


def test_a_viewer_cannot_start_anything(viewed):
    assert viewed.post("create_cluster", {}, auth=LEO).status_code == 403


def test_a_viewer_cannot_add_a_node(viewed, serve):
    node = Caller(serve("new").address)
    body = join_body(viewed, credentials={"username": LEO[0], "password": LEO[1]})

    validation = node.post("validate/join_cluster", body)
    node.post("join_cluster", body)

    assert (validation.status_code, validation.json()["error_code"]) == (406, "access_denied")
    assert node.wait_until("error", "completed")["error_code"] == "access_denied"


def test_every_member_knows_the_viewer(viewed, serve):
    second = Caller(serve("second").address)
    second.join(viewed)
    second.wait_until("completed")

    assert second.get("/v1/nodes", auth=LEO).status_code == 200


def test_refused_sign_ins_lock_a_viewer(viewed):
    for _ in range(5):
        viewed.get(auth=(LEO[0], "mistyped"))

    assert viewed.get(auth=LEO).status_code == 401
    assert viewed.get(auth=MARIA).status_code == 200


def test_a_viewer_comes_from_the_command_line(start):
    node = Caller(start(options=("--viewer", ":".join(LEO))).address)
    node.create()
    node.wait_until("completed")

    assert node.get("/v1/ocsp", auth=LEO).status_code == 403
