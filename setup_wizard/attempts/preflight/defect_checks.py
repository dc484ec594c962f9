"""Known defects of the node's software version that this request would meet."""

from typing import Final

from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.join_checks import is_join
from setup_wizard.attempts.preflight.node_checks import facts_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap import known_defects


def _loopback_like(setup: NodeSetup, findings: Findings) -> Result | None:
    version, identity = facts_of(findings).software_version, setup.request.node.identity
    for part, addresses in (
        ("node.identity.addr", [identity.addr]),
        ("node.identity.external_addr", identity.external_addr),
        ("cluster.nodes", setup.request.cluster.nodes),
    ):
        if text := known_defects.name_loopback_defect(addresses, version):
            return Result(level=Level.WARNING, message=text, part=part)
    return None


def _join_port(setup: NodeSetup, findings: Findings) -> Result | None:
    text = known_defects.name_port_defect(setup.request.cnm_https_port, facts_of(findings).software_version)
    return Result(level=Level.WARNING, message=text, part="cnm_https_port") if text else None


_NODE = frozenset({Source.NODE})
DEFECT_CHECKS: Final = (
    Check(
        name="loopback_defect",
        title="IPv6 addresses of older software",
        judge=_loopback_like,
        needs=_NODE,
        depends_on=("node.identity.addr", "node.identity.external_addr", "cluster.nodes"),
    ),
    Check(
        name="port_defect",
        title="Port of older software",
        judge=_join_port,
        needs=_NODE,
        applies=is_join,
        depends_on=("cnm_https_port",),
    ),
)
