import json
import re

import pytest
import requests

from .conftest import MARIA, Caller, create_body, wait_for


def test_a_request_is_in_the_journal_before_its_answer(node, lines):
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
            "user": None,
            "locked": False,
            "accepted": False,
            "status": 200,
            "state": "idle",
            "start_time": None,
            "peer": peer,
            "fault": None,
        }
    ]


def test_only_the_request_that_started_a_bootstrap_is_marked_accepted(serve, lines):
    node = Caller(serve(pace=1).address)
    node.create(cluster={})
    node.create()
    node.create()

    posts = [line for line in lines() if line["method"] == "POST"]

    assert [(line["status"], line["accepted"]) for line in posts] == [(400, False), (200, True), (409, False)]
    assert posts[1]["state"] == "initiated"
    assert posts[1]["start_time"] == node.status()["start_time"]


def test_the_journal_shows_a_dropped_answer_without_a_status(serve, lines):
    node = Caller(serve(faults=("drop-answer=reset",)).address)
    with pytest.raises(requests.ConnectionError):
        node.create()

    post = next(line for line in lines() if line["method"] == "POST")

    assert (post["accepted"], post["status"], post["fault"]) == (True, None, "drop-answer=reset")


def test_a_held_request_is_in_the_journal_once_it_is_processed(serve, lines):
    node = Caller(serve(faults=("hold-post=1",)).address)
    node.give_up_after(0.1)

    assert lines() == []
    post = wait_for(lines)[0]
    assert (post["accepted"], post["complete"], post["fault"]) == (True, True, "hold-post=1")


def test_the_journal_tells_a_sign_in_from_a_header(member, lines):
    member.get()
    member.get(auth=(MARIA[0], "wrong"))
    member.get(auth=MARIA)

    last = lines("member")[-3:]

    assert [(line["authorization"], line["signed_in"], line["status"]) for line in last] == [
        (False, False, 401),
        (True, False, 401),
        (True, True, 200),
    ]


def test_a_connection_without_a_request_is_in_the_journal(node, lines):
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
def test_an_incomplete_request_is_in_the_journal_as_such(node, lines, sent, method):
    with node.connect() as connection:
        connection.sendall(sent)

    line = wait_for(lines)[0]

    assert (line["method"], line["complete"], line["accepted"], line["status"]) == (method, False, False, None)
    assert node.status() == {"state": "idle"}


def test_half_a_request_after_a_complete_one_is_in_the_journal(node, lines):
    with node.connect() as connection:
        connection.sendall(b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n")
        connection.recv(65536)
        connection.sendall(b"POST /v1/bootstrap/cre")

    whole, half = wait_for(lambda: len(lines()) == 2 and lines())

    assert (whole["complete"], half["complete"]) == (True, False)


def test_bytes_that_are_not_http_are_in_the_journal(node, lines):
    with node.connect() as connection:
        connection.sendall(b"\x00\x01\x02\r\n\r\n")
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert wait_for(lines)[0]["complete"] is False


def test_the_journal_has_no_password(member, serve, tmp_path):
    member.get(auth=MARIA)
    member.get(f"/v1/bootstrap?password={MARIA[1].replace(' ', '+')}", auth=(MARIA[0], "wrong"))
    node = Caller(serve("second").address)
    node.join(member)
    node.wait_until("completed")

    secret = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]["secret"]
    for name in ("member", "second"):
        written = (tmp_path / name / "journal.jsonl").read_text()
        assert "POST" in written
        for word in (MARIA[1], MARIA[1].replace(" ", "+"), secret, "Basic", "Bearer"):
            assert word not in written


CANARY = "seven-quiet-otters"
SIGN_IN = f"maria:{CANARY}"


@pytest.mark.parametrize(
    "head",
    [
        f"GET /v1/bootstrap?password={CANARY} HTTP/1.1",
        f"GET /v1/bootstrap%3Fpassword={CANARY} HTTP/1.1",
        f"GET /v1/bootstrap;password={CANARY} HTTP/1.1",
        f"GET /v1/bootstrap#{CANARY} HTTP/1.1",
        f"GET /v1/bootstrap/{SIGN_IN} HTTP/1.1",
        f"GET https://{SIGN_IN}@node/v1/bootstrap HTTP/1.1",
        f"GET https://maria:%2F{CANARY}@node/v1/bootstrap HTTP/1.1",
        f"GET {SIGN_IN}@node/v1/bootstrap HTTP/1.1",
        f"CONNECT {SIGN_IN}@node:443 HTTP/1.1",
        f"{CANARY.upper()} /v1/bootstrap HTTP/1.1",
        f"{CANARY} /v1/bootstrap HTTP/1.1",
        f"GET /v1/bootstrap {CANARY}",
        f"GET /v1/bootstrap HTTP/1.1\r\nAuthorization: Bearer {CANARY}",
        f"GET /v1/bootstrap HTTP/1.1\r\nAuthorization: {SIGN_IN}",
        f"GET /v1/bootstrap HTTP/1.1\r\nCookie: password={CANARY}",
        f"GET /v1/bootstrap HTTP/1.1\r\nX-{CANARY}: {CANARY}\r\nReferer: https://{SIGN_IN}@node/",
        f"GET /v1/bootstrap HTTP/1.1\r\n{CANARY}",
    ],
)
def test_the_journal_has_nothing_secret_of_a_request_head(node, tmp_path, lines, head):
    with node.connect() as connection:
        connection.sendall(f"{head}\r\nHost: node\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(65536)

    wait_for(lines)
    written = (tmp_path / "node-1" / "journal.jsonl").read_text()
    assert CANARY not in written.lower()
    assert "https:" not in written


@pytest.mark.parametrize("place", ["password", "license", "recovery_filename", "surprise", "malformed", "cut off"])
def test_the_journal_has_nothing_of_a_body(node, tmp_path, lines, place):
    body = create_body(**{place: CANARY})
    if place == "password":
        body = create_body(credentials={"username": MARIA[0], "password": CANARY})
    data = json.dumps(body).encode() + (b"}" if place == "malformed" else b"")
    length = len(data) - 20 if place == "cut off" else len(data)
    head = f"POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: node\r\nContent-Length: {length}\r\n"

    with node.connect() as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + data)
        assert connection.recv(65536)

    wait_for(lines)
    assert CANARY not in (tmp_path / "node-1" / "journal.jsonl").read_text()


def test_a_cut_path_in_the_journal_is_marked_as_cut(node, lines):
    node.get("/v1/bootstrap%3Fx=1")

    assert lines()[-1]["path"] == "/v1/bootstrap…"


def test_a_body_that_ends_in_nonsense_is_one_journal_line(node, lines):
    head = "POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n"
    with node.connect() as connection:
        connection.sendall(f"{head}no chunk\r\n".encode())
        answer = connection.recv(65536)
    node.get()

    assert answer.startswith(b"HTTP/1.1 400 ")
    refused, _asked = lines()
    assert (refused["method"], refused["complete"], refused["status"]) == ("POST", False, 400)
