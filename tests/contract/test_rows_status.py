"""The bootstrap's status, and what the page says of it in sentences."""

import time
from datetime import UTC, datetime

import pytest

from setup_wizard.reference_node.options import Dialect
from tests.reference_node.conftest import MARIA, create_body, join_body

from .node_calls import create


@pytest.fixture(scope="module", params=list(Dialect))
def dialect(request):
    return request.param


def parse_time(text):
    """Read a time in the one form that the API has."""
    assert len(text) == len("2014-08-29T11:19:49Z")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def test_row_bootstrap_status_state_is_the_current_one(start):
    node = start(pace=0.2)
    seen = [node.status()["state"]]

    node.create()
    while seen[-1] != "completed":
        status = node.try_status()
        if status and status["state"] != seen[-1]:
            seen.append(status["state"])

    assert seen == ["idle", "initiated", "creating_cluster", "completed"]


def test_state_idle_is_that_of_a_node_on_which_nothing_was_started(idle_node):
    assert idle_node.status() == {"state": "idle"}


def test_state_initiated_is_said_as_soon_as_the_request_was_received(start):
    node = start(pace=30)

    node.create()

    assert node.status()["state"] == "initiated"
    assert set(node.status()) == {"state", "start_time"}


def test_state_creating_cluster_comes_before_there_is_one(start):
    node = start(pace=0.5)
    node.create()

    status = node.wait_until("creating_cluster")

    assert set(status) == {"state", "start_time"}
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_state_joining_cluster_comes_before_the_node_is_in_it(start, member):
    node = start(pace=0.5)
    node.join(member)

    status = node.wait_until("joining_cluster")

    assert set(status) == {"state", "start_time"}
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_state_recovering_cluster_comes_before_it_is_there_again(start, saved):
    node = start("node-1", pace=0.5)
    node.recover(saved)

    status = node.wait_until("recovering_cluster")

    assert set(status) == {"state", "start_time"}
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_state_error_stays_until_the_next_request(node, unused_port):
    node.post("join_cluster", join_body(node) | {"cnm_https_port": unused_port})
    failed = node.wait_until("error")

    assert node.create(cluster={}).status_code == 400
    assert node.status() == failed
    assert create(node)["state"] == "completed"


def test_state_completed_is_that_of_a_member(node):
    done = create(node)

    assert set(done) == {"state", "start_time", "end_time"}
    assert [each["status"] for each in node.get("/v1/nodes", auth=MARIA).json()] == ["active"]


def test_row_bootstrap_status_start_time_is_when_the_process_started(start):
    node = start(pace=30)
    idle = node.status()
    before = int(time.time())

    node.create()
    running = node.status()

    assert "start_time" not in idle
    assert before <= parse_time(running["start_time"]) <= time.time()


def test_row_bootstrap_status_end_time_is_when_the_process_ended(start):
    node = start(pace=0.2)
    node.create()
    running = node.wait_until("initiated")

    done = node.wait_until("completed")

    assert not running.get("end_time")
    assert parse_time(done["start_time"]) <= parse_time(done["end_time"]) <= time.time()


def test_row_bootstrap_status_error_code_is_there_in_error_alone(start, unused_port):
    failing, well = start("failing"), start("well")
    failing.post("join_cluster", join_body(failing) | {"cnm_https_port": unused_port})

    failed, done = failing.wait_until("error"), create(well)

    assert failed["error_code"] == "connect_error"
    assert "error_code" not in done


def test_row_bootstrap_status_error_details_say_more_in_a_message(node, unused_port):
    node.post("join_cluster", join_body(node) | {"cnm_https_port": unused_port})

    failed = node.wait_until("error")

    assert f"127.0.0.1:{unused_port}" in failed["error_details"]["message"]
    assert MARIA[1] not in str(failed)


def test_row_get_before_membership_needs_no_sign_in(idle_node):
    assert idle_node.get().status_code == 200
    assert idle_node.get(auth=("anybody", "anything")).status_code == 200


def test_row_get_once_a_member_needs_the_sign_in(start):
    node = start()
    before = node.get().status_code

    create(node)

    assert (before, node.get().status_code, node.get(auth=MARIA).status_code) == (200, 401, 200)


def test_row_post_only_in_idle_or_error(start, unused_port):
    node = start(pace=0.2)
    body = join_body(node) | {"cnm_https_port": unused_port}

    in_idle = node.post("join_cluster", body).status_code
    in_between = node.create().status_code
    node.wait_until("error")
    in_error = node.create().status_code
    node.wait_until("completed")
    once_completed = node.post("create_cluster", create_body(), auth=MARIA).status_code

    assert (in_idle, in_between, in_error, once_completed) == (200, 409, 200, 409)


def test_row_post_after_an_error_restarts_with_the_new_configuration(node, unused_port):
    node.post("join_cluster", join_body(node) | {"cnm_https_port": unused_port})
    failed = node.wait_until("error")

    done = create(node, cluster={"name": "second.example.com"})

    assert done["state"] == "completed"
    assert parse_time(done["start_time"]) > parse_time(failed["start_time"])
    assert set(done) == {"state", "start_time", "end_time"}
    assert node.get("/v1/cluster", auth=MARIA).json()["name"] == "second.example.com"


def test_row_post_is_asynchronous(start):
    node = start(pace=30)
    began = time.monotonic()

    node.create()

    assert node.status()["state"] == "initiated"
    assert time.monotonic() - began < 15  # half a stage
