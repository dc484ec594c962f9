"""Ask the node and the cluster what the checks need; nothing is changed there."""

from django.contrib.auth.models import User

from setup_wizard.attempts.preflight.findings import Findings, Unknown
from setup_wizard.attempts.preflight.plan import Plan
from setup_wizard.nodes import probing
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import Probe


def gather(plan: Plan, *, by: User) -> Findings:
    """Ask everything that the checks of a plan need."""
    findings = Findings(node=_probe(plan.address, by))
    if plan.members:
        findings.member = _probe(plan.members[0], by)
        findings.members = probing.fetch_certificates(plan.members[1:], by=by)
    return findings


def _probe(address: Address, by: User) -> Probe | Unknown:
    try:
        return probing.probe_node(address, by=by)
    except probing.ProbeFailed as failure:
        return Unknown(failure.message)
