"""A new cluster with this node as its first member."""

import secrets

from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.lifecycle import format_time
from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.passwords import hash_password


def create_cluster(configuration: Configuration, newcomer: Member, lockout: LockoutPolicy) -> Membership:
    """Make the cluster that a request describes, with this node as its only member."""
    cluster = Cluster(
        name=configuration.name,
        username=configuration.username,
        password=hash_password(configuration.password),
        secret=secrets.token_urlsafe(32),
        created_time=format_time(int(newcomer.joined_at)),
        rack_aware=configuration.rack_aware,
        license=configuration.license,
        bigstore_driver=configuration.bigstore_driver or Cluster.bigstore_driver,
        lockout_threshold=lockout.threshold,
        lockout_reset_after=lockout.reset_after,
        lockout_duration=lockout.duration,
    )
    return Membership(newcomer.uid, cluster, (newcomer,))
