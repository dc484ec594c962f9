"""What is sent to a node to start its bootstrap."""

from setup_wizard.bootstrap.request.client_certificates import check_client_certificate, read_client_certificate
from setup_wizard.bootstrap.request.models import (
    BootstrapRequest,
    ClusterIdentity,
    ClusterPolicy,
    Credentials,
    DnsSuffix,
    Identity,
    Limits,
    NodeIdentity,
    Paths,
)
from setup_wizard.bootstrap.request.parsing import InvalidRequest, PartialRequest, parse_request, read_partial

__all__ = [
    "BootstrapRequest",
    "ClusterIdentity",
    "ClusterPolicy",
    "Credentials",
    "DnsSuffix",
    "Identity",
    "InvalidRequest",
    "Limits",
    "NodeIdentity",
    "PartialRequest",
    "Paths",
    "check_client_certificate",
    "parse_request",
    "read_client_certificate",
    "read_partial",
]
