import socket
import time

import pytest
import requests

from setup_wizard.reference_node.faults import FAULTS, parse_fault

from .conftest import Caller, create_request, wait_for


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


def test_a_request_that_was_refused_does_not_use_the_fault_up(serve):
    node = Caller(serve(faults=("drop-answer=502",)).address)

    assert node.create(cluster={}).status_code == 400
    assert node.create().status_code == 502


def test_every_answer_is_dropped_when_all_is_asked_for(serve):
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


def test_a_held_request_counts_only_later_even_when_nobody_waits_any_more(serve):
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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-such",
        "drop-answer",
        "drop-answer=",
        "drop-answer=later",
        "drop-answer=reset:some",
        "hold-post",
        "hold-post=x",
        "hold-post=-1",
        "hold-post=nan",
        "hold-post=inf",
    ],
)
def test_a_fault_that_cannot_be_read_is_refused_with_how_it_is_used(text):
    with pytest.raises(ValueError) as refused:
        parse_fault(text)

    name = text.partition("=")[0]
    expected = FAULTS[name].usage if name in FAULTS else "drop-answer=reset|silence|502[:all], hold-post=SECONDS"
    assert expected in str(refused.value)
