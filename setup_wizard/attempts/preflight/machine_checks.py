"""Checks of the machine: addresses, paths, size, software and clock."""

import ipaddress
from typing import Final

from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_checks import facts_of, probe_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy
from setup_wizard.bootstrap.sizes import (
    PRODUCTION_CORES,
    PRODUCTION_MEMORY,
    REPORTED_SHARE,
    TRIAL_DISK,
    TRIAL_MEMORY,
    format_size,
)
from setup_wizard.nodes.probe import Probe

_ADDR: Final = "node.identity.addr"
MAX_SKEW: Final = 2.0  # seconds, besides what the round trips may hide
_SUGGESTED: Final = 3


def _address(setup: NodeSetup, findings: Findings) -> Result | None:
    """Refuse an address that the node does not have; warn about an address that others rarely reach."""
    addr, facts = setup.request.node.identity.addr, facts_of(findings)
    texts = rules.warn_address(addr, facts) if addr else []
    if not texts:
        return None
    own = [each.address for each in facts.addresses if not each.is_bridge]
    is_own = str(ipaddress.ip_address(addr)) in {each.address for each in facts.addresses}
    if is_own or not own or rules.warn_link_local(addr):
        return Result(level=Level.WARNING, message=" ".join(texts), part=_ADDR)
    better = [each for each in own if not rules.warn_link_local(each)][:_SUGGESTED]
    remedies = tuple(Remedy(f"Use {each}", _ADDR, {_ADDR: each}) for each in better)
    return Result(level=Level.FAILED, message=" ".join(texts), part=_ADDR, can_override=True, remedies=remedies)


def _paths(setup: NodeSetup, _findings: Findings) -> Result | None:
    paths = setup.request.node.paths
    same = paths.persistent_path and paths.persistent_path.rstrip("/") == paths.ephemeral_path.rstrip("/")
    if not same:
        return None
    message = (
        f"Persistent and ephemeral data would both be in {paths.persistent_path}. Use two different paths: temporary "
        "files can fill the disk of the databases."
    )
    return Result(level=Level.FAILED, message=message, part="node.paths.ephemeral_path", can_override=True)


def _memory(_setup: NodeSetup, findings: Findings) -> Result | None:
    memory = facts_of(findings).total_memory
    return _sized("Memory", "memory", memory, TRIAL_MEMORY, PRODUCTION_MEMORY)


def _disk(_setup: NodeSetup, findings: Findings) -> Result | None:
    disk = facts_of(findings).persistent_storage_size
    return _sized("Persistent storage", "persistent storage", disk, TRIAL_DISK, TRIAL_DISK)


def _sized(label: str, what: str, found: float | None, trial: int, production: int) -> Result | None:
    here = format_size(found) if found is not None else ""
    if found is None or not here:
        return None
    if found < trial * REPORTED_SHARE:
        needed, level, kind = format_size(trial), Level.FAILED, "Even a trial"
    elif found < production * REPORTED_SHARE:
        needed, level, kind = format_size(production), Level.WARNING, "Production"
    else:
        return Result(level=Level.PASSED, message=f"The node has {here} of {what}.", part="")
    return Result(
        level=level,
        message=f"The node has {here} of {what}. {kind} needs {needed}.",
        part="",
        can_override=level is Level.FAILED,
        figures=(Figure(label, here, needed=needed),),
    )


def _cores(_setup: NodeSetup, findings: Findings) -> Result | None:
    cores, needed = facts_of(findings).cores, PRODUCTION_CORES
    if cores is None or cores <= 0:
        return None
    if cores >= needed:
        return Result(level=Level.PASSED, message=f"The node has {cores:g} cores.", part="")
    message = f"The node has {cores:g} core. Production needs {needed}."
    return Result(
        level=Level.WARNING, message=message, part="", figures=(Figure("Cores", f"{cores:g}", needed=str(needed)),)
    )


def _clocks(_setup: NodeSetup, findings: Findings) -> Result | None:
    """Compare the clocks of node, member and this server by the dates of their answers."""
    node = probe_of(findings)
    if node.clock is None:
        return None
    member = findings.member if isinstance(findings.member, Probe) else None
    offsets = [("this server", node.clock.seconds, node.clock.uncertainty)]
    if member and member.clock:
        apart = node.clock.seconds - member.clock.seconds
        offsets.append((f"{member.address}", apart, node.clock.uncertainty + member.clock.uncertainty))
    late = [(who, seconds) for who, seconds, uncertainty in offsets if abs(seconds) > MAX_SKEW + uncertainty]
    if not late:
        return Result(level=Level.PASSED, message="The clocks agree.", part="")
    texts = [f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {who}" for who, seconds in late]
    message = (
        f"The clock of {node.address} is {' and '.join(texts)}. A join fails when clocks differ. "
        "Synchronize them: on each machine, `chronyc tracking` shows the difference and `sudo chronyc makestep` "
        "corrects it."
    )
    figures = tuple(
        Figure(f"Compared with {who}", f"{seconds:+.0f} s", needed=f"{MAX_SKEW:g} s") for who, seconds in late
    )
    return Result(level=Level.WARNING, message=message, part="", figures=figures)


_NODE = frozenset({Source.NODE})
MACHINE_CHECKS: Final = (
    Check(name="address", title="Internal address", judge=_address, needs=_NODE, depends_on=(_ADDR,)),
    Check(name="paths", title="Paths", judge=_paths, depends_on=("node.paths",)),
    Check(name="memory", title="Memory", judge=_memory, needs=_NODE),
    Check(name="cores", title="Cores", judge=_cores, needs=_NODE),
    Check(name="disk", title="Disk", judge=_disk, needs=_NODE),
    Check(
        name="clocks",
        title="Clocks",
        judge=_clocks,
        needs=_NODE,
        after=frozenset({Source.MEMBER}),
        depends_on=("cluster.nodes", "cnm_https_port"),
    ),
)
