"""Options that do not fit the action, or the version of the node."""

from functools import reduce
from typing import Final

from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.create_checks import is_create
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_checks import facts_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy, join_words
from setup_wizard.bootstrap.request.availability import SINCE, is_known

_RACK: Final = "node.identity.rack_id"
_AWARE: Final = "policy.rack_aware"
_ON: Final = Remedy("Make the cluster rack-aware", _AWARE, {_AWARE: True})


def _rack_without_awareness(setup: NodeSetup, _findings: Findings) -> Result | None:
    rack = setup.request.node.identity.rack_id
    if not rack or setup.request.policy.rack_aware:
        return None
    message = (
        f"{rack} has no effect until the cluster is rack-aware. Make it rack-aware now, or later, when every node has "
        "a rack. The rack of this node cannot be changed later."
    )
    return Result(level=Level.WARNING, message=message, part=_RACK, remedies=(_ON,))


def _version(setup: NodeSetup, findings: Findings) -> Result | None:
    """Name what a node with this version may ignore or refuse; without a version there is nothing to compare."""
    version = facts_of(findings).software_version
    unknown = [path for path in SINCE if _has_value(setup, path) and not is_known(path, version)]
    if not unknown:
        return None
    figures = tuple(Figure(path, version or "", needed=".".join(map(str, SINCE[path]))) for path in unknown)
    message = (
        f"This node has version {version}, which does not know {join_words([f'`{path}`' for path in unknown])}. It may "
        "refuse the request, or ignore the value. Clear it, or set up a node with a newer version."
    )
    return Result(level=Level.FAILED, message=message, part=unknown[0], can_override=True, figures=figures)


def _has_value(setup: NodeSetup, path: str) -> bool:
    value: object = reduce(getattr, path.split("."), setup.request)
    return value is False or bool(value)


OPTION_CHECKS: Final = (
    Check(
        name="rack_without_awareness",
        title="Rack without rack awareness",
        judge=_rack_without_awareness,
        applies=is_create,
        depends_on=(_RACK, _AWARE),
    ),
    Check(
        name="options",
        title="Options of this version",
        judge=_version,
        needs=frozenset({Source.NODE}),
        depends_on=tuple(SINCE),
    ),
)
