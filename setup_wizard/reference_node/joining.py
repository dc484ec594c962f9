"""A place in a cluster that is there: what the newcomer asks for, and what a member gives."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from setup_wizard.reference_node.agreement import check_newcomer, settle_rack
from setup_wizard.reference_node.certificates import check_certificate
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.errors import BootstrapFailed, PeerUnreachable, StoreUnavailable
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.peers import Peer
from setup_wizard.reference_node.storage import Storage
from setup_wizard.reference_node.store import Store

ADMISSION_PATH = "/_cluster/admission"
ADMISSION_SECONDS = 20.0  # the member may first have to find a new primary


def basic(username: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True)
class Application:
    """What a node that wants to join says: who it is, whose place it takes, and whether it only asks."""

    newcomer: Member
    replaces: int | None = None
    override_rack_id: bool = False
    only_check: bool = False

    def document(self) -> dict[str, object]:
        """The form in which it is sent."""
        return {
            "member": self.newcomer.kept(),
            "replaces": self.replaces,
            "override_rack_id": self.override_rack_id,
            "only_check": self.only_check,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` made; raises ValueError."""
        match document:
            case {
                "member": member,
                "replaces": (int() | None) as replaces,
                "override_rack_id": bool(override),
                "only_check": bool(only_check),
            }:
                return cls(Member.parse(member), replaces, override, only_check)
            case _:
                raise ValueError("member, replaces, override_rack_id and only_check are needed")


@dataclass(frozen=True)
class Admission:
    """What a newcomer is given.

    `membership` has it in its place, `certificate` is the cluster's (PEM, key first), `replaces` the installation of
    the failed node whose place it takes.
    """

    membership: Membership
    certificate: bytes
    replaces: str | None = None

    def document(self) -> dict[str, object]:
        """The form in which it is sent."""
        return {
            "membership": self.membership.document(),
            "certificate": self.certificate.decode(),
            "replaces": self.replaces,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` made; raises ValueError."""
        match document:
            case {
                "certificate": str(certificate),
                "membership": membership,
                "replaces": (str() | None) as replaces,
            }:
                check_certificate(certificate.encode())
                return cls(Membership.parse(membership), certificate.encode(), replaces)
            case _:
                raise ValueError("no certificate and membership in it")


async def ask_admission(configuration: Configuration, application: Application) -> Admission | None:
    """Sign in to the first member that answers and be admitted; None when it was only asked.

    Raises BootstrapFailed: `connect_error` when no member answers, `access_denied` when one does but refuses the
    sign-in, and what the member says when it refuses the node itself.
    """
    reasons = {}
    port = configuration.port or application.newcomer.port
    authorization = basic(configuration.username, configuration.password)
    for node in configuration.nodes:
        peer = Peer(node, port, seconds=ADMISSION_SECONDS)
        try:
            status, document = await peer.ask("POST", ADMISSION_PATH, authorization, application.document())
        except PeerUnreachable as unreachable:
            reasons[str(peer)] = str(unreachable)
            continue
        if status == 401:
            message = f"{peer} did not accept the credentials of {configuration.username}"
            raise BootstrapFailed("access_denied", message, node=str(peer))
        if status == 200:
            try:
                return None if application.only_check else Admission.parse(document)
            except ValueError as error:
                reasons[str(peer)] = f"{peer} gave an answer that cannot be read: {error}"
        elif status == 409 and (refused := parse_refusal(document)):
            raise refused
        elif status == 503:
            reasons[str(peer)] = parse_reason(document) or f"{peer} is not a member of a cluster"
        else:
            reasons[str(peer)] = f"{peer} answered with status {status}"
    nodes = [{"node": node, "message": reason} for node, reason in reasons.items()]
    raise BootstrapFailed("connect_error", "; ".join(reasons.values()), nodes=nodes)


def check_application(cluster: Cluster, members: Sequence[Member], application: Application, now: float) -> None:
    """Raise BootstrapFailed when the cluster cannot take this node in; `members` are all of them as they are now."""
    if application.replaces is not None:
        check_replaced(members, application.replaces)
    check_newcomer(cluster, members, application.newcomer, replaces=application.replaces, now=now)
    for member in members:
        if member.uid == application.replaces:
            settle_rack(member, application.newcomer.rack_id, override=application.override_rack_id)


def seat_newcomer(membership: Membership, application: Application) -> tuple[Membership, Member]:
    """Give a newcomer its uid, or the one that it has already got.

    A replacement also takes over the rack of the node in whose place it comes, or brings its own. Returns the
    membership, in which the uid is now reserved, and the newcomer as it will be.
    """
    newcomer = application.newcomer
    known = next((member.uid for member in membership.members if member.install == newcomer.install), None)
    known = known or membership.reserved.get(newcomer.install)
    uid = application.replaces or known or membership.next_uid
    before = next((member for member in membership.members if member.uid == uid), None)
    rack_id = newcomer.rack_id
    if before is not None:
        is_own = before.install == newcomer.install
        rack_id = settle_rack(before, rack_id, override=application.override_rack_id or is_own)
    return membership.reserving(newcomer.install, uid), replace(newcomer, uid=uid, rack_id=rack_id)


class Join:
    """A node's way into a cluster, and out of it again when the node cannot stay."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._admitted: Membership | None = None
        self._before: Member | None = None

    async def enter(self, configuration: Configuration, newcomer: Member, storage: Storage) -> tuple[Membership, bytes]:
        """Be admitted, copy the cluster's record, and register in it.

        Returns the membership and the cluster's certificate (PEM, key first). Raises BootstrapFailed, also as
        `connect_error` when the record cannot be copied or written to.
        """
        application = Application(newcomer, configuration.uid, override_rack_id=configuration.override_rack_id)
        admission = await ask_admission(configuration, application)
        if admission is None:
            raise ValueError("a member has answered a question that was not asked")
        self._admitted = admission.membership
        joined = await self._store.join(admission.membership, storage.ccs_directory)
        own = joined.own

        def register(found: Membership) -> Membership:
            places = (member for member in found.members if member.uid == own.uid)
            self._before = next((member for member in places if member.install != own.install), None)
            return found.registering(own, admission.replaces)

        try:
            registered = await self._store.change(joined, register)
        except StoreUnavailable as unavailable:
            raise BootstrapFailed("connect_error", f"The cluster's record cannot be changed: {unavailable}") from None
        return registered, admission.certificate

    async def withdraw(self) -> None:
        """Leave the cluster's record as it was, if anything was written there; raises StoreUnavailable."""
        admitted, self._admitted = self._admitted, None
        if admitted is not None:
            await self._store.change(admitted, lambda found: found.without(admitted.own, self._before))


def check_replaced(members: Sequence[Member], uid: int) -> None:
    """Raise BootstrapFailed unless this is the uid of a failed member."""
    failed = [member.uid for member in members if member.is_down]
    if uid in failed:
        return
    known = any(member.uid == uid for member in members)
    message = f"Node {uid} is running and cannot be replaced" if known else f"The cluster has no node {uid} to replace"
    raise BootstrapFailed("config_error", message, field="node.identity.uid", failed_nodes=failed)


def parse_refusal(document: object) -> BootstrapFailed | None:
    """Read why a member refuses a newcomer; None when it does not say."""
    match document:
        case {"error_code": str(code), "error_details": {"message": str(message), **details}}:
            return BootstrapFailed(code, message, **{str(name): value for name, value in details.items()})
        case _:
            return None


def parse_reason(document: object) -> str | None:
    """Read why a member cannot answer just now; None when it does not say, or is none."""
    match document:
        case {"error_code": "unavailable", "description": str(description)}:
            return description
        case _:
            return None
