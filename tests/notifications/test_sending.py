"""One POST: to a checked address, verified, limited in time and size, and nothing secret in what is shown."""

import time

import pytest

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import guard
from setup_wizard.nodes.transport import Deadline, TLSConnection, make_context
from setup_wizard.notifications import sending
from setup_wizard.notifications.secrets import WebhookSecrets
from tests.nodes.servers import Identity, PlainServer, Server, answer
from tests.notifications.conftest import KEY
from tests.notifications.receivers import DAY, SLACK_PATH, accepting, answering


def send(url):
    return sending.send(WebhookSecrets(Secret(url), Secret(KEY)), {"webhook-id": "msg_1"}, b'{"a":1}')


def test_message_arrives_with_host_and_headers(receive):
    receiver = receive()

    answered = send(receiver.url("/hook?token=1", host="localhost"))

    assert (answered.status_code, answered.text, answered.is_accepted) == (200, "ok", True)
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?token=1", b'{"a":1}')
    assert request.headers["host"] == f"localhost:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/hook", "https://"),
        ("ftp://127.0.0.1/hook", "https://"),
        ("https://maria:word@127.0.0.1/hook", "user name and password"),
        ("https://127.0.0.1/hook#part", "Remove the #"),
        ("https:///hook", "host is not valid"),
        ("https://2130706433/hook", "host is not valid"),
        ("https://127.0.0.1:0x1bb/hook", "whole URL"),
        ("https://127.0.0.1/a b", "special characters"),
        ("https://127.0.0.1\\@10.0.0.1/", "special characters"),
        ("https://127.0.0.1/" + "a" * 2100, "2048 characters"),
        ("https://ex%61mple.com/", "host is not valid"),
    ],
)
def test_url_that_could_mean_two_things_is_refused(url, words):
    with pytest.raises(sending.InvalidURL, match=words):
        sending.ReceiverURL.parse(url)


def test_host_header_leaves_out_the_port_of_https():
    assert sending.ReceiverURL.parse("https://hooks.example.com/x").host_header == "hooks.example.com"
    assert sending.ReceiverURL.parse("https://hooks.example.com:8443/x").host_header == "hooks.example.com:8443"


def test_nothing_is_sent_while_webhooks_are_off(receive, settings):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = []
    receiver = receive()

    with pytest.raises(sending.SendingFailed, match="SETUP_WIZARD_WEBHOOK_NETWORKS is empty"):
        send(receiver.url())

    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_name_of_a_forbidden_address_is_refused_before_a_packet(receive, settings, host):
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = ["0.0.0.0/0"]
    receiver = receive()

    with pytest.raises(sending.SendingFailed, match="loopback"):
        send(receiver.url(host=host))

    assert receiver.connections == 0


def test_message_about_a_network_names_the_setting_of_webhooks(settings):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = ["192.0.2.0/24"]

    with pytest.raises(sending.SendingFailed, match="outside the networks in SETUP_WIZARD_WEBHOOK_NETWORKS") as failed:
        send("https://198.51.100.7/hook")

    assert "ALLOWED_NETWORKS" not in failed.value.message


def test_metadata_service_is_refused_in_any_network(settings):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = ["0.0.0.0/0"]

    with pytest.raises(sending.SendingFailed, match="metadata"):
        send("https://169.254.169.254/latest/meta-data/")


def test_certificate_of_an_unknown_authority_is_refused(receive):
    receiver = receive(identity=Identity("127.0.0.1"))

    with pytest.raises(sending.SendingFailed, match="does not verify"):
        send(receiver.url())

    assert receiver.requests == []


def test_certificate_for_another_name_is_refused(receive):
    receiver = receive(names=("other.example.com",))

    with pytest.raises(sending.SendingFailed, match="does not verify"):
        send(receiver.url())

    assert receiver.requests == []


def test_expired_certificate_is_refused(receive, authority):
    receiver = receive(identity=authority.identity("127.0.0.1", ends=-DAY))

    with pytest.raises(sending.SendingFailed, match="expired"):
        send(receiver.url())

    assert receiver.requests == []


def test_connection_without_pins_needs_a_context_that_verifies_the_name():
    with pytest.raises(ValueError, match="verifies the name"):
        TLSConnection(guard.Endpoint(None, "127.0.0.1", 1), None, Deadline.after(1), verified_by=make_context())


def test_redirect_is_not_followed(receive):
    other = receive()
    receiver = receive(answering(307, location=other.url()))

    answered = send(receiver.url())

    assert (answered.status_code, answered.is_accepted) == (307, False)
    assert other.requests == []


def test_huge_answer_is_not_read(receive):
    def flood(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            peer.send(b"x" * 65536)

    with pytest.raises(sending.SendingFailed, match="64 KiB"):
        send(receive(flood).url())


def test_slow_drip_ends_at_the_time_limit(receive, monkeypatch):
    monkeypatch.setattr(sending, "TRY_SECONDS", 1.0)
    receiver = receive(lambda peer: (peer.read_request(), peer.drip(answer(200, body=b"x" * 1000), every=0.05)))
    began = time.monotonic()

    with pytest.raises(sending.SendingFailed, match="no answer in time"):
        send(receiver.url())

    assert time.monotonic() - began < 3


def test_receiver_that_never_answers_the_handshake_is_given_up(monkeypatch):
    monkeypatch.setattr(sending, "TRY_SECONDS", 0.5)
    server = PlainServer(lambda peer: peer.server.done.wait(5))
    try:
        with pytest.raises(sending.SendingFailed, match="TLS handshake timed out"):
            send(f"https://127.0.0.1:{server.port}/")
    finally:
        server.stop()


def test_receiver_that_does_not_speak_http_is_told_in_words(receive):
    with pytest.raises(sending.SendingFailed, match="does not use HTTP"):
        send(receive(lambda peer: (peer.read_request(), peer.send(b"220 mail.example.com ESMTP\r\n"))).url())


def test_proxy_of_the_environment_is_not_used(receive, monkeypatch):
    proxy = Server(accepting)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    try:
        assert send(receive().url()).is_accepted
        assert proxy.connections == 0
    finally:
        proxy.stop()


def test_answer_that_quotes_url_and_key_is_masked(receive):
    quoted = f"no such hook {SLACK_PATH} tOp-SeCrEt-path-7f3a9c {KEY} \x1b[31m".encode()

    shown = send(receive(answering(404, quoted)).url()).text

    assert "no such hook" in shown
    assert "tOp-SeCrEt" not in shown
    assert KEY not in shown
    assert "\x1b" not in shown
