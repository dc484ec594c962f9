"""A store that is a real server: the primary's is written to, every other member's is a copy of it."""

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError, WatchError

from setup_wizard.reference_node.errors import BootstrapFailed, StoreFailed, StoreUnavailable
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.store import Change, access, ledger
from setup_wizard.reference_node.store.directory import make_directory, set_aside, unusable
from setup_wizard.reference_node.store.ledger import Ledger
from setup_wizard.reference_node.store.process import FILE_NAME, LOG_NAME, Process, Settings, find_port, own_address

START_SECONDS = 10.0
STEP_SECONDS = 10.0  # until a copy is in step
SAVE_SECONDS = 5.0
COPY_MILLISECONDS = 500
TRIES = 5
LOOK_SECONDS = 0.005
LOCK_NAME = "ccs-redis.lock"
MAGIC = (b"VALKEY", b"REDIS")
# in the words of Valkey, and in those of Redis
UNREADABLE = re.compile(r"loading (the )?DB|RDB")


class Valkey:
    """One member's server; `port` 0 is any that is free, until one has been found.

    A change is on the primary's disk before it is acknowledged, and with the copies that answer within half a second.
    When a primary is lost, the member with the lowest uid that is alive goes on from its copy. There is no majority
    that would have to agree: two halves of a cluster that cannot reach each other both go on, and of what they
    recorded meanwhile only the half of the later epoch remains. On one machine that does not happen; nodes on several
    would need a quorum.
    """

    is_watched = True

    def __init__(self, bind: str, port: int = 0) -> None:
        self.port = port
        self._bind = bind
        self._wanted = port
        self._process: Process | None = None
        self._directory: Path | None = None
        self._own: Redis | None = None
        self._lock: int | None = None
        self._copied: str | None = None
        self._is_new = False
        self._aside: Path | None = None
        self._follows: tuple[str, int] | None = None
        self._clients: set[Redis] = set()  # whose connections are open, or were when somebody was called off

    async def create(self, membership: Membership, directory: Path) -> Membership:
        """Begin a record with this membership in a directory; an older file there is kept beside it."""
        self._take(directory)
        self._begin_anew(directory)
        await self._start(membership.cluster, None)
        membership = self._with_port(membership)
        return await self._write(self._client(), membership, lambda _nothing: membership)

    async def join(self, membership: Membership, directory: Path) -> Membership:
        """Begin a copy of the cluster's record; returns once it is in step with the primary's."""
        self._take(directory)
        self._begin_anew(directory)
        await self._start(membership.cluster, _place(membership.leader))
        deadline = _now() + STEP_SECONDS
        while not await self.is_in_step():
            if _now() > deadline:
                leader = membership.leader
                raise BootstrapFailed(
                    "connect_error",
                    f"The store of node {leader.uid} at {leader.addr}, port {leader.ccs_port}, cannot be copied",
                    node=leader.addr,
                )
            await asyncio.sleep(LOOK_SECONDS)
        return self._with_port(membership)

    async def load(self, cluster: Cluster, file: Path, directory: Path) -> Membership:
        """Begin with the record in a file: of `cluster` only the secret counts, the rest is the file's.

        Raises BootstrapFailed when there is no record in it.
        """
        refused = BootstrapFailed("config_error", f"{file} holds no cluster's record", field="recovery_filename")
        with file.open("rb") as opened:
            if not opened.read(16).startswith(MAGIC):
                raise refused
        self._take(directory)
        target = directory / FILE_NAME
        if not (target.exists() and target.samefile(file)):
            self._begin_anew(directory)
            await asyncio.to_thread(shutil.copyfile, file, target)
            target.chmod(0o600)
        try:
            await self._start(cluster, None)
        except StoreFailed as failed:
            if not UNREADABLE.search(str(failed)):
                raise
            raise refused from None
        try:
            found = await self._look(self._client())
            membership = found.seen_by(found.members[0].uid, cluster.secret)
        except ValueError:
            raise refused from None
        with _translated():
            await self._client().acl_setuser(access.account(membership.cluster.username), **_rules(membership.cluster))
        return membership

    async def resume(self, membership: Membership, directory: Path) -> None:
        """Go on with what lies in a directory, at the port of before."""
        self._take(directory)
        self.port = self._wanted or membership.own.ccs_port
        await self._start(membership.cluster, None if membership.leads else _place(membership.leader))

    async def revive(self, membership: Membership) -> bool:
        """Start a server that has died again; says whether that was needed."""
        if self._process is not None and not self._process.has_ended:
            return False
        await self._start(membership.cluster, None if membership.leads else _place(membership.leader))
        return True

    async def accepts(self, cluster: Cluster, username: str, password: str) -> bool:
        """Let the server say whether these are the credentials of the cluster's administrator."""
        if username != cluster.username or not password:
            return False
        async with self._connected(own_address(self._bind), self.port, access.account(username), password) as client:
            try:
                await client.ping()
            except AuthenticationError:
                return False
            except RedisError as error:
                raise _unavailable(error) from None
        return True

    async def read(self, membership: Membership) -> Membership:
        """Read this member's copy of the record."""
        found = await self._see(self._client(), membership)
        # what was registered at the primary a moment ago may not have come yet; somebody else may have that uid
        if membership.own.install not in {member.install for member in found.members if member.uid == membership.uid}:
            raise StoreUnavailable("The store does not have this node in its record")
        return found

    async def change(self, membership: Membership, change: Change) -> Membership:
        """Change the record at the primary in one step; what is returned is on the primary's disk."""
        if membership.leads:
            return await self._write(self._client(), membership, change)
        host, port = _place(membership.leader)
        async with self._connected(host, port, *access.member(membership.cluster)) as client:
            return await self._write(client, membership, change)

    async def take_role(self, membership: Membership) -> None:
        """Lead, or copy from the primary, as the membership says."""
        wanted = None if membership.leads else _place(membership.leader)
        if wanted == self._follows:
            return
        with _translated():
            await self._client().replicaof(*(wanted or ("NO", "ONE")))
        self._follows = wanted

    async def is_in_step(self) -> bool:
        """Whether it leads, or has its primary's record and hears from it."""
        with _translated():
            told: dict[str, Any] = await self._client().info("replication")
            if told["role"] == "master":
                return True
            if told["master_link_status"] != "up":
                return False
            if told["master_replid"] != self._copied:
                # a copy that has just been made is in memory only; what changes after it is saved by itself
                await _save(self._client())
                self._copied = told["master_replid"]
            return True

    def hear(self, membership: Membership, _uid: int, _members: Iterable[Member]) -> Membership:
        """Go by the record, whatever they say."""
        return membership

    async def close(self, *, forget: bool = False) -> None:
        """End the server; `forget` also takes away the files of a bootstrap that has failed."""
        process, self._process = self._process, None
        await self._drop_client()
        for client in list(self._clients):
            await self._let_go(client)
        if process is not None:
            if forget:
                process.kill()
            else:
                await process.stop()
        if forget and self._is_new and self._directory is not None:
            (self._directory / FILE_NAME).unlink(missing_ok=True)
            if self._aside is not None:
                self._aside.rename(self._directory / FILE_NAME)
        if forget and self._lock is not None and self._directory is not None:
            for name in (LOG_NAME, LOCK_NAME):
                (self._directory / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # what was there before stays
                self._directory.rmdir()
        self._is_new, self._aside = False, None
        if self._lock is not None:
            os.close(self._lock)
        self._lock = self._directory = None
        self.port = self._wanted

    def _take(self, directory: Path) -> None:
        """Hold the directory for this node alone: two servers would write over each other's file."""
        make_directory(directory)
        try:
            lock = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unusable(directory, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise BootstrapFailed(
                "path_error", f"{directory} is in use by another node that runs", path=str(directory)
            ) from None
        self._directory, self._lock = directory, lock

    def _begin_anew(self, directory: Path) -> None:
        self._is_new, self._aside = True, set_aside(directory / FILE_NAME)

    async def _start(self, cluster: Cluster, primary: tuple[str, int] | None) -> None:
        """Start the server and wait until it answers; raises StoreFailed."""
        await self._drop_client()
        self._copied = None
        for attempt in range(TRIES):
            try:
                await self._try_start(cluster, primary)
            except StoreFailed as failed:
                # a port that was free a moment ago, or before a restart, may be somebody else's by now
                if self._wanted or attempt == TRIES - 1 or "ddress already in use" not in str(failed):
                    raise
                self.port = 0
            else:
                self._follows = primary
                return

    async def _try_start(self, cluster: Cluster, primary: tuple[str, int] | None) -> None:
        assert self._directory is not None  # noqa: S101 - every caller has taken one
        self.port = self.port or find_port(self._bind)
        users = access.access_list(cluster)
        settings = Settings(self._directory, self._bind, self.port, users, access.copier(cluster), primary)
        process = self._process = Process.start(settings)
        username, password = access.member(cluster)
        client = self._own = self._connect(own_address(self._bind), self.port, username, password)
        deadline = _now() + START_SECONDS
        while True:
            if process.has_ended:
                await self._drop_client()
                raise StoreFailed(f"The server of the store has ended: {process.last_words()}")
            if process.is_ready:
                with contextlib.suppress(RedisError):
                    await client.ping()
                    return
            if _now() > deadline:
                process.kill()
                raise StoreFailed(f"The server of the store does not answer: {process.last_words()}")
            await asyncio.sleep(LOOK_SECONDS)

    def _with_port(self, membership: Membership) -> Membership:
        return membership.updated([replace(membership.own, ccs_port=self.port)])

    def _client(self) -> Redis:
        if self._own is None:
            raise StoreUnavailable("The store of this node does not run")
        return self._own

    async def _drop_client(self) -> None:
        client, self._own = self._own, None
        if client is not None:
            await self._let_go(client)

    def _connect(self, host: str, port: int, username: str, password: str) -> Redis:
        client = _connect(host, port, username, password)
        self._clients.add(client)
        return client

    async def _let_go(self, client: Redis) -> None:
        await client.aclose()
        self._clients.discard(client)

    @asynccontextmanager
    async def _connected(self, host: str, port: int, username: str, password: str) -> AsyncIterator[Redis]:
        client = self._connect(host, port, username, password)
        try:
            yield client
        finally:
            await self._let_go(client)

    async def _look(self, client: Redis) -> Ledger:
        with _translated():
            async with client.pipeline() as pipeline:
                ledger.ask(pipeline)
                return Ledger.parse(dict(zip(ledger.ALL_KEYS, await pipeline.execute(), strict=True)))

    async def _see(self, client: Redis, membership: Membership) -> Membership:
        try:
            found = (await self._look(client)).seen_by(membership.uid, membership.cluster.secret)
        except ValueError as error:
            raise StoreUnavailable(f"The store cannot be read: {error}") from None
        # who leads is agreed between members; the record only tells it to those who come later
        return found.led_by(membership.primary, membership.epoch)

    async def _write(self, client: Redis, membership: Membership, change: Change) -> Membership:
        with _translated():
            async with client.pipeline() as pipeline:
                while True:
                    await pipeline.watch(*ledger.KEYS)
                    is_empty = not await pipeline.exists("cluster")
                    current = membership if is_empty else await self._see(client, membership)
                    changed = change(current)
                    pipeline.multi()  # type: ignore[no-untyped-call]
                    ledger.write(pipeline, changed)
                    try:
                        await pipeline.execute()
                    except WatchError:
                        continue
                    break
            await _save(client)
            copies = int((await client.info("replication"))["connected_slaves"])
            if copies:
                await client.wait(copies, COPY_MILLISECONDS)
        return changed


def _connect(host: str, port: int, username: str, password: str) -> Redis:
    return Redis(
        host=host,
        port=port,
        username=username,
        password=password,
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise _unavailable(error) from None


def _unavailable(error: RedisError) -> StoreUnavailable:
    return StoreUnavailable(f"The store does not do that now: {type(error).__name__}")


async def _save(client: Redis) -> None:
    deadline = _now() + SAVE_SECONDS
    while True:
        try:
            await client.save()
        except ResponseError:  # it is saving for a copy, or by itself
            if _now() > deadline:
                raise
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return


def _place(member: Member) -> tuple[str, int]:
    return member.addr, member.ccs_port


def _rules(cluster: Cluster) -> dict[str, Any]:
    return {
        "enabled": True,
        "hashed_passwords": [f"+{cluster.password}"],
        "keys": ["*"],
        "channels": ["*"],
        "categories": ["+@all"],
    }


def _now() -> float:
    return asyncio.get_running_loop().time()
