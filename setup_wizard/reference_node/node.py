"""One node: its state on the disk, and the bootstrap that makes it a member."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from setup_wizard.reference_node import lifecycle
from setup_wizard.reference_node.bootstrap_plan import BootstrapPlan, parse_plan
from setup_wizard.reference_node.certificates import make_certificate
from setup_wizard.reference_node.checks import check_request
from setup_wizard.reference_node.cluster_member import ClusterMember
from setup_wizard.reference_node.errors import BootstrapFailed, Busy, ClusterUnavailable, Failure, NodeError
from setup_wizard.reference_node.faults import Fault, Faults
from setup_wizard.reference_node.files import Journal, Seal, write_private
from setup_wizard.reference_node.joining import ask_admission, check_admission
from setup_wizard.reference_node.lifecycle import Action, Phase, Progress
from setup_wizard.reference_node.lockout import Refusals, SignIn
from setup_wizard.reference_node.machine import bound_addresses, describe_member, describe_node, flash_size, memory_size
from setup_wizard.reference_node.membership import Member, Membership, password_matches
from setup_wizard.reference_node.new_cluster import create_cluster, recover_cluster
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.record import Record
from setup_wizard.reference_node.recovery_file import RecoveryFile
from setup_wizard.reference_node.storage import Storage, discard

AS_IT_IS = Traits()
logger = logging.getLogger(__name__)


class Node:
    """A node whose files are in one directory.

    `pace` is the duration of one stage in seconds, `clock` returns seconds since 1970, `traits` is what the node
    pretends to be. Raises OSError when the directory cannot be used, RecordUnreadable when its files are not a node's.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own
        self,
        directory: Path,
        bind: str = "127.0.0.1",
        *,
        pace: float = 3.0,
        faults: Iterable[Fault] = (),
        clock: Callable[[], float] = time.time,
        traits: Traits = AS_IT_IS,
    ) -> None:
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.bind = bind
        self.port = 0  # set by the server
        self.pace = pace
        self.addresses = bound_addresses(bind)
        self.faults = Faults(faults, lambda: self.progress.state, self.addresses)
        self.when_certificate_changes: Callable[[], None] = lambda: None
        self.journal = Journal(self.directory / "journal.jsonl")
        self.certificate_path = self.directory / "certificate.pem"
        self.traits = traits
        self._clock: Callable[[], float] = lambda: clock() + traits.clock_offset
        self._seal = Seal(self.directory)
        self._record_path = self.directory / "node.json"
        self._record = self._load()
        self.member = ClusterMember(self)
        self._recovery_file: RecoveryFile | None = None
        self._new_directories: tuple[Path, ...] = ()
        self._run: asyncio.Task[None] | None = None
        if not self.certificate_path.exists():
            write_private(self.certificate_path, make_certificate(self.addresses[0], self.addresses))

    @property
    def progress(self) -> Progress:
        return self._record.progress

    @property
    def membership(self) -> Membership | None:
        return self._record.membership

    def start(self) -> None:
        """Continue after a restart: as a member again, and with the bootstrap that was interrupted."""
        if self.membership is not None:
            self._recovery_file = RecoveryFile(self._record.storage.ccs_directory)
            self._recovery_file.resume()
        if self.progress.phase.is_running:
            self._run = asyncio.get_running_loop().create_task(self._drive())
        elif self.membership is not None:
            self._run = asyncio.get_running_loop().create_task(self._announce())

    async def stop(self) -> None:
        """Stop in the middle; what is on the disk is enough to continue."""
        if self._run is not None:
            self._run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._run
        if self._recovery_file is not None:
            self._recovery_file.close()
        self.journal.close()

    def submit(self, plan: BootstrapPlan) -> None:
        """Start a bootstrap, which is on the disk before this returns; raises Busy."""
        progress = lifecycle.begin(self.progress, plan.action, self._clock(), self.pace)
        # sealed as a whole, because an unknown key may have a secret, too
        self._save(progress=progress, pending=self._seal.encrypt(json.dumps(plan.document)))
        self._run = asyncio.get_running_loop().create_task(self._drive())

    def document(self) -> dict[str, object]:
        """The body of `GET /v1/bootstrap`."""
        uid = None if self.membership is None else self.membership.uid
        facts = describe_node(self.traits, self._record.storage, self.addresses, uid)
        return {"bootstrap_status": self.progress.document(), "local_node_info": facts}

    def now(self) -> float:
        """The time of the node's clock, in seconds since 1970."""
        return self._clock()

    async def sign_in(self, username: str, password: str, *, counts: bool = True) -> SignIn:
        """Check the credentials of an account of the cluster; raises ClusterUnavailable.

        A refusal that `counts` brings the account nearer to its lock.
        """
        cluster = self.member.membership.cluster
        if self.refusals.is_locked(username, self.now(), cluster.lockout):
            return SignIn.LOCKED
        if cluster.accepts(username, password):
            return SignIn.ACCEPTED
        if password_matches(password, cluster.viewers.get(username, "")):
            return SignIn.VIEWER
        if counts and username in {cluster.username, *cluster.viewers} and cluster.lockout.threshold:
            self.store_refusals(self.refusals.added(username, self.now(), cluster.lockout))
            await self.member.tell_members()
        return SignIn.REFUSED

    @property
    def refusals(self) -> Refusals:
        return self._record.refusals

    def store_refusals(self, refusals: Refusals) -> None:
        if refusals != self.refusals:
            self._save(refusals=refusals)

    def store_membership(self, membership: Membership) -> None:
        """Store what is known of the cluster now; raises ClusterUnavailable."""
        if membership != self.membership:
            if self._recovery_file is not None:
                self._recovery_file.write(membership)
            self._save(membership=membership)

    def pem(self) -> bytes:
        """The certificate, with its key."""
        return self.certificate_path.read_bytes()

    def own_entry(self) -> Member:
        """This member as it is now; raises ClusterUnavailable."""
        own = self.member.membership.own
        return replace(
            own,
            status="active" if self.progress.phase is Phase.COMPLETED else "provisioning",
            port=self.port,
            facts={**own.facts, **describe_member(self.traits, self._record.storage)},
        )

    def _load(self) -> Record:
        if self._record_path.exists():
            return Record.load(self._record_path)
        storage = Storage.inside(self.directory)
        storage.prepare()
        record = Record(storage)
        record.save(self._record_path)
        return record

    def _save(self, **changes: object) -> None:
        record = replace(self._record, **changes)  # type: ignore[arg-type]
        record.save(self._record_path)
        self._record = record

    async def _drive(self) -> None:
        while self.progress.phase.is_running:
            if self.progress.phase is Phase.WORKING:
                await self._work()
                continue
            await self._until_due()
            if self.progress.phase is Phase.INITIATED:
                self._save(progress=lifecycle.work(self.progress, self._clock(), self.pace))
            else:
                await self._complete()

    async def _until_due(self) -> None:
        # never longer than a stage, even if the clock was set back
        await asyncio.sleep(min(self.pace, max(0.0, (self.progress.due or 0.0) - self._clock())))

    async def validate(self, plan: BootstrapPlan) -> None:
        """Make the checks of a bootstrap and change nothing; raises Busy, and BootstrapFailed."""
        if not self.progress.phase.accepts_bootstrap:
            raise Busy
        await self._check(plan)
        newcomer = self._newcomer(plan)
        if plan.action is Action.JOIN:
            await check_admission(plan, newcomer)
        elif plan.action is Action.RECOVER:
            recover_cluster(plan, newcomer, plan.storage(self._record.storage))

    async def _check(self, plan: BootstrapPlan) -> None:
        now = self._clock()
        await asyncio.to_thread(check_request, plan, self.addresses, self._record.storage, self.traits, now)

    async def _work(self) -> None:
        """Execute the request at once, and show the result at the end of the stage."""
        try:
            membership, pem, storage = await self._bootstrap()
            await self._until_due()
            # the certificate first: a node that is killed here repeats this step
            write_private(self.certificate_path, pem)
        except BootstrapFailed as failed:
            await self._give_up(failed.failure)
        except (NodeError, OSError, ValueError) as error:
            logger.exception("The bootstrap failed")
            message = str(error) if isinstance(error, NodeError) else f"{type(error).__name__}: {error}"
            await self._give_up(Failure("internal_error", {"message": message}))
        else:
            progress = lifecycle.settle(self.progress, self._clock(), self.pace)
            self._save(progress=progress, pending=None, storage=storage, membership=membership)
            self.when_certificate_changes()

    async def _bootstrap(self) -> tuple[Membership, bytes, Storage]:
        plan = self._open_pending()
        storage = plan.storage(self._record.storage)
        await self._check(plan)
        self._new_directories = storage.prepare()
        newcomer = self._newcomer(plan)
        pem = None
        if plan.action is Action.CREATE:
            membership = create_cluster(plan, newcomer, self.traits)
        elif plan.action is Action.JOIN:
            admission = await ask_admission(plan, newcomer)
            membership, pem = admission.membership, admission.certificate
        else:
            membership = recover_cluster(plan, newcomer, storage)
        self._recovery_file = RecoveryFile(storage.ccs_directory)
        self._recovery_file.create(membership)
        name = membership.cluster.name
        return membership, pem or make_certificate(name, self.addresses, host_names=[name]), storage

    async def _complete(self) -> None:
        self._save(progress=lifecycle.complete(self.progress, self._clock()))
        await self._announce()

    async def _announce(self) -> None:
        """Report to the other members what this one is now."""
        try:
            self.store_membership(self.member.membership.updated(self.own_entry()))
            await self.member.tell_members()
        except ClusterUnavailable as error:
            logger.warning("The other members could not be told about this one: %s", error)

    async def _give_up(self, failure: Failure) -> None:
        if self._recovery_file is not None:
            self._recovery_file.close(forget=True)
            self._recovery_file = None
        new_directories, self._new_directories = self._new_directories, ()
        discard(new_directories)
        await self._until_due()
        self._save(progress=lifecycle.fail(self.progress, failure, self._clock()), pending=None)

    def _open_pending(self) -> BootstrapPlan:
        if self._record.pending is None or self.progress.action is None:
            raise ValueError("the request is lost")
        return parse_plan(self.progress.action, json.loads(self._seal.decrypt(self._record.pending)))

    def _newcomer(self, plan: BootstrapPlan) -> Member:
        storage = plan.storage(self._record.storage)
        return Member(
            install=self._record.install,
            uid=1,  # replaced on admission
            addr=plan.addr or self.addresses[0],
            port=self.port,
            external_addr=plan.external_addr,
            rack_id=plan.rack_id,
            memory=memory_size(self.traits),
            # a replacement is compared with the failed node, whether it asked for flash storage or not
            flash=flash_size(self.traits, storage) if plan.flash or plan.uid else 0,
            joined_at=self._clock(),
            socket_directory=self.traits.socket_directory,
            install_dir=self.traits.install_dir,
            config_dir=self.traits.config_dir,
            os_user=self.traits.os_user,
            facts={**plan.settings(), **describe_member(self.traits, storage)},
        )
