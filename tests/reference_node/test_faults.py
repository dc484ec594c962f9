import socket
import time

import pytest
import requests

from setup_wizard.reference_node.faults import FAULTS, describe_faults, parse_fault

from .conftest import MARIA, Caller, create_request, read_all, wait_for


def test_a_reset_answer_is_dropped_after_the_bootstrap_began(serve):
    node = Caller(serve(faults=("drop-answer=reset",)).address)

    with pytest.raises(requests.ConnectionError):
        node.create()

    assert node.wait_until("completed")


def test_only_the_first_answer_is_dropped(serve):
    node = Caller(serve(faults=("drop-answer=reset",)).address)
    with pytest.raises(requests.ConnectionError):
        node.create(node={"identity": {"addr": "10.0.0.5"}})
    node.wait_until("error")

    assert node.create().status_code == 200


def test_a_refused_request_does_not_use_up_the_fault(serve):
    node = Caller(serve(faults=("drop-answer=502",)).address)

    assert node.create(cluster={}).status_code == 400
    assert node.create().status_code == 502


def test_every_answer_is_dropped_with_the_word_all(serve):
    node = Caller(serve(pace=0.4, faults=("drop-answer=reset:all",)).address)

    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            node.create()

    assert node.wait_until("completed")


def test_a_silent_node_answers_nothing_but_works(serve):
    server = serve(faults=("drop-answer=silence",))
    node = Caller(server.address)

    node.give_up_after(0.3)

    assert node.status()["state"] != "idle"


def test_a_gateway_answers_502_for_a_node_that_has_begun(serve):
    node = Caller(serve(faults=("drop-answer=502",)).address)

    answer = node.create()

    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert node.wait_until("completed")


def test_a_held_request_is_processed_later_without_a_waiting_client(serve):
    server = serve(faults=("hold-post=1",))
    node = Caller(server.address)
    began = time.monotonic()

    node.give_up_after(0.2)

    assert node.status() == {"state": "idle"}
    wait_for(lambda: (node.try_status() or {"state": "idle"})["state"] != "idle")
    assert time.monotonic() - began >= 1


def test_of_two_held_requests_one_is_accepted(serve):
    node = Caller(serve(pace=1, faults=("hold-post=0.2",)).address)
    connections = [node.connect() for _ in range(2)]
    for connection in connections:
        connection.sendall(create_request())
    answers = []
    for connection in connections:
        with connection:
            answers.append(connection.recv(65536)[:12])

    assert sorted(answers) == [b"HTTP/1.1 200", b"HTTP/1.1 409"]


def test_a_reset_is_seen_on_the_wire_as_a_reset(serve):
    node = Caller(serve(faults=("drop-answer=reset",)).address)
    connection = node.connect()
    connection.sendall(create_request())

    # below TLS, whose library may report a reset as a mere end
    with socket.socket(fileno=connection.detach()) as raw:
        raw.settimeout(10)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_the_half_way_sends_half_a_status_line(serve):
    node = Caller(serve(faults=("drop-answer=half",)).address)
    with node.connect() as connection:
        connection.sendall(create_request())
        received = read_all(connection)

    assert received == b"HTTP/1.1 2"
    assert node.wait_until("completed")


@pytest.mark.parametrize("way", ["reset", "silence", "half", "502"])
def test_a_swallowed_request_is_in_the_journal_and_starts_nothing(serve, lines, way):
    node = Caller(serve(pace=60, faults=(f"swallow={way}",)).address)

    if way == "502":
        assert node.create().status_code == 502
    elif way == "silence":
        node.give_up_after(0.3)
    else:
        with pytest.raises(requests.ConnectionError):
            node.create()

    [post] = lines()
    assert (post["complete"], post["accepted"], post["fault"]) == (True, False, f"swallow={way}")
    assert post["status"] == (502 if way == "502" else None)
    assert node.status() == {"state": "idle"}
    assert node.create().status_code == 200  # once is enough
    assert [line["accepted"] for line in lines() if line["method"] == "POST"] == [False, True]


def test_the_second_request_alone_can_be_refused(serve, lines):
    node = Caller(serve(pace=60, faults=("answer=409:once:after=1",)).address)

    statuses = [node.create(cluster={}).status_code, node.create().status_code, node.create().status_code]

    assert statuses == [400, 409, 200]
    assert [line["fault"] for line in lines()] == [None, "answer=409", None]


def test_unauthorized_can_begin_seconds_after_the_accepted_request(serve):
    node = Caller(serve(pace=60, faults=("unauthorized=accept+0.3",)).address)
    assert node.get().status_code == 200

    node.create()
    accepted = time.monotonic()

    wait_for(lambda: node.get(auth=MARIA).status_code == 401)
    assert time.monotonic() - accepted >= 0.2  # what was waited for began a little earlier
    assert node.get(auth=MARIA).headers["WWW-Authenticate"] == 'Basic realm="cluster"'


def test_unauthorized_can_begin_with_a_state(serve):
    node = Caller(serve(pace=0.1, faults=("unauthorized=creating_cluster,unsigned",)).address)
    node.create(node={"identity": {"addr": "10.0.0.5"}})

    wait_for(lambda: node.get().status_code == 401)

    # after the failure the moment stays reached, and any sign-in is accepted
    assert wait_for(lambda: node.get(auth=MARIA).json()["bootstrap_status"]["state"] == "error")
    assert node.get().status_code == 401


def test_a_node_is_unavailable_for_the_given_seconds(serve):
    node = Caller(serve(faults=("unavailable=0.5",)).address)
    began = time.monotonic()

    assert node.get().status_code == 503
    assert node.create().status_code == 503
    wait_for(lambda: node.get().status_code == 200)

    assert time.monotonic() - began >= 0.3
    assert node.status() == {"state": "idle"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-such",
        "drop-answer",
        "drop-answer=",
        "drop-answer=later",
        "drop-answer=reset:some",
        "drop-answer=reset:get",
        "drop-answer=reset:once:all",
        "drop-answer=reset:after=1:after=2",
        "drop-answer=reset:after=x",
        "swallow=slowly",
        "answer=200",
        "answer=600",
        "unauthorized=later",
        "unauthorized=-1",
        "unauthorized=now,signed",
        "unavailable",
        "unavailable=1,never",
        "redirect=300,https://127.0.0.1/",
        "redirect=302",
        "redirect=302,https://127.0.0.1/\r\nX: y",
        "garbage=yes",
        "deep-json=0",
        "gzip-bomb=99999",
        "huge-body=10 GB",
        "huge-body=10,slow",
        "drip",
        "drip=trailers",
        "drip=body,",
        "interim-flood=0",
        "backwards=completed",
        "backwards=sideways",
        "flapping-error=<b>",
        "hang",
        "hang=http",
        "hang=tls:get",
        "reset-connection=0",
        "new-certificate=later",
        "new-certificate:once",
        "hold-post",
        "hold-post=x",
        "hold-post=-1",
        "hold-post=nan",
        "hold-post=inf",
    ],
)
def test_an_unreadable_fault_is_refused_with_its_usage(text):
    with pytest.raises(ValueError) as refused:
        parse_fault(text)

    name = text.partition("=")[0].partition(":")[0]
    expected = FAULTS[name].usage if name in FAULTS else ", hold-post=SECONDS, "
    assert expected in str(refused.value)


def test_every_fault_has_a_description_and_a_usage():
    listed = describe_faults()

    for name, fault in FAULTS.items():
        assert fault.usage.startswith(name)
        assert f"  {fault.usage}{fault.words()}\n      {fault.__doc__.splitlines()[0]}" in listed
