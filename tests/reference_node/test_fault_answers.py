"""Answers that no client should believe, wait for or keep: each as it is on the wire, and a node that goes on."""

import gzip
import json
import math
import re
import socket
import time
from pathlib import Path

import pytest

from setup_wizard.reference_node.faults import parse_fault

from .conftest import MARIA, Caller, create_body, create_request, read_all, wait_for

QUESTION = b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
ENOUGH = 1024 * 1024


def ask_raw(node: Caller, request: bytes = QUESTION, limit: int = 16 * ENOUGH) -> tuple[bytes, bytes]:
    """The head and the body as they arrived."""
    with node.connect() as connection:
        connection.sendall(request)
        head, _, body = read_all(connection, limit).partition(b"\r\n\r\n")
    return head, body


@pytest.fixture
def served(serve, lines):
    """A node whose faults are changed while it runs; in the end it answers as ever, and its journal names the fault."""
    server = serve(pace=60)
    caller = Caller(server.address)

    def put(*faults: str) -> Caller:
        server.node.faults.put([parse_fault(fault) for fault in faults])
        return caller

    yield put
    put()
    assert caller.get().json()["bootstrap_status"]["state"] in {"idle", "initiated"}
    assert lines()[-1]["fault"] is None
    assert any(line["fault"] for line in lines())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_has_the_given_location_and_starts_nothing(served, lines, status):
    node = served(f"redirect={status},https://127.0.0.1:9/v1/bootstrap?x=1")

    asked = node.ask("GET", "/v1/bootstrap", allow_redirects=False)
    posted = node.ask("POST", "/v1/bootstrap/create_cluster", json=create_body(), allow_redirects=False)

    for answer in (asked, posted):
        assert (answer.status_code, answer.headers["Location"]) == (status, "https://127.0.0.1:9/v1/bootstrap?x=1")
    assert [(line["accepted"], line["status"]) for line in lines()] == [(False, status)] * 2


def test_garbage_is_not_text(served):
    head, body = ask_raw(served("garbage"))

    assert head.startswith(b"HTTP/1.1 200 ")
    with pytest.raises(UnicodeDecodeError):
        body.decode()


def test_garbage_can_answer_an_accepted_request(served, lines):
    node = served("garbage:post")

    head, body = ask_raw(node, create_request().replace(b"Host", b"Connection: close\r\nHost"))

    assert head.startswith(b"HTTP/1.1 200 ")
    assert body
    assert (lines()[0]["accepted"], lines()[0]["fault"]) == (True, "garbage")


def test_html_has_the_type_of_a_page(served):
    answer = served("html").get()

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")


def test_numbers_become_nan(served):
    answer = served("nan").get()

    assert "NaN" in answer.text
    assert math.isnan(json.loads(answer.text)["local_node_info"]["total_memory"])
    assert answer.json()["bootstrap_status"]["state"] == "idle"


@pytest.mark.parametrize(("fault", "levels"), [("deep-json", 1000), ("deep-json=100000", 100_000)])
def test_an_answer_is_nested_as_deep_as_requested(served, fault, levels):
    _, body = ask_raw(served(fault))

    assert body.count(b"[") > levels
    assert re.search(rb'"nest": (\[+)', body)[1] == b"[" * levels
    assert body.endswith(b"]" * levels + b"}")


def test_every_value_has_another_type(served):
    document = served("wrong-types").get().json()

    assert isinstance(document["bootstrap_status"]["state"], int)
    assert isinstance(document["local_node_info"]["total_memory"], str)
    assert isinstance(document["local_node_info"]["available_addresses"], dict)


def test_a_gzip_bomb_unpacks_correctly(served):
    head, body = ask_raw(served("gzip-bomb=64"))

    assert b"content-encoding: gzip" in head.lower()
    assert len(body) < 256 * 1024
    unpacked = gzip.decompress(body)  # which compares length and checksum
    assert len(unpacked) > 64 * 1024 * 1024
    assert json.loads(unpacked)["bootstrap_status"]["state"] == "idle"


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_drips(served, part):
    node = served(f"drip={part},0.002")
    began = time.monotonic()

    head, body = ask_raw(node)

    dripped = len(head) if part == "headers" else len(body)
    assert time.monotonic() - began > 0.002 * dripped
    assert json.loads(body)["bootstrap_status"]["state"] == "idle"


def test_an_empty_answer_drips_too(served, lines):
    node = served("drip=body,0.001:post")

    _, body = ask_raw(node, create_request())

    assert body == b" " * 64
    assert lines()[0]["accepted"] is True


def test_a_drip_sends_one_byte_a_second(served):
    with served("drip=headers").connect() as connection:
        connection.sendall(QUESTION)
        connection.settimeout(10)
        assert connection.recv(100) == b"H"
        began = time.monotonic()
        assert connection.recv(100) == b"T"

    assert 0.5 < time.monotonic() - began < 5


def test_headers_do_not_end(served):
    head, body = ask_raw(served("endless-headers"), limit=ENOUGH)

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(head) >= ENOUGH
    assert body == b""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("huge-body", b"Content-Length: 10000000000"),
        ("huge-body=5000000000,chunked", b"Transfer-Encoding: chunked"),
    ],
)
def test_a_body_is_huge(served, fault, words):
    head, body = ask_raw(served(fault), limit=4 * ENOUGH)

    assert words in head
    assert len(body) > 3 * ENOUGH


@pytest.mark.parametrize("fault", ["huge-body=300000", "huge-body=300000,chunked"])
def test_a_body_of_a_given_size_is_whole(served, fault):
    answer = served(fault).get()

    assert answer.content == b" " * 300_000


def test_interim_answers_come_before_the_real_one(served):
    node = served("interim-flood=5")
    with node.connect() as connection:
        connection.sendall(QUESTION)
        received = read_all(connection)

    assert received.count(b"HTTP/1.1 100 ") == 3
    assert received.count(b"HTTP/1.1 103 ") == 2
    assert json.loads(received.rpartition(b"\r\n\r\n")[2])["bootstrap_status"]["state"] == "idle"


def test_interim_answers_do_not_end(served):
    head, rest = ask_raw(served("interim-flood"), limit=ENOUGH)

    assert head == b"HTTP/1.1 100 Continue"
    assert b"HTTP/1.1 200" not in rest


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say what a process uses")
def test_an_endless_answer_uses_no_memory_and_delays_no_others(start):
    node = start(faults=("huge-body:once:after=1",))
    caller = Caller(node.address)
    caller.get()
    before = memory(node.pid)
    with caller.connect() as connection:
        connection.sendall(QUESTION)
        read_all(connection, 64 * ENOUGH)
        assert caller.get().status_code == 200  # while the other is still being written to
        assert memory(node.pid) - before < 20 * ENOUGH

    assert [line["fault"] for line in node.requests()] == [None, "huge-body", None]


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def test_a_start_time_that_was_shown_stays(serve):
    server = serve(pace=0.04)
    node = Caller(server.address)
    node.create(node={"identity": {"addr": "10.0.0.5"}})
    before = node.wait_until("error")
    server.node.faults.put([parse_fault("same-start-time")])
    node.status()

    node.create()
    after = node.wait_until("completed")

    assert after["start_time"] == before["start_time"]
    server.node.faults.put(())
    assert node.status()["start_time"] > before["start_time"]


def test_a_node_that_showed_no_start_time_shows_none_later(serve):
    node = Caller(serve(pace=60, faults=("same-start-time",)).address)
    node.status()

    node.create()

    assert node.status() == {"state": "initiated"}


@pytest.mark.parametrize(("fault", "shown"), [("backwards", "initiated"), ("backwards=idle", "idle")])
def test_a_state_goes_backwards(serve, fault, shown):
    node = Caller(serve(pace=0.04, faults=(fault,)).address)
    node.create()
    node.wait_until("completed")

    states = [node.status()["state"] for _ in range(4)]

    assert states in (["completed", shown] * 2, [shown, "completed"] * 2)


def test_an_error_comes_and_goes_while_the_bootstrap_runs(serve):
    node = Caller(serve(pace=0.5, faults=("flapping-error=path_error",)).address)
    node.create()

    seen = [node.status() for _ in range(2)]

    assert [status["state"] for status in seen] == ["initiated", "error"]
    assert seen[1]["error_code"] == "path_error"
    assert seen[1]["error_details"]["message"]
    assert node.wait_until("completed")
    assert node.status()["state"] == "completed"


def test_echo_repeats_the_request_in_error_details_only(serve, tmp_path):
    server = serve(faults=("echo",))
    node = Caller(server.address)
    node.create(node={"identity": {"addr": "10.0.0.5"}})

    details = node.wait_until("error")["error_details"]

    assert MARIA[1] in details["message"]
    assert json.loads(details["request"])["credentials"]["password"] == MARIA[1]
    written = (tmp_path / "node-1" / "journal.jsonl").read_text()
    assert '"fault": "echo"' in written
    assert MARIA[1] not in written
    assert MARIA[1] not in repr(list(server.node.faults))


def test_a_request_is_repeated_in_its_refusal(serve):
    node = Caller(serve(faults=("echo",)).address)

    answer = node.create(cluster={})

    assert answer.status_code == 400
    assert MARIA[1] in answer.json()["description"]


def test_faults_do_not_affect_requests_between_members(serve, member):
    second = Caller(serve("second", faults=("garbage", "answer=500:any", "unauthorized=now")).address)

    answer = second.ask("POST", "/_cluster/exchange", json={})

    assert answer.status_code == 503
    assert answer.json()["error_code"] == "not_a_member"


def test_a_silent_question_is_left_open(served):
    with served("swallow=silence:get").connect() as connection:
        connection.sendall(QUESTION)
        connection.settimeout(0.3)
        with pytest.raises(socket.timeout):
            connection.recv(1)


def test_a_fault_affects_only_its_kind_of_requests(served, lines):
    node = served("html:get:once:after=1", "answer=404:validate", "hold-post=0.01:any")

    types = [node.get().headers["Content-Type"] for _ in range(3)]
    validated = node.ask("POST", "/v1/bootstrap/validate/create_cluster", json=create_body())
    created = node.create()

    assert types == ["application/json", "text/html; charset=utf-8", "application/json"]
    assert (validated.status_code, validated.json()["error_code"]) == (404, "provoked")
    assert created.status_code == 200
    wait_for(lambda: len(lines()) == 5)
