"""One node: what it is, what it shows, and the bootstrap that makes it a member."""

import asyncio
import contextlib
import hashlib
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
from setup_wizard.reference_node.errors import BootstrapFailed, Busy, Failure, Malformed, PeerUnreachable
from setup_wizard.reference_node.faults import Fault, Faults
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.fitness import check_fitness
from setup_wizard.reference_node.joining import Application, admit, ask_to_join, exchange, join_cluster
from setup_wizard.reference_node.journal import Journal
from setup_wizard.reference_node.lifecycle import Action, Phase, Progress
from setup_wizard.reference_node.machine import (
    bound_addresses,
    describe_machine,
    describe_node,
    flash_size,
    memory_size,
)
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.passwords import password_matches
from setup_wizard.reference_node.record import Record
from setup_wizard.reference_node.seal import Seal
from setup_wizard.reference_node.storage import Storage, discard

SHARED_FACTS = ("software_version", "architecture", "cores", "total_memory", "os_version", "uptime")
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
        self._run: asyncio.Task[None] | None = None
        self._known_sign_ins: set[bytes] = set()
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

    def start(self) -> None:
        """Go on with the bootstrap that a restart has interrupted, if there is one."""
        if self.progress.phase.is_running:
            self._run = asyncio.get_running_loop().create_task(self._drive())

    async def stop(self) -> None:
        """Stop where it is; the record on the disk is enough to go on from."""
        if self._run is not None:
            self._run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._run
        self.journal.close()

    def submit(self, configuration: Configuration) -> None:
        """Begin a bootstrap, on the disk before anywhere else; raises Busy."""
        progress = lifecycle.begin(self.progress, configuration.action, self._clock(), self.pace)
        credentials = {**configuration.document["credentials"], "password": self._seal.close(configuration.password)}
        self._save(progress=progress, pending={**configuration.document, "credentials": credentials})
        self._run = asyncio.get_running_loop().create_task(self._drive())

    def document(self) -> dict[str, object]:
        """The body of `GET /v1/bootstrap`."""
        uid = None if self.membership is None else self.membership.uid
        facts = describe_node(self.traits, self._record.storage, self.addresses, uid)
        return {"bootstrap_status": self.progress.document(), "local_node_info": facts}

    def now(self) -> float:
        """The time of its own clock, in seconds since 1970."""
        return self._clock()

    async def accepts(self, username: str, password: str) -> bool:
        """Say whether these are the credentials of the cluster's administrator."""
        if self.membership is None:
            return False
        cluster = self.membership.cluster
        # the hash is slow by design; a client that polls has paid for it once
        offered = f"{username}\0{password}\0{cluster.password}".encode()
        fingerprint = hashlib.blake2b(offered, key=self._sign_in_key).digest()
        if fingerprint in self._known_sign_ins:
            return True
        matches = await asyncio.to_thread(password_matches, password, cluster.password)
        if matches and username == cluster.username:
            self._known_sign_ins.add(fingerprint)
            return True
        return False

    def update_members(self, change: Callable[[Membership], Membership]) -> None:
        """Change what this member knows of the others, if it is a member."""
        if self.membership is not None and (changed := change(self.membership)) != self.membership:
            self._save(membership=changed)

    def refresh_own(self) -> None:
        """Bring this node's own entry up to date."""
        self.update_members(lambda membership: membership.updated([self._own_entry(membership)]))

    async def ask_members(self) -> list[Member]:
        """All members as they are now: those that do not answer are `down`."""
        self.refresh_own()
        if (membership := self.membership) is None:
            return []
        pem = self.certificate_path.read_bytes()
        silent = set()
        for other, heard in zip(
            membership.others,
            await asyncio.gather(
                *(exchange(membership, other, pem) for other in membership.others), return_exceptions=True
            ),
            strict=True,
        ):
            if isinstance(heard, PeerUnreachable | ValueError):
                silent.add(other.uid)
            elif isinstance(heard, BaseException):
                raise heard
            else:
                self.hear(other.uid, heard)
        members = self.membership.members if self.membership else ()
        return [replace(member, status="down") if member.uid in silent else member for member in members]

    async def admit(self, application: Application) -> Mapping[str, object]:
        """Take a newcomer in; returns what it is to know. Raises BootstrapFailed."""
        members = await self.ask_members()
        if self.membership is None:
            raise BootstrapFailed("connect_error", "This node is not a member of a cluster")
        pem = self.certificate_path.read_bytes()
        grown, answer = admit(self.membership, members, application, pem, self._clock())
        self.update_members(lambda _membership: grown)
        return answer

    def hear(self, uid: int, heard: list[Member]) -> None:
        """Take in what the member with this uid says: of itself as it is, of others only what is new."""
        itself = [member for member in heard if member.uid == uid]
        self.update_members(lambda membership: membership.updated(itself).introduced(heard))

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
            # a clock that was set back since must not hold it for longer than a stage takes
            await asyncio.sleep(min(self.pace, max(0.0, (self.progress.due or 0.0) - self._clock())))
            if self.progress.phase is Phase.INITIATED:
                self._save(progress=lifecycle.work(self.progress, self._clock(), self.pace))
            elif self.progress.phase is Phase.WORKING:
                await self._work()
            else:
                self._save(progress=lifecycle.complete(self.progress, self._clock()))
                await self.ask_members()

    async def validate(self, configuration: Configuration) -> None:
        """Make the checks of a bootstrap and change nothing; raises Busy, and BootstrapFailed with why not."""
        if not self.progress.phase.accepts_bootstrap:
            raise Busy
        await self._check(configuration)
        if configuration.action is Action.JOIN:
            await ask_to_join(configuration, self._newcomer(configuration))

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
        made: tuple[Path, ...] = ()
        try:
            configuration = self._open_pending()
            storage = configuration.storage(self._record.storage)
            await self._check(configuration)
            made = storage.prepare()
            newcomer = self._newcomer(configuration)
            if configuration.action is Action.CREATE:
                membership, pem = await asyncio.to_thread(create_cluster, configuration, newcomer, self.addresses)
            else:
                membership, pem = await join_cluster(configuration, newcomer)
            # the certificate first: a node that is killed in between only does this step again
            write_private(self.certificate_path, pem)
        except BootstrapFailed as failed:
            discard(made)
            self._fail(failed.failure)
        except (OSError, ValueError, Malformed) as error:
            discard(made)
            logger.exception("The bootstrap failed")
            self._fail(Failure("internal_error", {"message": f"{type(error).__name__}: {error}"}))
        else:
            progress = lifecycle.settle(self.progress, self._clock(), self.pace)
            self._save(progress=progress, pending=None, storage=storage, membership=membership)
            self.when_certificate_changes()

    def _fail(self, failure: Failure) -> None:
        self._save(progress=lifecycle.fail(self.progress, failure, self._clock()), pending=None)

    def _open_pending(self) -> Configuration:
        if self._record.pending is None or self.progress.action is None:
            raise ValueError("the request is lost")
        credentials = self._record.pending["credentials"]
        opened = {**credentials, "password": self._seal.open(credentials["password"])}
        return parse_configuration(self.progress.action, {**self._record.pending, "credentials": opened})

    def _newcomer(self, configuration: Configuration) -> Member:
        storage = configuration.storage(self._record.storage)
        facts = describe_machine(self.traits)
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
            facts={name: facts[name] for name in SHARED_FACTS},
        )

    def _own_entry(self, membership: Membership) -> Member:
        facts = describe_machine(self.traits)
        status = "active" if self.progress.phase is Phase.COMPLETED else "provisioning"
        return replace(
            membership.own, status=status, port=self.port, facts={name: facts[name] for name in SHARED_FACTS}
        )
