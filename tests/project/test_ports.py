"""Where the demo listens, and its message when the port is taken."""

import re
import socket

import pytest

from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.ports import Address, Addresses, check_free, choose_addresses
from tests.project.processes import free_port


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()
        yield Address("127.0.0.1", listener.getsockname()[1])


def test_default_ports_are_8000_and_9443():
    addresses = choose_addresses({})

    assert str(addresses.web) == "127.0.0.1:8000"
    assert [str(node) for node in addresses.nodes] == ["127.0.0.2:9443", "127.0.0.3:9443", "127.0.0.4:9443"]


def test_variables_set_both_ports():
    addresses = choose_addresses({"DEMO_PORT": "8010", "DEMO_NODE_PORT": "9543"})

    assert addresses.web.port == 8010
    assert {node.port for node in addresses.nodes} == {9543}


def test_demo_nodes_gives_more_of_them():
    addresses = choose_addresses({"DEMO_NODES": "5"})

    assert [node.host for node in addresses.nodes] == [f"127.0.0.{number}" for number in range(2, 7)]


@pytest.mark.parametrize("text", ["many", "0", "101", "-1", "1" * 5000])
def test_an_invalid_number_of_nodes_is_named(text):
    with pytest.raises(CannotStartError, match=rf'DEMO_NODES is "{text}"\. Choose a number from 1 to 100'):
        choose_addresses({"DEMO_NODES": text})


def test_the_last_node_needs_a_port_too():
    with pytest.raises(CannotStartError, match=r'DEMO_NODE_PORT is "65530"\. A port is a number from 1 to 65526'):
        choose_addresses({"DEMO_NODES": "10", "DEMO_NODE_PORT": "65530"})


@pytest.mark.parametrize("text", ["eight", "0", "70000", "-1", "8000.5", "²"])
def test_an_invalid_port_is_named(text):
    with pytest.raises(CannotStartError, match=f'DEMO_PORT is "{re.escape(text)}"'):
        choose_addresses({"DEMO_PORT": text})


def test_a_taken_port_is_named_with_a_free_one(taken):
    with pytest.raises(CannotStartError) as failure:
        check_free(Addresses(taken, ()))

    said = re.fullmatch(
        rf"Port {taken.port} of 127\.0\.0\.1 is taken\. Choose another: DEMO_PORT=(\d+) make demo", str(failure.value)
    )
    check_free(Addresses(Address("127.0.0.1", int(said[1])), ()))


def test_a_taken_node_port_is_moved_by_its_own_variable(taken):
    nodes = (Address("127.0.0.1", taken.port - 1), taken, Address("127.0.0.1", taken.port + 1))

    with pytest.raises(
        CannotStartError, match=rf"Port {taken.port} of 127\.0\.0\.1 is taken.* DEMO_NODE_PORT=\d+ make"
    ):
        check_free(Addresses(Address("127.0.0.1", free_port()), nodes))


def test_pages_and_nodes_cannot_share_an_address():
    port = free_port()

    with pytest.raises(CannotStartError, match=rf"Port {port} of 127\.0\.0\.1 is taken"):
        check_free(Addresses(Address("127.0.0.1", port), (Address("127.0.0.1", port),)))


def test_a_port_with_a_just_closed_connection_is_free():
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listener:
        client = socket.create_connection(("127.0.0.1", port))
        answering, _ = listener.accept()
        answering.close()  # this side waits for stragglers, for a minute
        client.close()

    check_free(Addresses(Address("127.0.0.1", port), ()))
