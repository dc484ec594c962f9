"""Which address of a node is suggested as its internal address."""

import pytest

from setup_wizard.attempts.preflight import Level
from setup_wizard.bootstrap.rules import warn_address
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.wizard import steps
from setup_wizard.wizard.review import build_review

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

LISTED = {
    "169.254.3.4": "eth9",
    "fe80::1": "eth0",
    "172.17.0.1": "docker0",
    "127.0.0.1": "lo",
    "8.8.4.4": "eth1",
    "2a00:1450::5": "eth0",
    "fd00::5": "eth0",
    "10.0.0.5": "eth0",
    "192.168.1.5": "eth2",
}


def suggested(draft, used, *addresses):
    """Return the suggestion for a node that was probed at `used` and lists these addresses."""
    told = [{"address": each, "if_name": LISTED.get(each, "eth0")} for each in addresses]
    draft.probe = {**draft.probe, "ip": used, "address": f"[{used}]:9443" if ":" in used else f"{used}:9443"}
    draft.probe["answer"]["node"] = NodeFacts.from_json({"available_addresses": told}).as_json()
    return steps.NODE.form(draft, draft.owner).initial["addr"]


@pytest.fixture
def draft(maria, fresh_node):
    maria.approve(fresh_node)
    return maria.draft


@pytest.mark.parametrize(
    ("used", "listed", "best"),
    [
        ("10.0.0.5", ["169.254.3.4", "10.0.0.5"], "10.0.0.5"),
        ("10.0.0.5", ["fe80::1", "169.254.3.4", "10.0.0.5"], "10.0.0.5"),
        ("8.8.4.4", ["10.0.0.5", "8.8.4.4"], "8.8.4.4"),
        ("fd00::5", ["10.0.0.5", "fe80::1", "fd00::5"], "fd00::5"),
        ("203.0.113.9", ["fe80::1", "172.17.0.1", "8.8.4.4", "192.168.1.5"], "192.168.1.5"),
        ("203.0.113.9", ["fd00::5", "172.17.0.1", "8.8.4.4"], "8.8.4.4"),
        ("fd00::9", ["10.0.0.5", "2a00:1450::5"], "2a00:1450::5"),
        ("203.0.113.9", ["169.254.3.4", "127.0.0.1", "172.17.0.1"], "172.17.0.1"),
        ("203.0.113.9", ["169.254.3.4", "fe80::1"], "169.254.3.4"),
    ],
)
def test_suggests_the_probed_address_first_and_link_local_last(draft, used, listed, best):
    assert suggested(draft, used, *listed) == best


def test_address_options_have_the_same_order(draft):
    suggested(draft, "10.0.0.5", *LISTED)

    offered = [option.value for option in steps.NODE.form(draft, draft.owner).fields["addr"].options]

    assert offered[:4] == ["10.0.0.5", "192.168.1.5", "8.8.4.4", "fd00::5"]
    assert set(offered[-3:-1]) == {"169.254.3.4", "fe80::1"}
    assert "link-local" in steps.NODE.form(draft, draft.owner).fields["addr"].options[-2].remark


def test_a_loopback_address_is_labelled_loopback(draft):
    told = [{"address": "127.0.0.1", "if_name": "lo", "private": True}, {"address": "10.0.0.5", "private": True}]
    draft.probe["answer"]["node"] = NodeFacts.from_json({"available_addresses": told}).as_json()

    options = steps.NODE.form(draft, draft.owner).fields["addr"].options

    assert {option.value: option.remark for option in options}["127.0.0.1"] == "lo · loopback"


@pytest.mark.parametrize("address", ["169.254.3.4", "fe80::1", "FE80::1"])
def test_warns_about_a_link_local_address(address):
    facts = NodeFacts.from_json({"available_addresses": [{"address": address.lower(), "if_name": "eth0"}]})

    assert "link-local" in warn_address(address, facts)[0]


@pytest.mark.parametrize(
    ("field", "part"), [("other_addr", "node.identity.addr"), ("external_addr", "node.identity.external_addr")]
)
def test_review_warns_about_link_local_addresses(maria, fresh_node, field, part):
    maria.approve(fresh_node)
    chosen = {"addr": "other"} if field == "other_addr" else {}
    maria.fill(**chosen, **{field: "169.254.3.4"})
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)

    results = [each.result for each in build_review(maria.draft, by=maria.user).checks.results]
    warned = [result for result in results if "link-local" in result.message]

    assert [(each.part, each.level) for each in warned] == [(part, Level.WARNING)]
