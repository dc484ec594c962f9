"""Known defects where an operator meets them: in the checks before Start, and in explanations."""

from dataclasses import replace

import pytest

from setup_wizard.attempts import preflight
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Identity, NodeIdentity
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import REQUEST, add_attempt

pytestmark = pytest.mark.django_db

OLD = {"software_version": "7.22.0-216"}
NEW = {"software_version": "8.2.0-12"}


def judged(node, request, version):
    """The outcomes of the checks, by their names, for a node of this version."""
    seen = probe(Address.parse(node.address))
    seen = replace(seen, answer=replace(seen.answer, node=replace(seen.answer.node, software_version=version)))
    setup = preflight.NodeSetup(address=seen.address, request=request, fingerprint=seen.certificate.fingerprint)
    return {each.name: each.result for each in preflight.judge(setup, preflight.Findings(node=seen))}


@pytest.mark.parametrize(
    ("identity", "part"),
    [
        (Identity(addr="fd00::1"), "node.identity.addr"),
        (Identity(addr="10.0.0.5", external_addr=("fd00::1",)), "node.identity.external_addr"),
    ],
)
def test_preflight_names_the_address_that_old_software_takes_for_loopback(fresh_node, identity, part):
    request = BootstrapRequest(
        action=Action.CREATE, cluster=ClusterIdentity(name="redis.example.com"), node=NodeIdentity(identity=identity)
    )

    old, new = judged(fresh_node, request, "7.22.0-216"), judged(fresh_node, request, "7.22.2-170")

    assert (old["loopback_defect"].level, old["loopback_defect"].part) == (preflight.Level.WARNING, part)
    assert "loopback_defect" not in new


def test_preflight_names_the_defect_of_a_join_over_another_port(fresh_node):
    request = BootstrapRequest(action=Action.JOIN, cluster=ClusterIdentity(nodes=("10.0.0.5",)), cnm_https_port=9543)

    old, new = judged(fresh_node, request, "8.0.18-23"), judged(fresh_node, request, "8.0.20-12")

    assert (old["port_defect"].level, old["port_defect"].part) == (preflight.Level.WARNING, "cnm_https_port")
    assert "port_defect" not in new


@pytest.mark.parametrize(
    ("reason", "code", "state"),
    [
        (Reason.NODE_RESET, "", State.FAILED),
        (Reason.OVERDUE, "", State.NEEDS_OPERATOR),
        (Reason.LOST_CONTACT, "", State.NEEDS_OPERATOR),
        (Reason.NODE_ERROR, "internal_error", State.FAILED),
    ],
)
def test_create_that_stopped_halfway_names_the_defect_of_its_version(maria, reason, code, state):
    old = add_attempt(maria, state=state, reason=reason, error_code=code, facts=OLD)
    new = add_attempt(maria, "10.0.0.6:9443", state=state, reason=reason, error_code=code, facts=NEW)
    join = add_attempt(
        maria, "10.0.0.7:9443", action="join_cluster", state=state, reason=reason, error_code=code, facts=OLD
    )

    assert explain(old).causes[0].startswith("Before 8.2.0, a create can stop halfway")
    assert not any("8.2.0" in cause for cause in (*explain(new).causes, *explain(join).causes))


def test_refused_address_names_the_defect_of_its_version(maria):
    request = REQUEST | {"node": {"identity": {"addr": "fd00::1"}}}
    fields = {"state": State.FAILED, "reason": Reason.NODE_ERROR, "error_code": "config_error", "request": request}

    assert "fd00::1 contains `::1`" in explain(add_attempt(maria, facts=OLD, **fields)).causes[0]
    assert not any("::1" in cause for cause in explain(add_attempt(maria, "10.0.0.6:9443", facts=NEW, **fields)).causes)
