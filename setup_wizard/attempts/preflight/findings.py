"""What was gathered for the checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from setup_wizard.attempts.observations import Observation
from setup_wizard.nodes.cluster_reading import ClusterReading
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates


@dataclass(frozen=True, slots=True)
class Unknown:
    """There was no answer; `message` says why, for people."""

    message: str


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The cluster refused the credentials; `error_text` is the text that came with the status code."""

    status: int
    error_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers at `asked` addresses, all as "host:port"; silent addresses are in no other list."""

    asked: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """Nodes in a cluster."""
    nodes: tuple[str, ...] = ()
    """Nodes without a cluster."""
    others: tuple[str, ...] = ()
    """Machines that answer in another way."""

    @property
    def everyone(self) -> tuple[str, ...]:
        """Every address with an answer."""
        return (*self.members, *self.nodes, *self.others)


@dataclass(slots=True, kw_only=True)
class Findings:
    """What each source answered; None when it was not asked.

    `name` is about the name of the new or lost cluster, `old_node` about the node to replace or the nodes of the lost
    cluster. `earlier` has the `data` of the results of the run before, by the name of the check.
    """

    node: Probe | Unknown | None = None
    member: Probe | Unknown | None = None
    members: MemberCertificates | Unknown | None = None
    cluster: ClusterReading | SignInRefused | Unknown | None = None
    name: Answering | Unknown | None = None
    old_node: Answering | Unknown | None = None
    validation: Observation | Unknown | None = None
    earlier: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
