"""Checks of a recovery."""

from typing import Final

from setup_wizard.attempts.cluster_members import cluster_members
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Answering, Findings
from setup_wizard.attempts.preflight.node_checks import facts_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import Figure
from setup_wizard.bootstrap.sizes import REPORTED_SHARE, format_size
from setup_wizard.bootstrap.status import NodeFacts


def is_recovery(setup: NodeSetup) -> bool:
    """Tell whether a lost cluster is recovered."""
    return setup.action is Action.RECOVER


def _old_cluster(setup: NodeSetup, findings: Findings) -> Result | None:
    """Refuse to recover a cluster whose members answer, and warn about what cannot be seen from here."""
    name = setup.request.cluster.name or "The lost cluster"
    answers = [each for each in (findings.name, findings.old_node) if isinstance(each, Answering)]
    if alive := list(dict.fromkeys(address for each in answers for address in each.members)):
        message = (
            f"{', '.join(alive)} {'is' if len(alive) == 1 else 'are'} still a member of a cluster under the name or an "
            f"address of {name}. Two clusters with the same data would run. Shut the old nodes down, then check again."
        )
        return Result(level=Level.FAILED, message=message, part="cluster.name")
    message = f"{name} must not be running anywhere, or applications would find two clusters under one name."
    return Result(level=Level.WARNING, message=message, part="")


def _old_machine(setup: NodeSetup, findings: Findings) -> Result | None:
    """Compare the node with those of the lost cluster, as far as they were set up from here."""
    facts = facts_of(findings)
    known = cluster_members().filter(cluster_name__iexact=setup.request.cluster.name or "-")
    old = [NodeFacts.from_json(each) for each in known.values_list("facts", flat=True)]
    versions = sorted({each.software_version for each in old if each.software_version})
    wrong, figures = [], []
    if versions and facts.software_version and facts.software_version not in versions:
        wrong.append(
            f"It runs {facts.software_version}, the old nodes ran {' or '.join(versions)}. Install that version."
        )
        figures.append(Figure("Version", facts.software_version, needed=" or ".join(versions)))
    most = max((each.total_memory or 0 for each in old), default=0)
    if facts.total_memory and facts.total_memory < most * REPORTED_SHARE:
        here, needed = format_size(facts.total_memory), format_size(most)
        wrong.append(f"It has {here} of memory, an old node had {needed}. It needs as much.")
        figures.append(Figure("Memory", here, needed=needed))
    if not wrong:
        return None
    message = f"{setup.address} differs from the lost nodes. {' '.join(wrong)}"
    return Result(level=Level.FAILED, message=message, can_override=True, figures=tuple(figures))


RECOVERY_CHECKS: Final = (
    Check(
        name="old_machine",
        title="The same machine as before",
        judge=_old_machine,
        needs=frozenset({Source.NODE}),
        applies=is_recovery,
        depends_on=("cluster.name",),
    ),
    Check(
        name="old_cluster",
        title="Old cluster",
        judge=_old_cluster,
        needs=frozenset({Source.NAME, Source.OLD_NODE}),
        applies=is_recovery,
        depends_on=("cluster.name",),
    ),
)
