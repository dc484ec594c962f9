"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class NodeAudit(TextChoices):
    """Contact with nodes, and trust in their certificates."""

    TRUST = "trust", "Approved a certificate"
    WITHDRAW = "withdraw", "Withdrew the approval of a certificate"
    ADDRESS_REFUSED = "address-refused", "Requested an address that is not allowed"
    CLUSTER_ASKED = "cluster-asked", "Checked a cluster"
