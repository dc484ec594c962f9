"""Checks before Start; the tests of the pages cover the rest."""

from dataclasses import replace

import pytest

from setup_wizard.attempts import preflight
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight.catalogue import CHECKS
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity
from setup_wizard.bootstrap.status import NodeAddress, NodeFacts
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db
ETHERNET = NodeAddress("10.0.0.5", "ipv4", "eth0", private=True)
DOCKER = NodeAddress("172.17.0.1", "ipv4", "docker0", private=True, is_bridge=True)
LOOPBACK = NodeAddress("127.0.0.1", "ipv4", "lo", private=True)


@pytest.fixture
def second(tmp_path):
    with start_node(tmp_path / "second") as node:
        yield node


def setup_for(node, *addresses, fingerprint=None):
    """A create on a node that reports these addresses."""
    seen = probe(Address.parse(node.address))
    seen = replace(seen, answer=replace(seen.answer, node=replace(seen.answer.node, addresses=addresses)))
    setup = preflight.NodeSetup(
        address=seen.address,
        request=BootstrapRequest(action=Action.CREATE, cluster=ClusterIdentity(name="redis-test.example.com")),
        fingerprint=fingerprint or seen.certificate.fingerprint,
    )
    return setup, preflight.Findings(node=seen)


def warnings_of(setup, findings):
    outcomes = preflight.judge(setup, findings)
    return {each.name: each.result.message for each in outcomes if each.name.startswith("same_")}


def test_preflight_warns_about_a_shared_certificate(start, fresh_node, second):
    other = start(fresh_node)

    warned = warnings_of(*setup_for(second, ETHERNET, fingerprint=other.fingerprint))

    assert set(warned) == {"same_certificate"}
    assert fresh_node.address in warned["same_certificate"]


def test_preflight_warns_about_shared_addresses(start, fresh_node, second):
    start(fresh_node)
    Attempt.objects.update(facts=NodeFacts(addresses=(ETHERNET, DOCKER)).as_json())

    warned = warnings_of(*setup_for(second, LOOPBACK, ETHERNET))

    assert set(warned) == {"same_addresses"}
    assert "10.0.0.5" in warned["same_addresses"]
    assert fresh_node.address in warned["same_addresses"]


def test_preflight_ignores_addresses_that_every_machine_has(start, fresh_node, second):
    start(fresh_node)
    Attempt.objects.update(facts=NodeFacts(addresses=(DOCKER, LOOPBACK)).as_json())

    assert warnings_of(*setup_for(second, DOCKER, LOOPBACK)) == {}


@pytest.mark.parametrize(
    ("modules", "blocks"),
    [
        (({"name": "search", "author": "Ada", "monkey": "yes", "passive": True},), False),
        (({"name": "search", "location": {"credentials": {"username": "ada", "password": "quiet otters"}}},), True),
        (({"name": "search", "location": {"url": "https://ada:otters@modules.example.com/search.zip"}},), True),
    ],
)
def test_preflight_refuses_a_secret_that_is_not_stored(start, fresh_node, modules, blocks):
    setup, findings = setup_for(fresh_node, ETHERNET)
    setup = replace(setup, request=setup.request.model_copy(update={"user_defined_modules": modules}))

    hidden = [each.result for each in preflight.judge(setup, findings) if each.name == "hidden_value"]

    assert [(result.part, result.blocks) for result in hidden] == ([("user_defined_modules", True)] if blocks else [])
    assert "otters" not in str(hidden)


def test_names_and_titles_of_checks_are_unique():
    names, titles = [check.name for check in CHECKS], [check.title for check in CHECKS]

    assert (len(set(names)), len(set(titles))) == (len(names), len(titles))
