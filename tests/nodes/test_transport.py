import gzip
import json
import socket
import time
from queue import SimpleQueue

import pytest

from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import NodeMisbehaved, NodeRedirected, NodeUnavailable, NodeUnreachable
from tests.nodes.servers import IDLE, always, answer, idle_node

BRIEFLY = 0.4
"""A deadline for answers that never end."""


def ask(server, *, seconds=5):
    with connect(server.endpoint, server.pins, seconds=seconds) as connection:
        return connection.bootstrap_answer()


def send(server, request, *, seconds=5):
    with connect(server.endpoint, server.pins) as connection:
        connection.bootstrap(request, seconds=seconds)


def dripping(data):
    def script(peer):
        peer.read_request()
        peer.drip(data, 0.02)

    return script


def endless(first, repeated):
    def script(peer):
        peer.read_request()
        peer.send(first)
        while not peer.server.done.is_set():
            peer.send(repeated)

    return script


BODY = json.dumps(IDLE).encode()
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    "data",
    [
        answer(200, IDLE, X_Padding="x" * 1000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 200,
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    ],
    ids=["headers", "body", "chunks", "body without length", "interim answers"],
)
def test_byte_by_byte_answer_ends_at_the_deadline(serve, data):
    node = serve(dripping(data))
    started = time.monotonic()

    with pytest.raises(NodeUnreachable) as failure:
        ask(node, seconds=BRIEFLY)

    assert (failure.value.phase, failure.value.detail) == ("answer", "no answer in time")
    assert BRIEFLY - 0.1 < time.monotonic() - started < BRIEFLY + 4


def test_byte_by_byte_tls_record_ends_at_the_deadline(serve):
    def half_a_record(peer):
        plain = socket.socket(fileno=socket.dup(peer.socket.fileno()))
        with plain:
            for byte in b"\x17\x03\x03\x40\x00" + bytes(200):
                plain.sendall(bytes([byte]))
                time.sleep(0.02)  # the drip itself is what is tested

    node = serve(half_a_record)
    started = time.monotonic()

    with pytest.raises(NodeUnreachable):
        ask(node, seconds=BRIEFLY)

    assert time.monotonic() - started < BRIEFLY + 4


ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n", "16 KiB of headers"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000, "16 KiB of headers"),
    "status line": (b"HTTP/1.1 200 ", b"x" * 1000, "16 KiB of headers"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "16 KiB of headers"),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", "16 KiB of headers"),
    "body without length": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 16384, "256 KiB of body"),
    "long body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", b" " * 16384, "256 KiB of body"),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1000\r\n" + b" " * 4096 + b"\r\n",
        "256 KiB",
    ),
    "one chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        b" " * 16384,
        "256 KiB of body",
    ),
    "chunk extensions": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1;" + b"x" * 99 + b"\r\n \r\n",
        "256 KiB",
    ),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: x\r\n", "not valid HTTP"),
}


@pytest.mark.parametrize(("first", "repeated", "excess"), ENDLESS.values(), ids=ENDLESS)
def test_endless_answer_ends_at_the_size_limits(serve, first, repeated, excess):
    node = serve(endless(first, repeated))

    with pytest.raises(NodeMisbehaved, match=excess):
        ask(node)

    node.stop()
    assert node.sent < 16 * 1024 * 1024  # what lies in the sockets' buffers, not what was taken in


def test_post_answer_has_a_smaller_limit(serve, create_request):
    node = serve(always(answer(200, body=b" " * 65 * 1024)))

    with pytest.raises(NodeMisbehaved, match="64 KiB of body"):
        send(node, create_request)


def test_body_of_exactly_the_limit_is_read(serve):
    node = serve(always(answer(200, body=BODY + b" " * (256 * 1024 - len(BODY)))))

    assert ask(node).node.cores == 4


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(200, IDLE),
    ],
    ids=["chunks", "after interim answers"],
)
def test_chunks_and_interim_answers_keep_the_connection(serve, data, create_request):
    node = serve(always(data, answer(200)))

    with connect(node.endpoint, node.pins) as connection:
        assert connection.bootstrap_answer().node.cores == 4
        connection.bootstrap(create_request)

    assert len(node.posts) == 1


def test_body_until_close_needs_a_tls_close_message(serve):
    def until_the_end(peer):
        peer.read_request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\n" + BODY)
        peer.close_tls()

    assert ask(serve(until_the_end)).node.cores == 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    ],
    ids=["nothing", "status line", "headers", "body", "chunks", "one chunk", "body without a TLS close message"],
)
def test_answer_cut_short_is_unreachable(serve, data):
    def cut(peer):
        peer.read_request()
        peer.send(data)

    with pytest.raises(NodeUnreachable) as failure:
        ask(serve(cut))

    assert failure.value.phase == "answer"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf",
    ],
    ids=["status line", "header", "headers", "chunk"],
)
def test_answer_cut_short_by_a_tls_close_is_unreachable(serve, data):
    """A proxy does this while its node restarts: retry, and do not conclude that it is not a node."""

    def cut(peer):
        peer.read_request()
        peer.send(data)
        peer.close_tls()

    with pytest.raises(NodeUnreachable, match="cut short"):
        ask(serve(cut))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
)
def test_ambiguous_or_malformed_head_is_rejected(serve, head):
    with pytest.raises(NodeMisbehaved):
        ask(serve(always(head + BODY)))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKS, "two lengths"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, "not valid HTTP"),
        (answer(200, IDLE, X_Odd="a\x00b"), "not valid HTTP"),
        (b"-ERR wrong number of arguments for 'get' command\r\n", "does not use HTTP"),
    ],
    ids=["chunks with a length", "two lengths", "NUL in a header", "Redis"],
)
def test_malformed_http_is_rejected_with_a_reason(serve, data, complaint):
    with pytest.raises(NodeMisbehaved, match=complaint):
        ask(serve(always(data)))


def test_compressed_answer_is_rejected_unopened(serve):
    bomb = gzip.compress(bytes(50_000_000))
    node = serve(always(answer(200, body=bomb, Content_Encoding="gzip")))

    with pytest.raises(NodeMisbehaved, match="compressed"):
        ask(node)


def test_compressed_503_is_still_unavailable(serve):
    node = serve(always(answer(503, body=gzip.compress(b"<html>"), Content_Encoding="gzip")))

    with pytest.raises(NodeUnavailable):
        ask(node)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed(serve, create_request, status, method):
    elsewhere = serve(idle_node)
    node = serve(always(answer(status, Location=f"https://127.0.0.1:{elsewhere.port}/v1/bootstrap")))

    with pytest.raises(NodeRedirected) as redirect:
        ask(node) if method == "GET" else send(node, create_request)

    assert redirect.value.status == status
    assert str(elsewhere.port) in redirect.value.location
    assert (elsewhere.connections, len(node.requests)) == (0, 1)


@pytest.mark.parametrize("location", [None, "", "http://[", "//", "https://u:p@[::1", "x" * 9000])
def test_redirect_with_an_invalid_location_is_a_redirect(serve, location):
    with pytest.raises(NodeRedirected):
        ask(serve(always(answer(302, Location=location))))


def test_proxies_and_netrc_are_ignored(serve, monkeypatch, tmp_path):
    node, proxy = serve(idle_node), serve(lambda peer: None, plain=True)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password stolen\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    ask(node)

    assert proxy.connections == 0
    assert "authorization" not in node.requests[0].headers


def test_cookies_are_not_kept(serve):
    node = serve(always(answer(200, IDLE, Set_Cookie="track=maria")))

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        connection.bootstrap_answer()

    assert len(node.requests) == 2
    assert "cookie" not in node.requests[1].headers


def test_close_discards_an_unanswered_request(serve, create_request):
    """Otherwise the system keeps retransmitting it, longer than we wait before sending again."""
    ends = SimpleQueue()

    def script(peer):
        if peer.read_request().method == "GET":
            peer.answer(200, IDLE)
        with socket.socket(fileno=peer.socket.detach()) as beneath:  # a TLS socket does not tell a reset from a close
            beneath.settimeout(5)
            try:
                ends.put(beneath.recv(1))
            except OSError as problem:
                ends.put(type(problem))

    node = serve(script)
    with pytest.raises(NodeUnreachable):
        send(node, create_request, seconds=BRIEFLY)
    unanswered = ends.get(timeout=5)
    ask(node)

    assert unanswered is ConnectionResetError
    assert ends.get(timeout=5) == b""  # what was answered ends as usual
