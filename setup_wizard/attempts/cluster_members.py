"""Which attempts brought a node into a cluster that is still there, as far as we know."""

from django.db.models import Exists, OuterRef, QuerySet

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes.models import TrustedCertificate


def cluster_members() -> QuerySet[Attempt]:
    """Return the succeeded attempts, but none whose node lost its trust since: it was reinstalled or is gone."""
    withdrawn = TrustedCertificate.objects.filter(address=OuterRef("address"), withdrawn_at__gt=OuterRef("created_at"))
    return Attempt.objects.filter(~Exists(withdrawn), state=State.SUCCEEDED)
