import pytest

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.errors import (
    TLS_ALERT,
    AddressForbidden,
    AddressInvalid,
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
    NodeUntrusted,
    NodeUnverified,
    NotAsked,
    TooLateToSend,
)
from setup_wizard.nodes.failures import explain_failure

HOST = Address("10.0.0.5")
FAILURES = [
    NodeUnreachable("dns", "host name not found"),
    NodeUnreachable("connect", "connection refused"),
    NodeUnreachable("tls", "TLS handshake timed out"),
    NodeUnreachable("request", "broken pipe"),
    NodeUnreachable("answer", "the answer was cut short"),
    NotAsked(),
    NodeUntrusted(Certificate("AB:CD")),
    NodeUnverified("self-signed certificate"),
    NodeRefused(403),
    NodeRefused(TLS_ALERT),
    BootstrapInProgress(),
    BootstrapRejected(400),
    BootstrapUnsupported(405),
    NodeRedirected(302, "https://elsewhere.example.com/"),
    NodeUnavailable(503),
    NodeMisbehaved("the answer has no bootstrap_status"),
    TooLateToSend(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{type(failure).__name__}")
def test_every_failure_names_the_node_in_a_full_sentence(failure):
    text = explain_failure(failure, HOST)

    assert "10.0.0.5:9443" in text
    assert text.endswith((".", "”."))
    assert "error" not in text.lower()


def test_every_failure_has_its_own_message():
    assert len({explain_failure(failure, HOST) for failure in FAILURES}) == len(FAILURES)


def test_every_error_class_is_covered():
    assert {type(failure) for failure in FAILURES} == {*NodeError.__subclasses__(), *NodeUnreachable.__subclasses__()}


def test_closed_port_is_explained():
    text = explain_failure(NodeUnreachable("connect", "connection refused"), "10.0.0.5:9443")

    assert text == (
        "Cannot connect to 10.0.0.5:9443 (connection refused). The node may still be starting, which takes up to five "
        "minutes, or a firewall blocks the port."
    )


@pytest.mark.parametrize("kind", [AddressInvalid, AddressForbidden])
def test_address_errors_keep_their_message(kind):
    assert explain_failure(kind("8.8.8.8 is not allowed."), "8.8.8.8") == "8.8.8.8 is not allowed."
