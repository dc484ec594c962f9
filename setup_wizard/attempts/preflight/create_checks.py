"""Checks of a new cluster."""

from typing import Final

from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.plan import Plan
from setup_wizard.attempts.preflight.registry import Check
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action


def is_create(plan: Plan) -> bool:
    """Tell whether a cluster is created."""
    return plan.action is Action.CREATE


def _name(plan: Plan, _findings: Findings) -> Result | None:
    texts = rules.warn_cluster_name(plan.request.cluster.name or "")
    return Result(level=Level.WARNING, message=" ".join(texts), part="cluster.name") if texts else None


CREATE_CHECKS: Final = (
    Check(name="name", title="Cluster name", judge=_name, applies=is_create, depends_on=("cluster.name",)),
)
