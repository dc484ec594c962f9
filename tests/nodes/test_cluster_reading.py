"""A cluster is read with one sign-in, over the approved certificate of a member."""

import ssl
from contextlib import contextmanager, nullcontext
from email.utils import formatdate
from time import time

import pytest

from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.cluster_reading import NO_TIME, Part, read_cluster
from setup_wizard.nodes.errors import NodeMisbehaved, NodeRefused, NodeUnreachable, NodeUntrusted
from setup_wizard.nodes.limits import GET_BODY_BYTES
from tests.nodes.conftest import PASSWORD
from tests.nodes.servers import Identity, answer

MARIA = Credentials(username="maria@example.com", password=Secret(PASSWORD))
ANSWERS = {
    "/v1/cluster": answer(200, {"name": "redis-prod.example.com", "rack_aware": True}),
    "/v1/nodes": answer(200, [{"uid": 1, "status": "active", "addr": "127.0.0.1", "rack_id": "rack-a"}]),
    "/v1/ocsp": answer(200, {"ocsp_functionality": False}),
    "/v1/nodes/status": answer(200, {"1": {"role": "master"}}),
    "/v1/actions": answer(200, {"actions": [], "state-machines": []}),
    "/v1/license": answer(200, {"expired": False, "shards_limit": 4}),
    "/v1/cluster/policy": answer(200, {"login_lockout_threshold": 5}),
    "/v1/modules": answer(200, [{"module_name": "search", "semantic_version": "2.10.5"}]),
}


class Reserved:
    """Record how a reservation ended."""

    def __init__(self):
        self.outcome = "unused"

    @contextmanager
    def __call__(self):
        try:
            yield
        except Exception as error:
            self.outcome = type(error).__name__
            raise
        self.outcome = "accepted"


@pytest.fixture
def member(serve):
    """Start a member; `changed` are its answers by path, a list of them one after the other."""

    def start(**changed):
        answers = ANSWERS | {f"/v1/{path.replace('__', '/')}": sent for path, sent in changed.items()}

        def script(peer):
            while request := peer.read_request():
                peer.send(answers[request.path])

        return serve(script)

    return start


def read(node, *, reserved=None, seconds=5, credentials=MARIA, **options):
    with connect(node.endpoint, node.pins, seconds=seconds) as member:
        return read_cluster(member, credentials, reserved=reserved or nullcontext(), **options)


def paths(node):
    return [request.path for request in node.requests]


def test_cluster_is_read_on_one_connection_with_one_sign_in(member):
    node, reserved = member(), Reserved()

    reading = read(node, reserved=reserved())

    assert (reading.cluster.name, reading.cluster.rack_aware) == ("redis-prod.example.com", True)
    assert reading.member == node.endpoint.key
    assert [each.rack_id for each in reading.nodes] == ["rack-a"]
    assert (reading.is_administrator, reading.actions, reading.missing) == (True, (), {})
    assert reading.member_states[0].is_primary
    assert (reading.license.shards_limit, reading.lockout.threshold) == (4, 5)
    assert reading.modules[0].label == "search 2.10.5"
    assert sorted(paths(node)) == sorted(ANSWERS)
    assert (node.connections, reserved.outcome) == (1, "accepted")


@pytest.mark.parametrize("status", [401, 403])
def test_nothing_more_is_sent_after_a_refused_sign_in(member, status):
    node, reserved = member(cluster=answer(status)), Reserved()

    with pytest.raises(NodeRefused):
        read(node, reserved=reserved())

    assert paths(node) == ["/v1/cluster"]
    assert reserved.outcome == "NodeRefused"


def test_nothing_more_is_sent_after_a_sign_in_is_refused_later(member):
    node, reserved = member(nodes=answer(401)), Reserved()

    with pytest.raises(NodeRefused):
        read(node, reserved=reserved())

    assert paths(node) == ["/v1/cluster", "/v1/nodes"]
    assert reserved.outcome == "NodeRefused"


def test_nothing_is_sent_to_an_unapproved_certificate(member):
    node = member()

    with pytest.raises(NodeUntrusted), connect(node.endpoint, {Identity().certificate.fingerprint}) as stranger:
        read_cluster(stranger, MARIA, reserved=nullcontext())

    assert node.requests == []


@pytest.mark.parametrize("status", [403, 404, 405])
def test_calls_that_the_cluster_does_not_offer_leave_their_part_out(member, status):
    node = member(actions=answer(status), modules=answer(status), license=answer(status), nodes__status=answer(status))

    reading = read(node)

    assert (reading.actions, reading.modules, reading.license, reading.member_states) == (None, None, None, None)
    assert (len(reading.nodes), reading.missing) == (1, {})


def test_account_without_the_administrators_call_is_no_administrator(member):
    assert read(member(ocsp=answer(403))).is_administrator is False
    assert read(member(ocsp=answer(404))).is_administrator is None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (answer(503), "status code 503"),
        (answer(200, body=b"<html>"), "not JSON"),
        (answer(200, {"odd": 1}), "does not list actions"),
    ],
)
def test_part_without_a_usable_answer_says_why(member, sent, reason):
    reading = read(member(actions=sent))

    assert reading.actions is None
    assert reason in reading.missing[Part.ACTIONS]


# what may wait for a node that hangs is asked last, so nothing else is lost
@pytest.mark.parametrize(
    ("silent", "missing"),
    [
        ("/v1/nodes/status", {Part.MEMBER_STATES: "no answer in time"}),
        ("/v1/modules", {Part.MODULES: "no answer in time", Part.MEMBER_STATES: "no time left"}),
    ],
)
def test_reading_ends_in_time_with_what_was_answered(serve, silent, missing):
    def script(peer):
        while (request := peer.read_request()) and request.path != silent:
            peer.send(ANSWERS[request.path])
        peer.read_request()  # until the client gives up

    node, reserved = serve(script), Reserved()

    reading = read(node, reserved=reserved(), seconds=0.8)

    assert len(reading.nodes) == 1
    assert reading.missing == missing
    assert set(missing.values()) <= NO_TIME
    assert reserved.outcome == "accepted"


def test_rest_of_a_broken_answer_is_not_read_as_the_next_one(serve):
    def script(peer):
        while request := peer.read_request():
            if request.path == "/v1/nodes":
                peer.send(b"HTTP/1.1 200 Words\r\nContent-Length: 400000\r\n\r\n" + b"[" * GET_BODY_BYTES)
                if peer.read_request():
                    peer.send(answer(403))  # the rest of the first answer
                return
            peer.send(ANSWERS[request.path])

    reading = read(serve(script))

    assert "more than 256 KiB" in reading.missing[Part.NODES]
    assert (set(reading.missing), reading.is_administrator) == ({Part.NODES}, True)


@pytest.mark.parametrize(("sent", "error"), [(b"", NodeUnreachable), (answer(200, {}), NodeMisbehaved)])
def test_cluster_without_an_answer_is_not_accepted(serve, sent, error):
    def script(peer):
        peer.read_request()
        peer.send(sent)

    node, reserved = serve(script), Reserved()

    with pytest.raises(error):
        read(node, reserved=reserved())

    assert reserved.outcome == error.__name__


def test_member_that_closes_after_each_answer_is_read_too(serve):
    def script(peer):
        peer.send(ANSWERS[peer.read_request().path])
        peer.close_tls()

    node = serve(script)

    reading = read(node)

    assert (reading.modules[0].name, reading.missing) == ("search", {})
    assert node.connections == len(ANSWERS)


def test_answers_are_redacted(member):
    name = f"{PASSWORD} of maria"
    reading = read(member(modules=answer(200, [{"module_name": name}]), actions=answer(200, [{"status": PASSWORD}])))

    assert PASSWORD not in repr(reading)
    assert "********" in reading.modules[0].name


def test_client_certificate_reads_the_cluster_without_a_password(serve):
    administrator = Identity("admin@example.com")
    shown = []

    def script(peer):
        while request := peer.read_request():
            shown.append(peer.socket.getpeercert(binary_form=True))
            peer.send(ANSWERS[request.path] if shown[-1] else answer(401))

    node = serve(script)
    node.identity.context.load_verify_locations(cadata=administrator.pem)
    node.identity.context.verify_mode = ssl.CERT_OPTIONAL
    credentials = Credentials(client_cert=administrator.pem, client_key=Secret(administrator.key))

    reading = read(node, credentials=credentials)

    assert (reading.is_administrator, reading.missing) == (True, {})
    assert set(shown) == {administrator.der}
    assert not any("authorization" in request.headers for request in node.requests)


def test_only_the_wanted_parts_are_read(member):
    node = member()

    reading = read(node, parts={Part.NODES})

    assert paths(node) == ["/v1/cluster", "/v1/nodes"]
    assert (reading.license, reading.missing) == (None, {})


@pytest.mark.parametrize(("ahead", "least", "most"), [(0, -2, 2), (3600, 3595, 3605), (-90, -95, -85)])
def test_clock_of_the_member_is_read_from_its_answers(member, ahead, least, most):
    dated = answer(200, {"name": "redis-prod.example.com"}, date=formatdate(time() + ahead, usegmt=True))

    clock = read(member(cluster=dated), parts=()).clock

    assert least < clock.seconds < most
    assert 0.5 <= clock.uncertainty < 3


def test_member_without_a_date_has_no_known_clock(member):
    assert read(member()).clock is None
    assert read(member(cluster=answer(200, {"name": "redis-prod"}, date="tomorrow")), parts=()).clock is None
