"""Every request to a misbehaving node ends in time and needs little memory.

The node is a separate process, so that its own memory is not counted.
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
"""The deadline of each exchange, in seconds."""
MEBIBYTE = 1024 * 1024

# the fault, then what a GET and a POST raise; None: they succeed
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
    # these are valid answers; the reducer decides what they mean
    ("same-start-time", None, None),
    ("backwards", None, None),
    ("flapping-error", None, None),
    ("module-warning=graph", None, None),
    ("echo", None, None),
    ("overlay=/v1/bootstrap,{}", None, None),
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
    """Measure seconds and growth of memory, up to its peak."""

    def __enter__(self):
        # resets the peak
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


def test_every_fault_is_covered():
    tried = {fault.partition("=")[0].partition(":")[0] for fault, *_ in OUTCOMES}

    assert tried == set(FAULTS)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not say what a process uses")
@pytest.mark.parametrize("case", OUTCOMES, ids=[fault for fault, *_ in OUTCOMES])
def test_hostile_node_is_bounded_in_time_and_memory(node, endpoint, pins, create_request, case):
    def ask() -> None:
        with connect(endpoint, pins, seconds=CAP) as connection:
            connection.bootstrap_answer()

    def send() -> None:
        with connect(endpoint, pins, seconds=CAP) as connection:
            connection.bootstrap(create_request, seconds=CAP)

    fault, asked, sent = case
    for exchange, expected in ((ask, asked), (send, sent)):
        node.put_faults(fault)
        with Cost() as cost:
            outcome = outcome_of(exchange)

        if exchange is send and expected is None:
            assert outcome in {None, BootstrapInProgress}  # the node has already started
        else:
            assert outcome is expected
        assert cost.seconds < CAP + 3
        assert cost.growth < 20 * MEBIBYTE

    node.put_faults()
    assert outcome_of(ask) is None
