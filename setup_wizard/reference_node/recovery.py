"""An old cluster that comes back from its file, on this node."""

import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

from setup_wizard.reference_node.agreement import settle_rack
from setup_wizard.reference_node.certificates import make_certificate
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.license import Use, check_terms, find_license
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.storage import Storage
from setup_wizard.reference_node.store import Store


async def recover_cluster(
    configuration: Configuration, newcomer: Member, storage: Storage, store: Store, addresses: list[str]
) -> tuple[Membership, bytes]:
    """Take over the cluster whose record is in a file: as one of its nodes, with the others failed until replaced.

    The cluster gets a new secret and a new certificate, so that an old node that turns up again is no member of it.
    Returns the membership and the certificate (PEM, key first). Raises BootstrapFailed: `path_error` when the file
    cannot be read, `config_error` when it holds no record or names no such node, `access_denied` when the credentials
    are not the old cluster's, `invalid_license` when the request brings a license that does not allow what it had.
    """
    recovered = await load_cluster(configuration, newcomer, storage, store, storage.ccs_directory)
    recovered = await store.change(recovered, lambda _old: recovered)
    return recovered, make_certificate(recovered.cluster.name, addresses, host_names=[recovered.cluster.name])


async def check_recovery(configuration: Configuration, newcomer: Member, storage: Storage, store: Store) -> None:
    """Try in a directory that is thrown away whether `recover_cluster` could be done.

    The store is one that nobody else uses, and is closed at the end. Raises BootstrapFailed as `recover_cluster` does.
    """
    with tempfile.TemporaryDirectory(prefix="recovery-") as directory:
        try:
            await load_cluster(configuration, newcomer, storage, store, Path(directory) / "ccs")
        finally:
            await store.close(forget=True)


async def load_cluster(
    configuration: Configuration, newcomer: Member, storage: Storage, store: Store, directory: Path
) -> Membership:
    """Start the store with the record of the file, in a directory, and take the old cluster over.

    Raises BootstrapFailed as `recover_cluster` does.
    """
    file = find_file(configuration.recovery_filename, storage)
    unknown = Cluster(name="", username="", password="", secret=secrets.token_urlsafe(32), created_time="")
    found = await store.load(unknown, file, directory)
    if not await store.accepts(found.cluster, configuration.username, configuration.password):
        message = f"These are not the credentials of the administrator of {found.cluster.name}"
        raise BootstrapFailed("access_denied", message)
    found = relicense(found, configuration.license, newcomer.clock)
    newcomer = replace(newcomer, ccs_port=store.port)
    return take_over(found, newcomer, configuration.uid, override_rack_id=configuration.override_rack_id)


def relicense(found: Membership, text: str, now: float) -> Membership:
    """Put the license that a request brings in the place of the old one, which is kept even when it has expired.

    Raises BootstrapFailed, with `invalid_license`, when it does not allow what there is.
    """
    cluster = found.cluster
    if not text.strip():
        return found
    use = Use(len(found.members), cluster.shards, flash=any(member.flash for member in found.members))
    check_terms(find_license(text, cluster.name, int(now)), cluster.name, use, now)
    return replace(found, cluster=replace(cluster, license=text))


def take_over(found: Membership, newcomer: Member, uid: int | None, *, override_rack_id: bool) -> Membership:
    """Be the node with this uid, by default the lowest, and call the others failed; raises BootstrapFailed."""
    known = {member.uid: member for member in found.members}
    uid = uid or min(known)
    if uid not in known:
        message = f"{found.cluster.name} had no node {uid}"
        raise BootstrapFailed("config_error", message, field="node.identity.uid", uids=sorted(known))
    rack_id = settle_rack(known[uid], newcomer.rack_id, override=override_rack_id)
    members = [replace(member, status="down") for member in found.members if member.uid != uid]
    own = replace(newcomer, uid=uid, rack_id=rack_id)
    return replace(found, uid=uid, epoch=found.epoch + 1, primary=uid, reserved={}).updated([*members, own])


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
