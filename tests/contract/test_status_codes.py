"""Each status code, for the reason for which the API gives it."""

import json

import pytest

from tests.reference_node.conftest import MARIA, create_body

CREATE = "/v1/bootstrap/create_cluster"
JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024


def refusal(answer):
    """The code of an error in the form of the API, which always says more in words."""
    document = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert len(document["description"]) > 10
    return document["error_code"]


def test_status_get_200_no_error(idle_node):
    answer = idle_node.get()

    assert (answer.status_code, answer.reason) == (200, "OK")
    assert answer.json()["bootstrap_status"]["state"] == "idle"


def test_status_post_200_request_received_and_processing_begins(start):
    node = start(pace=30)

    answer = node.create()

    assert (answer.status_code, answer.content) == (200, b"")
    assert node.status()["state"] == "initiated"


@pytest.mark.parametrize("state", ["initiated", "creating_cluster"])
def test_status_post_409_bootstrap_already_in_progress(start, state):
    node = start(pace=0.2)
    node.create()
    before = node.wait_until(state)

    answer = node.post("create_cluster", create_body(cluster={"name": "another.example.com"}), auth=MARIA)

    assert answer.status_code == 409
    assert refusal(answer) == "bootstrap_in_progress"
    assert node.wait_until("completed")["start_time"] == before["start_time"]
    assert node.get("/v1/cluster", auth=MARIA).json()["name"] == "redis-prod.example.com"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "must be a JSON object"),
        (json.dumps(create_body(cluster={"name": 7})).encode(), "cluster.name: "),
        (json.dumps(create_body(credentials={"username": "maria@example.com"})).encode(), "credentials.password: "),
    ],
)
def test_status_post_400_names_what_cannot_be_used_and_changes_nothing(idle_node, body, words):
    answer = idle_node.ask("POST", CREATE, data=body, headers=JSON)

    assert answer.status_code == 400
    assert refusal(answer) == "config_error"
    assert words in answer.json()["description"]
    assert idle_node.status() == {"state": "idle"}


@pytest.mark.parametrize("auth", [None, (MARIA[0], "mistyped"), ("john@example.com", MARIA[1])])
def test_status_get_401_asks_a_member_without_its_credentials(member, auth):
    answer = member.get(auth=auth)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert refusal(answer) == "unauthorized"


def test_status_post_401_comes_before_anything_is_said_of_the_state(member):
    answer = member.create()

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert refusal(answer) == "unauthorized"


def test_status_get_403_is_for_the_administrator_alone(start):
    node = start(viewer={"leo@example.com": "slow brown bears"})
    node.create()
    node.wait_until("completed")

    answer = node.get("/v1/ocsp", auth=("leo@example.com", "slow brown bears"))

    assert answer.status_code == 403
    assert refusal(answer) == "forbidden"


@pytest.mark.parametrize("path", ["/", "/v1", "/bootstrap", "/v1/boostrap", "/v1/bootstrap/", "/v2/bootstrap"])
def test_status_get_404_there_is_nothing_at_this_path(idle_node, path):
    answer = idle_node.get(path)

    assert answer.status_code == 404
    assert path in answer.json()["description"]


@pytest.mark.parametrize("action", ["leave_cluster", "create", "CREATE_CLUSTER", "create_cluster/"])
def test_status_post_404_there_is_no_such_action(idle_node, action):
    answer = idle_node.post(action, create_body())

    assert answer.status_code == 404
    assert idle_node.status() == {"state": "idle"}


def test_status_get_405_of_a_path_that_is_only_posted_to(idle_node):
    answer = idle_node.get(CREATE)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_status_post_405_of_a_path_that_is_only_read(idle_node, method):
    answer = idle_node.ask(method, "/v1/bootstrap", json=create_body())

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_status_post_413_a_body_of_more_than_a_mebibyte(idle_node):
    head = (
        f"POST {CREATE} HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {MIB + 1}\r\n\r\n"
    )

    with idle_node.connect() as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)  # before any of the body has left
    allowed = idle_node.ask("POST", CREATE, data=b"[]" + b" " * (MIB - 2), headers=JSON)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert allowed.status_code == 400  # read to its end: it is a list


@pytest.mark.parametrize("media", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonish"])
def test_status_post_415_a_body_that_does_not_say_that_it_is_json(idle_node, media):
    headers = {"Content-Type": media} if media else {}

    answer = idle_node.ask("POST", CREATE, data=json.dumps(create_body()).encode(), headers=headers)

    assert answer.status_code == 415
    assert refusal(answer) == "unsupported_media_type"
    assert idle_node.status() == {"state": "idle"}


@pytest.mark.parametrize("path", ["/v1/nodes", "/v1/cluster"])
def test_status_get_503_of_a_node_that_is_in_no_cluster(idle_node, path):
    answer = idle_node.get(path)

    assert answer.status_code == 503
    assert refusal(answer) == "not_a_member"


VALIDATE = "validate/create_cluster"


def test_status_validate_200_the_bootstrap_could_be_done(idle_node):
    answer = idle_node.post(VALIDATE, create_body())

    assert (answer.status_code, answer.content) == (200, b"")
    assert idle_node.status() == {"state": "idle"}


def test_status_validate_404_of_an_older_node(start):
    older = start(validates=False)

    answer = older.post(VALIDATE, create_body())

    assert answer.status_code == 404
    assert older.create().status_code == 200


def test_status_validate_406_has_the_status_of_the_bootstrap(idle_node):
    answer = idle_node.post(VALIDATE, create_body(node={"identity": {"addr": "10.0.0.5"}}))

    assert answer.status_code == 406
    assert (answer.json()["state"], answer.json()["error_code"]) == ("error", "config_error")
    assert "10.0.0.5" in answer.json()["error_details"]["message"]
    assert idle_node.status() == {"state": "idle"}


def test_status_validate_409_bootstrap_already_in_progress(start):
    node = start(pace=30)
    node.create()

    answer = node.post(VALIDATE, create_body(), auth=MARIA)

    assert answer.status_code == 409
    assert refusal(answer) == "bootstrap_in_progress"
