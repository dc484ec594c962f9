"""Which attempts brought in a node that is still in its cluster, as far as we know."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from setup_wizard.attempts.explanations import RACK_AWARENESS
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.nodes.models import TrustedCertificate


def attempts_of_members() -> QuerySet[Attempt]:
    """Return the succeeded attempts, but none whose node has lost its trust since: it was reinstalled or is gone.

    Only the certificate that the node has had since its bootstrap counts. An older one, or another one at the same
    address, may be withdrawn without a consequence, and an approval that was given again counts again.
    """
    current = Coalesce(NullIf(OuterRef("new_fingerprint"), Value("")), OuterRef("fingerprint"))
    approvals = TrustedCertificate.objects.filter(address=OuterRef("address"), fingerprint=current)
    was_withdrawn = Exists(approvals.filter(withdrawn_at__gt=OuterRef("created_at")))
    is_trusted = Exists(approvals.filter(withdrawn_at=None))
    return Attempt.objects.filter(~Q(was_withdrawn) | Q(is_trusted), state=State.SUCCEEDED)


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
    attempts = attempts_of_members().filter(cluster_name__iexact=cluster)
    requests = list(attempts.values_list("request", flat=True))
    identities = [request.get("node", {}).get("identity", {}) for request in requests]
    racks = {rack.lower(): rack for identity in identities if (rack := identity.get("rack_id"))}
    was_requested = any(request.get("policy", {}).get("rack_aware") is True for request in requests)
    confirmed = Event.objects.filter(attempt__in=attempts, kind=RACK_AWARENESS, data__rack_aware=True)
    return KnownRacks(confirmed.exists(), was_requested, sorted(racks.values()))
