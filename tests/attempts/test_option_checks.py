"""Options that do not fit the action or the version are found before Start."""

from dataclasses import replace

import pytest

from setup_wizard.attempts import preflight
from setup_wizard.attempts.preflight import Level
from setup_wizard.bootstrap.request import parse_request
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe

pytestmark = pytest.mark.django_db

CREATE = {"action": "create_cluster", "cluster": {"name": "redis-test.example.com"}}
JOIN = {"action": "join_cluster", "cluster": {"nodes": ["10.0.0.2"]}}


def judged(node, document, version="7.22.0-216"):
    """The outcomes of the checks, by their names, for a node of this version."""
    seen = probe(Address.parse(node.address))
    seen = replace(seen, answer=replace(seen.answer, node=replace(seen.answer.node, software_version=version)))
    request = parse_request(document, credentials_required=False)
    setup = preflight.NodeSetup(address=seen.address, request=request, fingerprint=seen.certificate.fingerprint)
    return {each.name: each.result for each in preflight.judge(setup, preflight.Findings(node=seen))}


def test_a_rack_without_rack_awareness_is_a_warning(fresh_node):
    rack = {"node": {"identity": {"rack_id": "rack-a"}}}

    result = judged(fresh_node, CREATE | rack)["rack_without_awareness"]

    assert (result.level, result.part) == (Level.WARNING, "node.identity.rack_id")
    assert result.message.startswith("rack-a has no effect until the cluster is rack-aware.")
    assert [(remedy.part, dict(remedy.values)) for remedy in result.remedies] == [
        ("policy.rack_aware", {"policy.rack_aware": True})
    ]
    aware = judged(fresh_node, CREATE | rack | {"policy": {"rack_aware": True}})
    assert "rack_without_awareness" not in aware
    assert "rack_without_awareness" not in judged(fresh_node, JOIN | rack)


@pytest.mark.parametrize(
    ("more", "version", "path"),
    [
        ({"node": {"identity": {"rack_id": "a", "second_rack_id": "b"}}}, "7.8.2-95", "node.identity.second_rack_id"),
        ({"node": {"identity": {"use_internal_ipv6": False}}}, "7.4.0-1", "node.identity.use_internal_ipv6"),
        ({"node": {"bigstore_enabled": True}}, "7.2.4-92", "node.bigstore_enabled"),
        ({"witness_disk": {"size": 1}}, "8.0.2-17", "witness_disk"),
    ],
)
def test_an_option_that_the_version_lacks_can_be_overridden(fresh_node, more, version, path):
    result = judged(fresh_node, CREATE | more, version)["options"]

    assert (result.level, result.part, result.can_override) == (Level.FAILED, path, True)
    assert f"This node has version {version}, which does not know `{path}`." in result.message
    assert "options" not in judged(fresh_node, CREATE | more, "8.2.0-12")
    assert "options" not in judged(fresh_node, CREATE | more, None)


def test_a_deprecated_option_is_no_failure(fresh_node):
    document = CREATE | {"required_version": "8.0.2", "policy": {"default_shards_placement": "dense"}}

    assert "options" not in judged(fresh_node, document, "8.2.0-12")
