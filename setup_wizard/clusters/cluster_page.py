"""What the page of a cluster shows, and what it asks the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit, throttle
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.attempts import scrub, sign_ins, visibility
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import NodeProblem
from setup_wizard.clusters import dns, inventory, timing
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.dns import DnsFinding, DnsRecord, DnsState, NamedNode
from setup_wizard.clusters.models import Cluster, ClusterNode, Plan
from setup_wizard.nodes import client
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.cluster_reading import ClusterReading, Part, read_cluster
from setup_wizard.nodes.errors import AddressForbidden, NodeError, NodeRefused
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import resolve
from setup_wizard.nodes.membership import MAX_PER_MINUTE
from setup_wizard.nodes.models import TrustedCertificate

GONE = "gone"


@dataclass(frozen=True, slots=True)
class DayOneTask:
    """Something that is left to do once a cluster is up, with its command."""

    title: str
    why: str
    command: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A run or an attempt for the cluster."""

    title: str
    status: RunState | State
    started_by: User
    at: datetime
    url: str


class ClusterPage:
    """One cluster as its page shows it to `user`."""

    def __init__(self, cluster: Cluster, user: User) -> None:
        self.cluster = cluster
        self.user = user

    @cached_property
    def nodes(self) -> list[ClusterNode]:
        """Its nodes by ID, without those that are gone."""
        found = [node for node in self.cluster.nodes.all() if node.status != GONE]
        return sorted(found, key=lambda node: (len(node.uid), node.uid))

    @property
    def active(self) -> int:
        """How many are active, as last seen."""
        return sum(node.status == "active" for node in self.nodes)

    @property
    def down(self) -> list[ClusterNode]:
        """The nodes that were down when the cluster was last asked."""
        return [node for node in self.nodes if node.status == "down"]

    @property
    def headline(self) -> str:
        """The state in a few words."""
        if self.down:
            names = ", ".join(node.uid for node in self.down)
            return f"Node {names} is down" if len(self.down) == 1 else f"Nodes {names} are down"
        if self.cluster.problems:
            return "The cluster's own check found a problem"
        if len(self.nodes) < 3:
            return f"{len(self.nodes)} of at least 3 nodes"
        return f"{self.active} of {len(self.nodes)} nodes active"

    @property
    def tone(self) -> str:
        """The colour of the state."""
        return "warn" if self.down or self.cluster.problems or len(self.nodes) < 3 else "good"

    @property
    def known_at(self) -> datetime:
        """When the state was known last: from the cluster itself, or when a setup ended."""
        return max((node.seen_at for node in self.nodes), default=self.cluster.changed_at)

    @property
    def versions(self) -> str:
        """The versions of its nodes."""
        return ", ".join(sorted({node.version for node in self.nodes if node.version})) or "unknown"

    @property
    def racks(self) -> str:
        """The racks in use."""
        return ", ".join(sorted({node.rack_id for node in self.nodes if node.rack_id}))

    @property
    def attempts(self) -> Sequence[Attempt]:
        """The latest attempts for this cluster that the user may see."""
        # by index: the name of the cluster, and as it was typed when its nodes came in
        names = {self.cluster.name, *(node.attempt.cluster_name for node in self.nodes if node.attempt)}
        seen = visibility.visible_to(self.user).filter(cluster_name__in=names).order_by("-created_at", "-id")
        return list(seen.select_related("requested_by")[:20])

    @property
    def runs(self) -> list[Plan]:
        """The plans that were carried out for this cluster."""
        attempt_ids = [attempt.pk for attempt in self.attempts]
        return list(Plan.objects.filter(run__steps__attempt_id__in=attempt_ids).distinct()[:10])

    @property
    def history(self) -> list[HistoryEntry]:
        """The latest runs and attempts, newest first."""
        runs = [
            HistoryEntry(
                str(plan),
                plan.run.status,
                plan.run.started_by,
                plan.run.created_at,
                reverse("clusters:run", args=[plan.pk]),
            )
            for plan in self.runs
        ]
        attempts = [
            HistoryEntry(
                f"{attempt.done}{' by' if attempt.replaces is not None else ''} {attempt.address}",
                attempt.status,
                attempt.requested_by,
                attempt.created_at,
                reverse("live:detail", args=[attempt.pk]),
            )
            for attempt in self.attempts
        ]
        return sorted([*runs, *attempts], key=lambda entry: entry.at, reverse=True)

    @property
    def addresses(self) -> set[str]:
        """The addresses of its nodes, as far as they were set up from here."""
        return {node.address for node in self.nodes}

    @property
    def rack_awareness(self) -> str:
        """Whether it is rack-aware: as it says itself, or else as it was set up."""
        if self.cluster.rack_aware is not None:
            return "on" if self.cluster.rack_aware else "off"
        created = self._created_by
        if created and created.action == Action.CREATE and not (created.request.get("policy") or {}).get("rack_aware"):
            return "off (at setup)"
        return "not known"

    @property
    def _created_by(self) -> Attempt | None:
        return next((node.attempt for node in self.nodes if node.attempt and node.attempt.action != Action.JOIN), None)

    @property
    def certificates(self) -> list[TrustedCertificate]:
        """The approvals of the cluster's certificate."""
        found = TrustedCertificate.objects.filter(fingerprint=self.cluster.fingerprint, withdrawn_at=None)
        return list(found.select_related("approved_by"))

    @cached_property
    def member(self) -> Attempt | None:
        """The attempt of the node through which the cluster can be asked."""
        return inventory.member_of(self.cluster)

    @property
    def named_nodes(self) -> list[NamedNode]:
        """The nodes for the DNS records: those that are down are left out."""
        return [
            NamedNode(node.uid, node.external_addr or [node.addr], node.addr)
            for node in self.nodes
            if node.status != "down" and node.uid.isdigit()
        ]

    @property
    def records(self) -> list[DnsRecord]:
        """The DNS records that the name needs."""
        return dns.records_of(self.cluster.name, self.named_nodes, has_private=self.has_private_endpoints)

    @property
    def has_private_endpoints(self) -> bool:
        """Whether it was created with private and public endpoints."""
        created = self._created_by
        suffixes = created.request.get("dns_suffixes") if created else None
        return any(suffix.get("use_internal_addr") for suffix in suffixes or [])

    @property
    def zone_file(self) -> str:
        """The records as lines of a zone file."""
        return dns.as_zone_file(self.records)

    @property
    def dns_state(self) -> DnsState | None:
        """What the last check of the records found; None before the first."""
        word = self.cluster.dns.get("state")
        return DnsState(word) if word else None

    @property
    def day_one(self) -> list[DayOneTask]:
        """What is left to do on a new cluster, each with its command."""
        return [
            DayOneTask("License", "Without one the cluster is a 30-day trial.", "rladmin cluster license"),
            DayOneTask(
                "Certificates",
                "Replace the self-signed certificates of the API and the proxy.",
                "rladmin cluster certificate set api certificate_file cert.pem key_file key.pem",
            ),
            DayOneTask("Alerts", "Let the cluster send e-mails.", "rladmin cluster config email_alerts enabled"),
            DayOneTask(
                "Quorum-only node",
                "If a node is there only for the quorum, keep data off it.",
                "rladmin tune node <id> quorum_only enabled",
            ),
            DayOneTask(
                "Backup",
                "Give each database a place and an interval for its backups, with this request of the REST API.",
                'PUT /v1/bdbs/<id> {"backup": true, "backup_interval": 86400, "backup_location": {…}}',
            ),
        ]


@sensitive_variables()
def check_now(page: ClusterPage, credentials: Credentials, *, by: User) -> str:
    """Ask the cluster for its nodes and its own check, once, and keep the answer; return a problem, or "".

    Raises:
        TooManyRequests: `by` has reached the limit; nothing was sent.
        SignInBlocked: nothing may be sent with these credentials now.
    """
    throttle.count("requests for a cluster's name", by, limit=MAX_PER_MINUTE)
    member = page.member
    if member is None:
        return "No node of this cluster has an approved certificate any more."
    address = Address.parse(member.address)
    outcome = AuditOutcome.REFUSED
    try:
        reading, problems = _ask(address, member, credentials)
        inventory.save_reading(page.cluster, reading, problems, by=by)
        outcome = AuditOutcome.DONE
    except NodeRefused:
        return "The cluster rejected these credentials."
    except (NodeError, AddressForbidden) as error:
        return explain_failure(error, address)
    finally:
        target = audit.Target("node", member.address, member.address)
        audit.record(
            NodeAudit.CLUSTER_ASKED, by=by, target=target, fingerprint=member.current_fingerprint, outcome=outcome
        )
    return ""


@sensitive_variables()
def _ask(
    address: Address, member: Attempt, credentials: Credentials
) -> tuple[ClusterReading, tuple[NodeProblem, ...] | None]:
    account = sign_ins.Account.of(member, credentials.username)
    with client.connect(
        resolve(address),
        {member.current_fingerprint},
        seconds=timing.CHECK_SECONDS,
        redaction=scrub.redaction_at(member.address),
    ) as node:
        reserved = sign_ins.reserved(account, credentials)
        reading = read_cluster(node, credentials, reserved=reserved, parts=(Part.NODES, Part.LOCKOUT))
        sign_ins.save_policy(account, reading.lockout)
        try:
            if not node.is_open:
                node.reopen()
            return reading, node.cluster_check(NodeSignIn.of(credentials))
        except NodeError:
            return reading, None  # the nodes are worth more than the check


def check_dns(page: ClusterPage, *, by: User) -> DnsFinding:
    """Look up the DNS records of the cluster's name, and keep the result.

    Raises:
        TooManyRequests: `by` has reached the limit.
    """
    throttle.count("DNS checks", by, limit=MAX_PER_MINUTE)
    found = dns.check(page.cluster.name, page.named_nodes)
    page.cluster.dns = {"state": found.state.value, "reason": found.reason, "missing": found.missing}
    page.cluster.dns_checked_at = timezone.now()
    page.cluster.save(update_fields=["dns", "dns_checked_at"])
    return found
