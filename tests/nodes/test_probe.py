import pytest

from setup_wizard.nodes.errors import AddressForbidden, NodeMisbehaved, NodeRefused, NodeUntrusted, NodeUnverified
from setup_wizard.nodes.probe import Probe, fetch_certificate, probe, verify_certificate
from tests.nodes.servers import IDLE, Identity, always, answer, idle_node

FAILED = {
    "bootstrap_status": {
        "state": "error",
        "start_time": "2026-11-23T15:00:00Z",
        "end_time": None,
        "error_code": "path_error",
        "error_details": {"message": "no such path"},
    },
    "local_node_info": IDLE["local_node_info"]
    | {"available_addrs": [{"address": "10.0.0.5", "format": "ipv4", "if_name": "eth0", "private": True}]},
}


@pytest.fixture
def allow(settings):
    """Allow the server's loopback address in the guard."""
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = True

    def allow_port(server):
        settings.SETUP_WIZARD_ALLOWED_PORTS = [server.port]
        return server

    return allow_port


def test_probe_shows_certificate_and_facts_of_a_fresh_node(serve, allow):
    node = allow(serve(idle_node))

    seen = probe(node.address)

    assert (seen.address, seen.endpoint.key) == (node.address, f"127.0.0.1:{node.port}")
    assert seen.certificate == node.identity.certificate
    assert seen.answer.node.software_version == "7.22.0-216"
    assert not seen.member


def test_probe_fetches_the_certificate_before_the_get(serve, allow):
    node = allow(serve(idle_node))

    probe(node.address)

    assert (node.connections, len(node.requests)) == (2, 1)
    assert "authorization" not in node.requests[0].headers


def test_fetching_a_certificate_sends_no_http(serve):
    node = serve(idle_node)

    certificate = fetch_certificate(node.endpoint)

    node.stop()
    assert certificate == node.identity.certificate
    assert node.received == b""


def test_probe_of_a_member_that_requires_a_sign_in(serve, allow):
    member = allow(serve(always(answer(401))))

    seen = probe(member.address)

    assert (seen.member, seen.answer) == (True, None)


def test_completed_node_is_a_member(serve, allow):
    member = allow(serve(always(answer(200, {"bootstrap_status": {"state": "completed"}}))))

    assert probe(member.address).member


def test_proxy_that_answers_403_is_not_a_member(serve, allow):
    proxy = allow(serve(always(answer(403))))

    with pytest.raises(NodeRefused):
        probe(proxy.address)


def test_probe_rejects_other_services(serve, allow):
    web = allow(serve(always(answer(200, body=b"<html>hello</html>"))))

    with pytest.raises(NodeMisbehaved):
        probe(web.address)


def test_probe_rejects_a_certificate_that_changes_midway(serve, allow):
    first, second = Identity(), Identity()
    node = allow(serve(idle_node, upcoming=[first, second]))

    with pytest.raises(NodeUntrusted) as refusal:
        probe(node.address)

    assert refusal.value.seen == second.certificate
    assert node.received == b""


def test_probe_sends_no_packet_to_a_forbidden_address(serve, settings):
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False
    node = serve(idle_node)
    settings.SETUP_WIZARD_ALLOWED_PORTS = [node.port]

    with pytest.raises(AddressForbidden, match="not allowed"):
        probe(node.address)

    assert node.connections == 0


@pytest.mark.parametrize("script", [idle_node, always(answer(401)), always(answer(200, FAILED))])
def test_probe_round_trips_through_json(serve, allow, script):
    seen = probe(allow(serve(script)).address)

    assert Probe.from_json(seen.as_json()) == seen


@pytest.mark.parametrize("document", [{}, {"address": "10.0.0.5:9443"}, {"address": "x y", "certificate": {}}])
def test_probe_rejects_invalid_json(document):
    with pytest.raises(ValueError, match=r"address|certificate|fingerprint|blank|host"):
        Probe.from_json(document)


def test_certificate_is_verified_against_the_authority_that_is_named(serve):
    node, other = serve(idle_node), Identity()
    pin = node.identity.certificate.fingerprint

    verify_certificate(node.endpoint, pin, f"# Ä\n{other.pem}{node.identity.pem}")

    with pytest.raises(NodeUnverified, match="self-signed certificate"):
        verify_certificate(node.endpoint, pin, other.pem)
    with pytest.raises(NodeUntrusted):
        verify_certificate(node.endpoint, other.certificate.fingerprint, node.identity.pem)
    assert not node.requests
