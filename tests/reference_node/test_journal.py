import json
import re

import pytest
import requests

from .conftest import MARIA, Caller, wait_for


def test_a_request_is_in_the_journal_before_its_answer_arrives(node, lines):
    with node.connect() as connection:
        connection.sendall(b"GET /v1/bootstrap?x=1 HTTP/1.1\r\nHost: node\r\n\r\n")
        connection.recv(1)
        written = lines()
        peer = "{}:{}".format(*connection.getsockname())

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written[0].pop("at"))
    assert written == [
        {
            "method": "GET",
            "path": "/v1/bootstrap",
            "complete": True,
            "signed_in": False,
            "authorization": False,
            "accepted": False,
            "status": 200,
            "state": "idle",
            "start_time": None,
            "peer": peer,
            "fault": None,
        }
    ]


def test_only_the_request_that_began_a_bootstrap_is_marked_as_accepted(serve, lines):
    node = Caller(serve(pace=1).address)
    node.create(cluster={})
    node.create()
    node.create()

    posts = [line for line in lines() if line["method"] == "POST"]

    assert [(line["status"], line["accepted"]) for line in posts] == [(400, False), (200, True), (409, False)]
    assert posts[1]["state"] == "initiated"
    assert posts[1]["start_time"] == node.status()["start_time"]


def test_a_dropped_answer_is_accepted_without_a_status_and_names_its_fault(serve, lines):
    node = Caller(serve(faults=("drop-answer=reset",)).address)
    with pytest.raises(requests.ConnectionError):
        node.create()

    post = next(line for line in lines() if line["method"] == "POST")

    assert (post["accepted"], post["status"], post["fault"]) == (True, None, "drop-answer=reset")


def test_a_held_request_comes_into_the_journal_when_it_counts(serve, lines):
    node = Caller(serve(faults=("hold-post=1",)).address)
    node.give_up_after(0.1)

    assert lines() == []
    post = wait_for(lines)[0]
    assert (post["accepted"], post["complete"], post["fault"]) == (True, True, "hold-post=1")


def test_a_sign_in_is_told_from_a_mere_header(member, lines):
    member.get()
    member.get(auth=(MARIA[0], "wrong"))
    member.get(auth=MARIA)

    last = lines("member")[-3:]

    assert [(line["authorization"], line["signed_in"], line["status"]) for line in last] == [
        (False, False, 401),
        (True, False, 401),
        (True, True, 200),
    ]


def test_a_connection_that_brings_no_request_is_noted(node, lines):
    node.connect().close()

    line = wait_for(lines)[0]

    assert line["connection"] == "closed without a request"
    assert "method" not in line


@pytest.mark.parametrize(
    ("sent", "method"),
    [
        (b"GET /v1/boot", None),
        (b"POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{", "POST"),
        (b"POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "POST"),
    ],
    ids=["head", "body", "chunk"],
)
def test_a_request_that_never_arrives_completely_is_noted_as_such(node, lines, sent, method):
    with node.connect() as connection:
        connection.sendall(sent)

    line = wait_for(lines)[0]

    assert (line["method"], line["complete"], line["accepted"], line["status"]) == (method, False, False, None)
    assert node.status() == {"state": "idle"}


def test_half_a_request_after_a_whole_one_is_noted_too(node, lines):
    with node.connect() as connection:
        connection.sendall(b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n")
        connection.recv(65536)
        connection.sendall(b"POST /v1/bootstrap/cre")

    whole, half = wait_for(lambda: len(lines()) == 2 and lines())

    assert (whole["complete"], half["complete"]) == (True, False)


def test_what_is_not_http_is_refused_and_noted(node, lines):
    with node.connect() as connection:
        connection.sendall(b"\x00\x01\x02\r\n\r\n")
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert wait_for(lines)[0]["complete"] is False


def test_no_credentials_ever_come_into_the_journal(member, serve, tmp_path):
    member.get(auth=MARIA)
    member.get(f"/v1/bootstrap?password={MARIA[1].replace(' ', '+')}", auth=(MARIA[0], "wrong"))
    node = Caller(serve("second").address)
    node.join(member)
    node.wait_until("completed")

    secret = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]["secret"]
    for name in ("member", "second"):
        written = (tmp_path / name / "journal.jsonl").read_text()
        assert "POST" in written
        for word in (MARIA[0], MARIA[1], MARIA[1].replace(" ", "+"), secret, "Basic", "Bearer"):
            assert word not in written
