"""Checks of a recovery."""

from typing import Final

from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.plan import Plan
from setup_wizard.attempts.preflight.registry import Check
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.actions import Action


def is_recovery(plan: Plan) -> bool:
    """Tell whether a lost cluster is recovered."""
    return plan.action is Action.RECOVER


def _old_cluster(plan: Plan, _findings: Findings) -> Result | None:
    """Warn about what a probe cannot see: the old cluster may still be running."""
    name = plan.request.cluster.name or "The lost cluster"
    message = f"{name} must not be running anywhere, or applications would find two clusters under one name."
    return Result(level=Level.WARNING, message=message, part="")


RECOVERY_CHECKS: Final = (
    Check(
        name="old_cluster",
        title="Old cluster",
        judge=_old_cluster,
        applies=is_recovery,
        depends_on=("cluster.name",),
    ),
)
