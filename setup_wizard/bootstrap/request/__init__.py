"""What is sent to a node to start its bootstrap."""

from setup_wizard.bootstrap.request.models import (
    ClusterIdentity,
    Credentials,
    DnsSuffix,
    Identity,
    Limits,
    NodeIdentity,
    Paths,
    Policy,
    Request,
)
from setup_wizard.bootstrap.request.parsing import InvalidRequest, parse_request

__all__ = [
    "ClusterIdentity",
    "Credentials",
    "DnsSuffix",
    "Identity",
    "InvalidRequest",
    "Limits",
    "NodeIdentity",
    "Paths",
    "Policy",
    "Request",
    "parse_request",
]
