"""What is sent to a node to start its bootstrap."""

from setup_wizard.bootstrap.request.parsing import InvalidRequest, parse_request
from setup_wizard.bootstrap.request.shapes import (
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
