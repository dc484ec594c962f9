"""A new cluster with this node as its first member."""

import secrets

from setup_wizard.reference_node.certificates import make_certificate
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.lifecycle import format_time
from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.passwords import hash_password
from setup_wizard.reference_node.storage import Storage
from setup_wizard.reference_node.store import Store


async def create_cluster(  # noqa: PLR0913 - each is a part of its own
    configuration: Configuration,
    newcomer: Member,
    storage: Storage,
    store: Store,
    addresses: list[str],
    *,
    lockout: LockoutPolicy,
) -> tuple[Membership, bytes]:
    """Found the cluster and begin its record; returns the membership and the certificate (PEM, key first)."""
    cluster = Cluster(
        name=configuration.name,
        username=configuration.username,
        password=hash_password(configuration.password),
        secret=secrets.token_urlsafe(32),
        created_time=format_time(int(newcomer.clock)),
        rack_aware=configuration.rack_aware,
        license=configuration.license,
        bigstore_driver=configuration.bigstore_driver or Cluster.bigstore_driver,
        lockout_threshold=lockout.threshold,
        lockout_reset_after=lockout.reset_after,
        lockout_duration=lockout.duration,
    )
    pem = make_certificate(configuration.name, addresses, host_names=[configuration.name])
    return await store.create(Membership(newcomer.uid, cluster, (newcomer,)), storage.ccs_directory), pem
