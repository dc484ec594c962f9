"""Which attempts brought in a node that is still in its cluster, as far as we know, and which nodes are free."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from setup_wizard.attempts.explanations import RACK_AWARENESS
from setup_wizard.attempts.models import OPEN_STATES, Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.nodes.models import TrustedCertificate


def attempts_of_members() -> QuerySet[Attempt]:
    """Return the succeeded attempts, but none whose node has lost its trust or was replaced since.

    Only the certificate that the node has had since its bootstrap counts. An older one, or another one at the same
    address, may be withdrawn without a consequence, and an approval that was given again counts again.
    """
    return _trusted().alias(replaced_by=_replaced_by()).filter(replaced_by=None)


def set_up_addresses(addresses: Collection[str]) -> set[str]:
    """Return those of these addresses where a setup has put the node into a cluster: it is not free.

    A reinstalled node is free again when every approval from before is withdrawn. The approval of one certificate says
    nothing about the node.
    """
    from_before = TrustedCertificate.objects.filter(
        address=OuterRef("address"), withdrawn_at=None, approved_at__lte=OuterRef("ended_at")
    )
    succeeded = Attempt.objects.filter(state=State.SUCCEEDED, address__in=addresses)
    found = succeeded.filter(Exists(from_before)) | _trusted().filter(address__in=addresses)
    return set(found.values_list("address", flat=True))


def free_nodes() -> list[str]:
    """List the configured nodes that no setup has put into a cluster, and that none is working on."""
    listed = settings.SETUP_WIZARD_NODES
    opened = Attempt.objects.filter(state__in=OPEN_STATES, address__in=listed).values_list("address", flat=True)
    taken = {*opened, *set_up_addresses(listed)}
    return [address for address in listed if address not in taken]


def replaced_addresses(addresses: Collection[str]) -> set[str]:
    """Return those of these addresses whose node, as it was last set up, another one has replaced since."""
    succeeded = Attempt.objects.filter(state=State.SUCCEEDED, address__in=addresses).order_by("created_at")
    replaced_by = dict(succeeded.annotate(replaced_by=_replaced_by()).values_list("address", "replaced_by"))
    return {address for address, other in replaced_by.items() if other}


def replacement_of(attempt: Attempt) -> Attempt | None:
    """Return the succeeded attempt whose node has taken the place of this one's; None when it is still there."""
    return _in_place_of(
        attempt.cluster_name, attempt.current_fingerprint, attempt.node_uid, attempt.address, attempt.created_at
    ).first()


def _trusted() -> QuerySet[Attempt]:
    approvals = TrustedCertificate.objects.filter(address=OuterRef("address"), fingerprint=_current_of(OuterRef))
    was_withdrawn = Exists(approvals.filter(withdrawn_at__gt=OuterRef("created_at")))
    is_trusted = Exists(approvals.filter(withdrawn_at=None))
    return Attempt.objects.filter(~Q(was_withdrawn) | Q(is_trusted), state=State.SUCCEEDED)


def _replaced_by() -> Subquery:
    own = map(OuterRef, ("node_uid", "address", "created_at"))
    others = _in_place_of(OuterRef("cluster_name"), _current_of(OuterRef), *own)
    # one look-up for each attempt; an EXISTS would be made a join with every attempt
    return Subquery(others.order_by().values("pk")[:1])


def _in_place_of(cluster: Any, fingerprint: Any, uid: Any, address: Any, created_at: Any) -> QuerySet[Attempt]:
    """Return the later joins of other nodes that took this ID in the same cluster; takes values or expressions."""
    joined = Attempt.objects.alias(current=_current_of(F)).filter(
        state=State.SUCCEEDED,
        action=Action.JOIN,
        cluster_name=cluster,
        current=fingerprint,
        node_uid=uid,
        created_at__gt=created_at,
    )
    return joined.exclude(Q(cluster_name="") | Q(node_uid="") | Q(address=address))


def _current_of(column: Callable[[str], F]) -> Coalesce:
    """`Attempt.current_fingerprint` in SQL, of the rows that `column` refers to."""
    return Coalesce(NullIf(column("new_fingerprint"), Value("")), column("fingerprint"))


@dataclass(frozen=True, slots=True)
class KnownRacks:
    """What is known here of the racks of a cluster: `racks` are those that its nodes were given here.

    `was_requested`: rack awareness was asked for. `is_aware`: the cluster confirmed it; some versions ignore the
    request.
    """

    is_aware: bool
    was_requested: bool
    racks: Sequence[str]


def known_racks(cluster: str) -> KnownRacks:
    """Collect what the attempts say about the racks of a cluster."""
    attempts = _trusted().filter(cluster_name__iexact=cluster)  # a node takes over the rack of the one it replaces
    requests = list(attempts.values_list("request", flat=True))
    identities = [request.get("node", {}).get("identity", {}) for request in requests]
    racks = {rack.lower(): rack for identity in identities if (rack := identity.get("rack_id"))}
    was_requested = any(request.get("policy", {}).get("rack_aware") is True for request in requests)
    confirmed = Event.objects.filter(attempt__in=attempts, kind=RACK_AWARENESS, data__rack_aware=True)
    return KnownRacks(confirmed.exists(), was_requested, sorted(racks.values()))
