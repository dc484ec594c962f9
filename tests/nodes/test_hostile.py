"""Our client against a node that does everything wrong: each exchange ends in time and takes little memory.

The node is a process of its own, so that what it costs is not counted here.
"""

import re
import ssl
import time
from pathlib import Path

import pytest

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import parse_certificate
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import (
    BootstrapInProgress,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
    NodeUntrusted,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.reference_node.faults import FAULTS
from tests.reference_node.running import start_node

CAP = 3
"""The wall clock that an exchange is given."""
MEBIBYTE = 1024 * 1024

# what a question and a request meet; None: they are answered as if nothing were wrong
OUTCOMES = [
    ("swallow=reset:any", NodeUnreachable, NodeUnreachable),
    ("swallow=silence:any", NodeUnreachable, NodeUnreachable),
    ("swallow=half:any", NodeUnreachable, NodeUnreachable),
    ("swallow=502:any", NodeUnavailable, NodeUnavailable),
    ("drop-answer=reset:all", None, NodeUnreachable),
    ("drop-answer=silence:all", None, NodeUnreachable),
    ("drop-answer=half:all", None, NodeUnreachable),
    ("drop-answer=502:all", None, NodeUnavailable),
    ("hold-post=30:any", NodeUnreachable, NodeUnreachable),
    ("answer=409:any", NodeMisbehaved, BootstrapInProgress),
    ("unauthorized", NodeRefused, NodeRefused),
    ("unavailable=600", NodeUnavailable, NodeUnavailable),
    *(
        (f"redirect={status},https://127.0.0.1:9/", NodeRedirected, NodeRedirected)
        for status in (301, 302, 303, 307, 308)
    ),
    ("garbage", NodeMisbehaved, NodeMisbehaved),
    ("html", NodeMisbehaved, NodeMisbehaved),
    ("nan", NodeMisbehaved, NodeMisbehaved),
    ("deep-json", NodeMisbehaved, NodeMisbehaved),
    ("wrong-types", NodeMisbehaved, None),
    ("gzip-bomb", NodeMisbehaved, NodeMisbehaved),
    ("huge-body", NodeMisbehaved, NodeMisbehaved),
    ("huge-body=10000000000,chunked", NodeMisbehaved, NodeMisbehaved),
    ("drip=headers", NodeUnreachable, NodeUnreachable),
    ("drip=body", NodeUnreachable, NodeUnreachable),
    ("endless-headers", NodeMisbehaved, NodeMisbehaved),
    ("interim-flood", NodeMisbehaved, NodeMisbehaved),
    ("hang=tcp", NodeUnreachable, NodeUnreachable),
    ("hang=tls", NodeUnreachable, NodeUnreachable),
    ("reset-connection=1", NodeUnreachable, NodeUnreachable),
    ("new-certificate", NodeUntrusted, NodeUntrusted),
    # what these show can be read: what it means is the reducer's to say
    ("same-start-time", None, None),
    ("backwards", None, None),
    ("flapping-error", None, None),
    ("echo", None, None),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with start_node(tmp_path_factory.mktemp("hostile") / "node", pace=600, options=("--control", "0")) as started:
        yield started


@pytest.fixture(scope="module")
def endpoint(node):
    return Endpoint(Address("127.0.0.1", node.port), "127.0.0.1", node.port)


@pytest.fixture(scope="module")
def pins(node):
    pem = ssl.get_server_certificate(("127.0.0.1", node.port), timeout=10)
    return {parse_certificate(ssl.PEM_cert_to_DER_cert(pem)).fingerprint}


class Cost:
    """Seconds and memory of what is done inside; the growth is to the peak, not to what is left in the end."""

    def __enter__(self):
        # the peak starts anew at what is in memory now
        Path("/proc/self/clear_refs").write_text("5")
        self._before, self._began = read_memory("VmRSS"), time.monotonic()
        return self

    def __exit__(self, *_exception):
        self.seconds = time.monotonic() - self._began
        self.growth = read_memory("VmHWM") - self._before


def read_memory(name: str) -> int:
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def outcome_of(exchange) -> type[NodeError] | None:
    try:
        exchange()
    except NodeError as error:
        return type(error)
    return None


def test_every_fault_is_tried_here():
    tried = {fault.partition("=")[0].partition(":")[0] for fault, *_ in OUTCOMES}

    assert tried == set(FAULTS)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not say what a process uses")
@pytest.mark.parametrize("case", OUTCOMES, ids=[fault for fault, *_ in OUTCOMES])
def test_a_hostile_node_costs_neither_time_nor_memory(node, endpoint, pins, create_request, case):
    def ask() -> None:
        with connect(endpoint, pins, seconds=CAP) as connection:
            connection.status()

    def send() -> None:
        with connect(endpoint, pins, seconds=CAP) as connection:
            connection.bootstrap(create_request, seconds=CAP)

    fault, asked, sent = case
    for exchange, expected in ((ask, asked), (send, sent)):
        node.put_faults(fault)
        with Cost() as cost:
            outcome = outcome_of(exchange)

        if exchange is send and expected is None:
            assert outcome in {None, BootstrapInProgress}  # the node has begun already, and says so
        else:
            assert outcome is expected
        assert cost.seconds < CAP + 3
        assert cost.growth < 20 * MEBIBYTE

    node.put_faults()
    assert outcome_of(ask) is None
