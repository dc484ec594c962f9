"""Which certificates are approved for which address."""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from setup_wizard.access import audit
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.certificates import Certificate, normalise_fingerprint
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import Origin, TrustedCertificate

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet


def approve(
    endpoint: Endpoint,
    certificate: Certificate,
    *,
    by: "User",
    origin: Origin = Origin.OPERATOR,
    cluster: str = "",
) -> TrustedCertificate:
    """Approve a certificate for an endpoint; an existing approval stays as it is."""
    with transaction.atomic():
        approval, is_new = TrustedCertificate.objects.get_or_create(
            address=endpoint.key,
            fingerprint=certificate.fingerprint,
            withdrawn_at=None,
            defaults={
                "host": endpoint.address.host,
                "subject": certificate.subject,
                "issuer": certificate.issuer,
                "not_before": certificate.not_before,
                "not_after": certificate.not_after,
                "origin": origin,
                "cluster": cluster,
                "approved_by": by,
                "details": certificate.as_json(),
            },
        )
        if is_new:
            target = audit.Target("node", endpoint.key, endpoint.key)
            audit.record(
                NodeAudit.TRUST,
                by=by,
                target=target,
                fingerprint=certificate.fingerprint,
                note=f"{'' if origin == Origin.OPERATOR else 'automatic: '}{Origin(origin).label}",
            )
    return approval


def withdraw(endpoint_key: str, *, by: "User") -> None:
    """Withdraw every approval for an address: the node was reinstalled, or is gone."""
    with transaction.atomic():
        for approval in approved(endpoint_key):
            withdraw_approval(approval, by=by)


def withdraw_approval(approval: TrustedCertificate, *, by: "User") -> bool:
    """Withdraw one approval; False when that was done before."""
    with transaction.atomic():
        if not _in_force().filter(pk=approval.pk).update(withdrawn_at=timezone.now()):
            return False
        target = audit.Target("node", approval.address, approval.address)
        audit.record(NodeAudit.WITHDRAW, by=by, target=target, fingerprint=approval.fingerprint)
    return True


def approved(endpoint_key: str) -> list[TrustedCertificate]:
    """List the approvals for an address ("10.0.0.5:9443"), newest first."""
    return list(_in_force().filter(address=endpoint_key))


def approved_for(endpoint_keys: Collection[str]) -> dict[str, list[TrustedCertificate]]:
    """List the approvals of several addresses as `approved` does, in one query; addresses without any are left out."""
    found: dict[str, list[TrustedCertificate]] = defaultdict(list)
    for approval in _in_force().filter(address__in=endpoint_keys):
        found[approval.address].append(approval)
    return dict(found)


def cluster_of(fingerprint: str) -> str:
    """Return the name of the cluster that uses this certificate; empty when unknown."""
    known = _in_force().filter(fingerprint=fingerprint).exclude(cluster="")
    return known.values_list("cluster", flat=True).first() or ""


def has_approval(address: Address) -> bool:
    """Tell whether any certificate is approved for this address, without a DNS lookup."""
    if address.is_literal:
        return _in_force().filter(address=str(address)).exists()
    return _in_force().filter(host=address.host, address__endswith=f":{address.port}").exists()


def is_approved(endpoint_key: str, fingerprint: str) -> bool:
    """Tell whether this certificate is approved for this address.

    Raises:
        ValueError: not a SHA-256 fingerprint.
    """
    return _in_force().filter(address=endpoint_key, fingerprint=normalise_fingerprint(fingerprint)).exists()


def _in_force() -> "QuerySet[TrustedCertificate]":
    return TrustedCertificate.objects.filter(withdrawn_at=None)
