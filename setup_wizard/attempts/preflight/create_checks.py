"""Checks of a new cluster."""

from typing import Final

from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Answering, Findings
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action


def is_create(setup: NodeSetup) -> bool:
    """Tell whether a cluster is created."""
    return setup.action is Action.CREATE


def _name(setup: NodeSetup, _findings: Findings) -> Result | None:
    texts = rules.warn_cluster_name(setup.request.cluster.name or "")
    return Result(level=Level.WARNING, message=" ".join(texts), part="cluster.name") if texts else None


def _name_taken(setup: NodeSetup, findings: Findings) -> Result | None:
    """Refuse a name under which another machine answers, unless the operator knows it."""
    name, found = setup.request.cluster.name, findings.name
    if not isinstance(found, Answering):
        return None
    if found.members:
        message = f"A cluster already answers under {name}. Choose another name, or correct its DNS records."
    elif found.others:
        message = f"Another server answers under {name}. Choose another name, or correct its DNS records."
    else:
        who = f"{name} leads to {', '.join(found.nodes)}" if found.nodes else f"Nobody answers under {name} yet"
        return Result(level=Level.PASSED, message=f"{who}.", part="cluster.name")
    return Result(level=Level.FAILED, message=message, part="cluster.name", can_override=True)


CREATE_CHECKS: Final = (
    Check(
        name="name_taken",
        title="Cluster name not in use",
        judge=_name_taken,
        needs=frozenset({Source.NAME}),
        applies=is_create,
        depends_on=("cluster.name",),
    ),
    Check(name="name", title="Cluster name", judge=_name, applies=is_create, depends_on=("cluster.name",)),
)
