import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.status import NodeAddress, NodeFacts
from tests.bootstrap.samples import DOCUMENTED_ANSWER, REAL_ANSWER
from tests.bootstrap.test_answers import JSON


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (16766763008, 16766763008),
        (1081100128256.0, 1081100128256),
        ("16766763008", 16766763008),
        (" 7.5 ", 7.5),
        (0, 0),
        (-1, None),
        (-0.5, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ("NaN", None),
        ("infinity", None),
        ("1_000", None),
        ("9" * 5000, None),
        (10**400, None),
        ("much", None),
        ("", None),
        (None, None),
        ([16], None),
        ({"bytes": 16}, None),
    ],
)
def test_numbers_are_read_in_every_spelling(sent, read):
    assert NodeFacts.from_json({"total_memory": sent}).total_memory == read


@pytest.mark.parametrize(("sent", "read"), [("1", "1"), (3, "3"), (3.0, "3"), (True, None), (None, None), (2.5, None)])
def test_a_uid_is_read_as_text(sent, read):
    assert NodeFacts.from_json({"uid": sent}).uid == read


@pytest.mark.parametrize("key", ["available_addresses", "available_addrs"])
def test_addresses_are_read_in_both_spellings(key):
    facts = NodeFacts.from_json({key: [{"address": "10.0.0.5", "format": "ipv4", "if_name": "eth0", "private": True}]})

    assert facts.addresses == (NodeAddress("10.0.0.5", "ipv4", "eth0", private=True, is_bridge=False),)


def test_an_address_in_both_spellings_is_kept_once():
    entry = [{"address": "10.0.0.5"}]

    facts = NodeFacts.from_json({"available_addresses": entry, "available_addrs": entry})

    assert [each.address for each in facts.addresses] == ["10.0.0.5"]


@pytest.mark.parametrize(
    "entry", [None, "10.0.0.5", {}, {"address": 5}, {"address": "here"}, {"address": "fe80::1%eth0"}, {"address": ""}]
)
def test_what_is_no_address_is_left_out(entry):
    facts = NodeFacts.from_json({"available_addresses": [entry, {"address": "10.0.0.7"}]})

    assert [each.address for each in facts.addresses] == ["10.0.0.7"]


def test_the_format_of_an_address_is_determined_here():
    facts = NodeFacts.from_json({"available_addresses": [{"address": "2001:DB8::5", "format": "ipv4"}]})

    assert facts.addresses == (NodeAddress("2001:db8::5", "ipv6"),)


@pytest.mark.parametrize("interface", ["docker0", "lxcbr0", "virbr0", "br-4f2a", "cni0", "veth12"])
def test_an_address_on_a_bridge_is_marked(interface):
    facts = NodeFacts.from_json({"available_addresses": [{"address": "172.17.0.1", "if_name": interface}]})

    assert facts.addresses[0].is_bridge


def test_addresses_are_limited():
    flood = [{"address": f"10.0.{number // 250}.{number % 250}"} for number in range(5000)]

    assert len(NodeFacts.from_json({"available_addresses": flood}).addresses) == 64


def test_texts_are_visible_and_limited():
    facts = NodeFacts.from_json({"os_version": "Ubuntu\0\x1b[2J", "software_version": "7" * 10_000, "os_name": 7})

    assert facts.os_version == "Ubuntu\\x1b[2J"
    assert len(facts.software_version) == 300
    assert facts.os_name is None


@pytest.mark.parametrize("document", [DOCUMENTED_ANSWER, REAL_ANSWER])
def test_stored_facts_are_read_unchanged(document):
    facts = NodeFacts.from_json(document["local_node_info"])

    stored = json.loads(json.dumps(facts.as_json(), allow_nan=False))

    assert NodeFacts.from_json(stored) == facts


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ["uid", "cores", "os_name", "available_addrs", "bridge_interfaces", "fips_enabled"], JSON
        ),
    )
)
def test_stored_facts_of_any_shape_are_read_unchanged(document):
    facts = NodeFacts.from_json(document)

    assert NodeFacts.from_json(json.loads(json.dumps(facts.as_json(), allow_nan=False))) == facts
