"""What was gathered for the checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates


@dataclass(frozen=True, slots=True)
class Unknown:
    """There was no answer; `message` says why, for people."""

    message: str


@dataclass(slots=True)
class Findings:
    """What each source answered; None when it was not asked."""

    node: Probe | Unknown | None = None
    member: Probe | Unknown | None = None
    members: MemberCertificates | Unknown | None = None
    cluster: object = None
    name: object = None
    old_node: object = None
    validation: object = None
    earlier: Mapping[str, object] = field(default_factory=dict)
