"""What is sent to a node to start its bootstrap."""

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
from setup_wizard.bootstrap.request.parsing import InvalidRequest, parse_request

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
    "Paths",
    "parse_request",
]
