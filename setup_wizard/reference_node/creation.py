"""A new cluster with this node as its first member."""

import secrets

from setup_wizard.reference_node.certificates import make_certificate
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.lifecycle import format_time
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.passwords import hash_password


def create_cluster(configuration: Configuration, newcomer: Member, addresses: list[str]) -> tuple[Membership, bytes]:
    """Found the cluster; returns the membership and the cluster's certificate (PEM, key first)."""
    cluster = Cluster(
        name=configuration.name,
        username=configuration.username,
        password=hash_password(configuration.password),
        secret=secrets.token_urlsafe(32),
        created_time=format_time(int(newcomer.clock)),
        rack_aware=configuration.rack_aware,
        license=configuration.license,
    )
    pem = make_certificate(configuration.name, addresses, host_names=[configuration.name])
    return Membership(newcomer.uid, cluster, (newcomer,)), pem
