"""Checks of a recovery."""

from collections.abc import Mapping
from typing import Final

from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.cluster_checks import MAX_BUTTONS
from setup_wizard.attempts.preflight.findings import Answering, Findings
from setup_wizard.attempts.preflight.node_checks import facts_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy, join_words
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
    old = [NodeFacts.from_json(each.facts) for each in _lost_nodes(setup)]
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


def _old_paths(setup: NodeSetup, findings: Findings) -> Result | None:
    """Compare the paths with those of the lost nodes: the recovered databases are looked for there."""
    here = _paths_in_use(setup.request.node.paths.model_dump(), facts_of(findings))
    known = [
        _paths_in_use(each.request.get("node", {}).get("paths") or {}, NodeFacts.from_json(each.facts))
        for each in _lost_nodes(setup)
    ]
    texts, figures, remedies = [], [], []
    for name, (label, path) in here.items():
        before = sorted({paths[name][1] for paths in known} - {""})
        if not before or path in before:
            continue
        texts.append(f"{label}: {path or 'none'} here, {join_words(before)} on the lost nodes.")
        figures.append(Figure(label, path or "none", needed=join_words(before)))
        remedies += [Remedy(f"Use {each}", f"node.paths.{name}", {f"node.paths.{name}": each}) for each in before]
    if not texts:
        return None
    message = f"{setup.address} has other paths than the lost nodes. {' '.join(texts)} Recover with the same paths."
    return Result(
        level=Level.WARNING,
        message=message,
        part="node.paths.persistent_path",
        figures=tuple(figures),
        remedies=tuple(remedies[:MAX_BUTTONS]),
    )


def _paths_in_use(asked: Mapping[str, str], facts: NodeFacts) -> dict[str, tuple[str, str]]:
    """Give the label and the path of each storage: what a request asks for, or else what the node reports."""
    found = {
        "persistent_path": ("Persistent storage", asked.get("persistent_path") or facts.persistent_storage_path),
        "ephemeral_path": ("Ephemeral storage", asked.get("ephemeral_path") or facts.ephemeral_storage_path),
        "bigstore_path": ("Flash storage", asked.get("bigstore_path")),
    }
    return {name: (label, (path or "").rstrip("/")) for name, (label, path) in found.items()}


def _old_nodes(setup: NodeSetup, _findings: Findings) -> Result:
    """Ask for what the documentation demands and no node reports: as many nodes, and the same user."""
    count = len({each.address for each in _lost_nodes(setup)})
    known = f" ({count} were set up from here)" if count else ""
    message = (
        f"Have as many fresh nodes ready as the lost cluster had{known}. On each, the software must run as the same "
        "user of the operating system as before, usually `redislabs`, and no Redis process may be running. Nodes "
        "do not report this: check it yourself."
    )
    return Result(level=Level.WARNING, message=message, part="")


def _lost_nodes(setup: NodeSetup) -> list[Attempt]:
    """List the attempts that set up nodes of the lost cluster, as far as that was done from here."""
    return list(attempts_of_members().filter(cluster_name__iexact=setup.request.cluster.name or "-"))


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
        name="old_paths",
        title="The same paths as before",
        judge=_old_paths,
        needs=frozenset({Source.NODE}),
        applies=is_recovery,
        depends_on=("cluster.name", "node.paths"),
    ),
    Check(
        name="old_nodes",
        title="Nodes for the recovery",
        judge=_old_nodes,
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
