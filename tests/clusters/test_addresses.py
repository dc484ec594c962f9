"""Addresses of many nodes in one text."""

import pytest

from setup_wizard.clusters.addresses import read_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("10.0.0.5", ["10.0.0.5:9443"]),
        ("10.0.0.5, 10.0.0.6\n10.0.0.7;10.0.0.5", ["10.0.0.5:9443", "10.0.0.6:9443", "10.0.0.7:9443"]),
        ("10.0.0.9-11", ["10.0.0.9:9443", "10.0.0.10:9443", "10.0.0.11:9443"]),
        ("10.0.0.5-6:8443", ["10.0.0.5:8443", "10.0.0.6:8443"]),
        ("node-[1-3].lab", ["node-1.lab:9443", "node-2.lab:9443", "node-3.lab:9443"]),
        ("node-[08-10]:8443", ["node-08:8443", "node-09:8443", "node-10:8443"]),
        ("[fd00::5]:9443 fd00::6", ["[fd00::5]:9443", "[fd00::6]:9443"]),
        ("a-5-9.example.com", ["a-5-9.example.com:9443"]),
        ("", []),
    ],
)
def test_addresses_are_read_in_order_each_once(text, addresses):
    assert list(read_addresses(text).addresses) == addresses


@pytest.mark.parametrize("text", ["10.0.0.9-5", "10.0.0.1-200", "node-[1-99]", "https://10.0.0.5", "10.0.0.250-260"])
def test_wrong_entry_is_named_and_the_others_stay(text):
    read = read_addresses(f"10.1.1.1 {text}")

    assert "10.1.1.1:9443" in read.addresses
    assert read.errors
    assert all(error.startswith(text) for error in read.errors)


def test_more_than_fifty_nodes_are_refused():
    read = read_addresses(" ".join(f"10.0.{third}.{fourth}" for third in range(2) for fourth in range(30)))

    assert read.addresses == ()
    assert "more than 50 nodes" in read.errors[0]
