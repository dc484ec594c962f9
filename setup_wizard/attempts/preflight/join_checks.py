"""Checks of a join: the member, its certificate, and what can be known without signing in."""

from typing import Final

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_checks import is_approved, probe_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import SAID_ELSEWHERE, Level, Result
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import Figure
from setup_wizard.bootstrap.status import same_name
from setup_wizard.nodes import trust
from setup_wizard.nodes.cluster_reading import ClusterReading
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates

_PART: Final = "cluster.nodes"
SUPPORTED_NODES: Final = 35


def is_join(setup: NodeSetup) -> bool:
    """Tell whether the node joins a cluster."""
    return setup.action is Action.JOIN


def member_of(findings: Findings) -> Probe:
    """Return the answer of the member; only for checks that are not about its silence."""
    if not isinstance(findings.member, Probe):
        raise TypeError("the member did not answer")
    return findings.member


def _member(_setup: NodeSetup, findings: Findings) -> Result | None:
    if not isinstance(findings.member, Probe):
        return Result(level=Level.FAILED, message=findings.member.message if findings.member else "", part=_PART)
    member, data = findings.member.endpoint.key, {"probe": findings.member.as_json()}  # Start needs it again
    if isinstance(findings.node, Probe) and member == findings.node.endpoint.key:
        message = f"{member} is the node that joins. Enter a member of the cluster."
        return Result(level=Level.FAILED, message=message, part=_PART, data=data)
    if not findings.member.member:
        message = f"{member} is not in a cluster, so nothing can join it."
        return Result(level=Level.FAILED, message=message, part=_PART, data=data)
    return Result(level=Level.PASSED, message=f"{member} is a member of a cluster.", part=_PART, data=data)


def _member_certificate(setup: NodeSetup, findings: Findings) -> Result | None:
    member = member_of(findings)
    if not member.member:
        return None
    shown = member.certificate.fingerprint
    if setup.member_fingerprint != shown or not is_approved(setup, member.endpoint.key, shown):
        message = "The cluster's certificate is not approved. Compare it and tick the box."
        return Result(level=Level.FAILED, message=message, part=_PART)
    return Result(level=Level.PASSED, message="The cluster's certificate is approved.", part=_PART)


def _members(_setup: NodeSetup, findings: Findings) -> Result | None:
    """Refuse members of different clusters: the nodes of one cluster all show its certificate."""
    if not isinstance(findings.members, MemberCertificates):
        return None
    node, member = probe_of(findings), member_of(findings)
    first, shown = member.endpoint.key, member.certificate.fingerprint
    name = trust.cluster_of(shown)
    wrong = []
    for endpoint, certificate in findings.members.certificates.items():
        other = trust.cluster_of(certificate.fingerprint)
        if endpoint.key == node.endpoint.key:
            wrong.append(f"{endpoint.key} is the node that joins. Enter only members of the cluster.")
        elif certificate.fingerprint != shown and not (name and other and same_name(name, other)):
            wrong.append(
                f"{_in_cluster(first, name)} and {_in_cluster(endpoint.key, other)} show different certificates, so "
                "they are not in the same cluster. Enter members of one cluster only; one is enough."
            )
    if wrong:
        return Result(level=Level.FAILED, message=" ".join(wrong), part=_PART)
    if failures := findings.members.failures:
        message = f"Not checked whether all members are in one cluster. {' '.join(failures)}"
        return Result(level=Level.WARNING, message=message, part=_PART)
    return None


def _in_cluster(node: str, name: str) -> str:
    return f"{node} (in {name})" if name else node


def _link_local(setup: NodeSetup, _findings: Findings) -> Result | None:
    texts = [text for address in setup.request.cluster.nodes for text in rules.warn_link_local(address)]
    return Result(level=Level.WARNING, message=" ".join(texts), part=_PART) if texts else None


def secret_of(setup: NodeSetup) -> str:
    """Return the part with the secret that signs in."""
    return "credentials.client_cert" if setup.credentials and setup.credentials.client_cert else "credentials.password"


def _refused_before(setup: NodeSetup, _findings: Findings) -> Result | None:
    """Tell that the cluster has just refused these credentials, so that they would not be sent."""
    if setup.credentials is None or not setup.member_fingerprint:
        return None
    account = sign_ins.Account((setup.member_fingerprint,), setup.credentials.username)
    held = sign_ins.blocked(account, setup.credentials)
    if held is None:
        return None
    return Result(level=Level.FAILED, message=held.message, part=secret_of(setup), can_override=True)


def _size(setup: NodeSetup, findings: Findings) -> Result | None:
    nodes = findings.cluster.nodes if isinstance(findings.cluster, ClusterReading) else None
    if not nodes:
        return SAID_ELSEWHERE
    if len(nodes) < SUPPORTED_NODES or setup.request.node.identity.uid is not None:
        return None
    message = f"The cluster has {len(nodes)} nodes. More than {SUPPORTED_NODES} are not supported."
    figures = (Figure("Nodes", "", str(len(nodes)), f"at most {SUPPORTED_NODES}"),)
    return Result(level=Level.WARNING, message=message, part=_PART, figures=figures)


_MEMBER = frozenset({Source.MEMBER})
JOIN_CHECKS: Final = (
    Check(
        name="member",
        title="Member of the cluster",
        judge=_member,
        needs=frozenset({Source.NODE, Source.MEMBER}),
        applies=is_join,
        depends_on=("cluster.nodes", "cnm_https_port"),
        about_silence=True,
    ),
    Check(
        name="member_certificate",
        title="Certificate of the cluster",
        judge=_member_certificate,
        needs=_MEMBER,
        applies=is_join,
        depends_on=("cluster.nodes", "cnm_https_port"),
    ),
    Check(
        name="members",
        title="Other members",
        judge=_members,
        needs=frozenset({Source.NODE, Source.MEMBER, Source.MEMBERS}),
        applies=is_join,
        depends_on=("cluster.nodes", "cnm_https_port"),
    ),
    Check(
        name="member_addresses",
        title="Addresses of the members",
        judge=_link_local,
        applies=is_join,
        depends_on=("cluster.nodes",),
    ),
    Check(
        name="cluster_size",
        title="Size of the cluster",
        judge=_size,
        needs=frozenset({Source.MEMBER, Source.CLUSTER}),
        applies=is_join,
        depends_on=("cluster.nodes", "cnm_https_port", "credentials", "node.identity.uid"),
    ),
    Check(
        name="refused_before",
        title="Earlier sign-ins",
        judge=_refused_before,
        applies=is_join,
        depends_on=("credentials", "cluster.nodes", "cnm_https_port"),
    ),
)
