"""New clusters on this node: created, or recovered from the file of an old one."""

import secrets
from dataclasses import replace
from pathlib import Path

from setup_wizard.reference_node.bootstrap_plan import BootstrapPlan
from setup_wizard.reference_node.checks import settle_rack
from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.license import Use, check_terms, find_license
from setup_wizard.reference_node.lifecycle import format_time
from setup_wizard.reference_node.membership import Cluster, Member, Membership, hash_password
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.recovery_file import read_membership
from setup_wizard.reference_node.storage import Storage


def create_cluster(plan: BootstrapPlan, newcomer: Member, traits: Traits) -> Membership:
    """Make the cluster of a request, with this node as its only member."""
    cluster = Cluster(
        name=plan.name,
        username=plan.username,
        password=hash_password(plan.password),
        secret=secrets.token_urlsafe(32),
        created_time=format_time(int(newcomer.joined_at)),
        rack_aware=plan.rack_aware and traits.heeds_policy,
        license=plan.license,
        bigstore_driver=plan.bigstore_driver or Cluster.bigstore_driver,
        lockout=traits.lockout,
        viewers={name: hash_password(password) for name, password in traits.viewer.items()},
    )
    return Membership(newcomer.uid, cluster, (newcomer,))


def recover_cluster(plan: BootstrapPlan, newcomer: Member, storage: Storage) -> Membership:
    """Take over the cluster of a file as one of its nodes; the others have failed until they are replaced.

    The cluster gets a new secret, so that an old node that comes back is not a member. Raises BootstrapFailed:
    `path_error` when the file cannot be read, `config_error` when it is not a cluster's or has no such node,
    `access_denied` when the credentials are not the old cluster's, `invalid_license` when the new license does not
    allow what the cluster had.
    """
    file = find_file(plan.recovery_filename, storage)
    found = read_membership(file, secrets.token_urlsafe(32))
    if not found.cluster.accepts(plan.username, plan.password):
        message = f"These are not the credentials of the administrator of {found.cluster.name}"
        raise BootstrapFailed("access_denied", message)
    found = _change_license(found, plan.license, newcomer.joined_at)
    known = {member.uid: member for member in found.members}
    uid = plan.uid or min(known)
    if uid not in known:
        message = f"{found.cluster.name} had no node {uid}"
        raise BootstrapFailed("config_error", message, field="node.identity.uid", uids=sorted(known))
    rack_id = settle_rack(known[uid], newcomer.rack_id, override=plan.override_rack_id)
    members = [replace(member, status="down") for member in found.members]
    own = replace(newcomer, uid=uid, rack_id=rack_id)
    return replace(found, uid=uid, reserved={}).updated(*members, own)


def find_file(name: str, storage: Storage) -> Path:
    """Find the file by its absolute path, or by its name inside the persistent path; raises BootstrapFailed."""
    path = storage.locate(name)
    if not path.is_absolute():
        path = storage.persistent / path
        if not path.resolve().is_relative_to(storage.persistent.resolve()):
            message = "An absolute path is needed, or a name inside the persistent path"
            raise BootstrapFailed("config_error", message, field="recovery_filename")
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        raise BootstrapFailed("path_error", f"There is no file {path}", path=str(path)) from None
    except IsADirectoryError:
        raise BootstrapFailed("path_error", f"{path} is a directory, not a file", path=str(path)) from None
    except OSError as error:
        raise BootstrapFailed("path_error", f"{path} cannot be read: {error.strerror}", path=str(path)) from None
    return path


def _change_license(found: Membership, text: str, now: float) -> Membership:
    if not text.strip():  # the old one stays, even when it has expired
        return found
    cluster = found.cluster
    use = Use(len(found.members), cluster.shards, flash=any(member.flash for member in found.members))
    check_terms(find_license(text, cluster.name, int(now)), cluster.name, use, now)
    return replace(found, cluster=replace(cluster, license=text))
