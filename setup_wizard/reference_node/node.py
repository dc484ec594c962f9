"""One node: what it is, what it shows, and the bootstrap that makes it a member."""

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from setup_wizard.reference_node import lifecycle
from setup_wizard.reference_node.certificates import make_certificate
from setup_wizard.reference_node.configuration import Configuration, parse_configuration
from setup_wizard.reference_node.creation import create_cluster
from setup_wizard.reference_node.errors import BootstrapFailed, Busy, Failure, NodeError, StoreFailed, StoreUnavailable
from setup_wizard.reference_node.faults import Fault, Faults
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.fitness import check_fitness
from setup_wizard.reference_node.joining import Application, Join, ask_admission
from setup_wizard.reference_node.journal import Journal
from setup_wizard.reference_node.lifecycle import Action, Phase, Progress
from setup_wizard.reference_node.lockout import Refusals, SignIn
from setup_wizard.reference_node.machine import (
    bound_addresses,
    describe_member,
    describe_node,
    flash_size,
    memory_size,
)
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.record import Record
from setup_wizard.reference_node.recovery import check_recovery, recover_cluster
from setup_wizard.reference_node.seal import Seal
from setup_wizard.reference_node.seat import Seat
from setup_wizard.reference_node.storage import Storage, discard
from setup_wizard.reference_node.store import Store
from setup_wizard.reference_node.store.opening import open_store
from setup_wizard.reference_node.tasks import end

AS_IT_IS = Traits()
logger = logging.getLogger(__name__)


class Node:
    """A node that lives in a directory.

    `pace` is the seconds of one stage; `clock` gives seconds since 1970; `ccs_port` is where its store listens (0: any
    port that is free); a `light` one keeps its cluster's record without a store of its own; `traits` is what it is said
    to be. Raises OSError when the directory cannot be used and RecordUnreadable when what lies in it is not a node's.
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
        ccs_port: int = 0,
        light: bool = False,
    ) -> None:
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.bind = bind
        self.port = 0  # known once there is a socket
        self.pace = pace
        self.addresses = bound_addresses(bind)
        self.faults = Faults(faults, lambda: self.progress.state, self.addresses)
        self.when_certificate_changes: Callable[[], None] = lambda: None
        self.journal = Journal(self.directory / "journal.jsonl")
        self.certificate_path = self.directory / "certificate.pem"
        self.ccs_port = ccs_port
        self.light = light
        self.traits = traits
        self._clock: Callable[[], float] = lambda: clock() + traits.clock_offset
        self._seal = Seal(self.directory)
        self._record_path = self.directory / "node.json"
        self._record = self._load()
        self._seat: Seat | None = None
        self._made: tuple[Path, ...] = ()
        self._join: Join | None = None
        self._run: asyncio.Task[None] | None = None
        self._known_sign_ins: set[bytes] = set()
        self._signing_in = asyncio.Lock()
        self._sign_in_key = os.urandom(32)
        if not self.certificate_path.exists():
            write_private(self.certificate_path, make_certificate(self.addresses[0], self.addresses))

    @property
    def progress(self) -> Progress:
        """Where its bootstrap stands."""
        return self._record.progress

    @property
    def membership(self) -> Membership | None:
        """Its cluster; None while it is in none."""
        return self._record.membership

    @property
    def ccs_directory(self) -> Path:
        """Where its store keeps its files."""
        return self._record.storage.ccs_directory

    def start(self) -> None:
        """Be what it was: a member again, and at work on the bootstrap that a restart has interrupted."""
        if self.membership is not None:
            self._open_seat().resume()
        if self.progress.phase.is_running:
            self._run = asyncio.get_running_loop().create_task(self._drive())

    async def stop(self) -> None:
        """Stop where it is; the record on the disk is enough to go on from."""
        if self._run is not None:
            await end(self._run)
        if self._seat is not None:
            await self._seat.close()
        self.journal.close()

    def submit(self, configuration: Configuration) -> None:
        """Begin a bootstrap, on the disk before anywhere else; raises Busy."""
        progress = lifecycle.begin(self.progress, configuration.action, self._clock(), self.pace)
        # sealed as a whole: a key that no node knows may have a secret, too
        self._save(progress=progress, pending={"sealed": self._seal.close(json.dumps(configuration.document))})
        self._run = asyncio.get_running_loop().create_task(self._drive())

    def document(self) -> dict[str, object]:
        """The body of `GET /v1/bootstrap`."""
        uid = None if self.membership is None else self.membership.uid
        facts = describe_node(self.traits, self._record.storage, self.addresses, uid)
        return {"bootstrap_status": self.progress.document(), "local_node_info": facts}

    def now(self) -> float:
        """The time of its own clock, in seconds since 1970."""
        return self._clock()

    async def sign_in(self, username: str, password: str, *, counts: bool = True) -> SignIn:
        """Say whether these are the credentials of the cluster's administrator, and the account is not locked.

        A refusal that `counts` brings the account nearer to its lock. Raises StoreUnavailable.
        """
        if self.membership is None:
            return SignIn.REFUSED
        # a client that polls has had its answer once
        offered = f"{username}\0{password}\0{self.membership.cluster.password}".encode()
        fingerprint = hashlib.blake2b(offered, key=self._sign_in_key).digest()
        async with self._signing_in:  # one after the other, so that no sign-in is tried before the last one is counted
            cluster = self.membership.cluster
            if self.refusals.is_locked(username, self.now(), cluster.lockout):
                return SignIn.LOCKED
            if fingerprint in self._known_sign_ins or await self.seat.accepts(username, password):
                self._known_sign_ins.add(fingerprint)
                return SignIn.ACCEPTED
            if not (counts and username == cluster.username and cluster.lockout.threshold):
                return SignIn.REFUSED
            self.keep_refusals(self.refusals.added(username, self.now(), cluster.lockout))
        await self.seat.tell_others()
        return SignIn.REFUSED

    @property
    def refusals(self) -> Refusals:
        """The refused sign-ins that it knows of."""
        return self._record.refusals

    def keep_refusals(self, refusals: Refusals) -> None:
        """Write down which sign-ins were refused."""
        self._save(refusals=refusals)

    @property
    def seat(self) -> Seat:
        """Its seat in its cluster; raises StoreUnavailable while it has none."""
        if self._seat is None:
            raise StoreUnavailable("This node is not a member of a cluster")
        return self._seat

    def keep(self, membership: Membership) -> None:
        """Write down what is known of the cluster now."""
        self._save(membership=membership)

    def pem(self) -> bytes:
        """The certificate that it shows, with its key."""
        return self.certificate_path.read_bytes()

    def own_entry(self) -> Member:
        """This member as it is now."""
        if self.membership is None:
            raise StoreUnavailable("This node is not a member of a cluster")
        own = self.membership.own
        return replace(
            own,
            status="active" if self.progress.phase is Phase.COMPLETED else "provisioning",
            port=self.port,
            ccs_port=self.seat.store.port,
            facts={**own.facts, **describe_member(self.traits, self._record.storage)},
        )

    async def admit(self, application: Application) -> Mapping[str, object]:
        """Keep a place for a newcomer; returns what it is to know. Raises BootstrapFailed and StoreUnavailable."""
        return await self.seat.admit(application, self._clock())

    def _open_seat(self) -> Seat:
        self._seat = Seat(self, open_store(self.bind, self.ccs_port, light=self.light))
        return self._seat

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
        # a clock that was set back since must not hold it for longer than a stage takes
        await asyncio.sleep(min(self.pace, max(0.0, (self.progress.due or 0.0) - self._clock())))

    async def validate(self, configuration: Configuration) -> None:
        """Make the checks of a bootstrap and change nothing; raises Busy, and BootstrapFailed with why not."""
        if not self.progress.phase.accepts_bootstrap:
            raise Busy
        await self._check(configuration)
        if configuration.action is Action.JOIN:
            newcomer = self._newcomer(configuration)
            await ask_admission(configuration, Application(newcomer, configuration.uid, only_check=True))
        elif configuration.action is Action.RECOVER:
            storage, store = configuration.storage(self._record.storage), open_store(self.bind, 0, light=self.light)
            try:
                await check_recovery(configuration, self._newcomer(configuration), storage, store)
            except StoreFailed as failed:
                raise BootstrapFailed("internal_error", str(failed)) from None

    async def _check(self, configuration: Configuration) -> None:
        await asyncio.to_thread(
            check_fitness,
            configuration,
            addresses=self.addresses,
            storage=self._record.storage,
            traits=self.traits,
            now=self._clock(),
        )

    async def _work(self) -> None:
        """Do what was asked for at once, and show what came of it when the stage is over."""
        seat = self._open_seat()
        try:
            membership, pem, storage = await self._bootstrap(seat.store)
            await self._until_due()
            # the certificate first: a node that is killed in between only does this step again
            write_private(self.certificate_path, pem)
        except BootstrapFailed as failed:
            await self._give_up(failed.failure)
        except (NodeError, OSError, ValueError) as error:
            logger.exception("The bootstrap failed")
            message = str(error) if isinstance(error, StoreFailed) else f"{type(error).__name__}: {error}"
            await self._give_up(Failure("internal_error", {"message": message}))
        else:
            progress = lifecycle.settle(self.progress, self._clock(), self.pace)
            self._save(progress=progress, pending=None, storage=storage, membership=membership)
            self._join = None
            seat.take()
            self.when_certificate_changes()

    async def _bootstrap(self, store: Store) -> tuple[Membership, bytes, Storage]:
        configuration = self._open_pending()
        storage = configuration.storage(self._record.storage)
        await self._check(configuration)
        self._made = storage.prepare()
        newcomer = self._newcomer(configuration)
        if configuration.action is Action.CREATE:
            membership, pem = await create_cluster(
                configuration, newcomer, storage, store, self.addresses, lockout=self.traits.lockout
            )
        elif configuration.action is Action.JOIN:
            self._join = Join(store)
            membership, pem = await self._join.enter(configuration, newcomer, storage)
        else:
            membership, pem = await recover_cluster(configuration, newcomer, storage, store, self.addresses)
        return membership, pem, storage

    async def _complete(self) -> None:
        completed = lifecycle.complete(self.progress, self._clock())
        self._save(progress=completed)
        try:
            await self.seat.announce()
            await self.seat.ask_members()
        except StoreUnavailable:
            logger.exception("The cluster could not be told that this node is active")

    async def _give_up(self, failure: Failure) -> None:
        seat, self._seat = self._seat, None
        join, self._join = self._join, None
        if join is not None:
            try:
                await join.withdraw()
            except StoreUnavailable:
                logger.exception("The cluster could not be told that this node does not come")
        if seat is not None:
            await seat.store.close(forget=True)
        made, self._made = self._made, ()
        discard(made)
        await self._until_due()
        self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        self._save(progress=lifecycle.fail(self.progress, failure, self._clock()), pending=None)

    def _open_pending(self) -> Configuration:
        sealed = (self._record.pending or {}).get("sealed")
        if sealed is None or self.progress.action is None:
            raise ValueError("the request is lost")
        return parse_configuration(self.progress.action, json.loads(self._seal.open(sealed)))

    def _newcomer(self, configuration: Configuration) -> Member:
        storage = configuration.storage(self._record.storage)
        return Member(
            install=self._record.install,
            uid=1,
            addr=configuration.addr or self.addresses[0],
            port=self.port,
            external_addr=configuration.external_addr,
            rack_id=configuration.rack_id,
            memory=memory_size(self.traits),
            # a node that takes another's place brings what it has, whether it asked for flash storage or not
            flash=flash_size(self.traits, storage) if configuration.flash or configuration.uid else 0,
            clock=self._clock(),
            socket_directory=self.traits.socket_directory,
            install_dir=self.traits.install_dir,
            config_dir=self.traits.config_dir,
            os_user=self.traits.os_user,
            facts={**configuration.settings(), **describe_member(self.traits, storage)},
        )
