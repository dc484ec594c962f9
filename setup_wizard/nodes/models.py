"""Approved certificates."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Origin(models.TextChoices):
    """How a certificate came to be trusted."""

    OPERATOR = "operator", "approved by an operator"
    BOOTSTRAP = "bootstrap", "created by the node during setup, accepted in advance"
    CLUSTER = "cluster", "certificate of the cluster"


class TrustedCertificate(models.Model):
    """The approval of one certificate for one address; it can be withdrawn, but is never deleted.

    `address` is the endpoint's key ("10.0.0.5:9443"), `host` what the operator entered, `details` the certificate as
    JSON.
    """

    Origin = Origin

    address = models.CharField(max_length=60, db_index=True)
    host = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=95)
    subject = models.CharField(max_length=300, blank=True)
    issuer = models.CharField(max_length=300, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.OPERATOR)
    cluster = models.CharField(max_length=255, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = "approved certificate"
        ordering: ClassVar = ["-approved_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address", "fingerprint"],
                condition=models.Q(withdrawn_at=None),
                name="nodes_one_approval_per_certificate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.fingerprint[:23]}…"
