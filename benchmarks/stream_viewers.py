"""Many viewers on one web process: how soon each is notified, what each costs, and how many queries they cause."""

import asyncio
import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from uuid import UUID

from django.conf import settings

from setup_wizard.attempts.pubsub import Publisher
from tests.live.web_server import Web
from tests.redis_servers import running_redis

ROUNDS = 100
USERS, SESSIONS = 125, 8  # a user may have eight streams open


@dataclass
class Viewing:
    """What was measured with so many viewers."""

    viewers: int
    told: list[float] = field(default_factory=list)
    kilobytes: float = 0.0
    connections: int = 0
    threads: int = 0
    joined: float = 0.0

    @property
    def p95(self):
        return quantiles(self.told, n=20)[-1]


class Viewer(asyncio.Protocol):
    """One open stream, as a socket."""

    def __init__(self):
        self.told = asyncio.Queue()

    async def join(self, port, attempt, session):
        self.transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        head = f"GET /attempts/{attempt}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={session}\r\n\r\n"
        self.transport.write(head.encode())
        async with asyncio.timeout(60):
            await self.told.get()

    def data_received(self, data):
        now = time.monotonic()
        if data.startswith(b"HTTP/") and b" 200 " not in data[:20]:
            raise RuntimeError(data.decode())
        for line in data.splitlines():
            if line.startswith(b"data: ") and line[6:].isdigit():
                self.told.put_nowait((int(line[6:]), now))

    async def told_of(self, seq):
        while (heard := await self.told.get())[0] != seq:
            pass
        return heard[1]

    def leave(self):
        self.transport.close()


def measure(viewers, application="setup_wizard.project.asgi:application"):
    """Let so many viewers watch one attempt, and tell them something a few times."""
    with serving(application) as (web, ringer):
        return asyncio.run(_measure(web, ringer, viewers))


@contextmanager
def serving(application):
    with TemporaryDirectory(prefix="bench-") as place, running_redis() as url:
        settings.REDIS_URL = url
        names = [f"user-{number}" for number in range(USERS)]
        web = Web(Path(place), url, names=names, sessions=SESSIONS, application=application)
        try:
            yield web, Publisher()
        finally:
            web.stop()


async def _measure(web, ringer, viewers):
    viewing, attempt = Viewing(viewers), web.attempts[0]
    sessions = [session for column in zip(*web.sessions, strict=True) for session in column]
    await _leave(await _join(web, attempt, sessions[:20]))  # what only the first ones cost
    before = resident(web)
    counting = asyncio.create_task(_count(web, viewing))
    began = time.monotonic()
    watching = await _join(web, attempt, list(islice(cycle(sessions), viewers)))
    viewing.joined = time.monotonic() - began
    await asyncio.sleep(2)
    gc.disable()  # a collection here would count as a delay there
    for seq in range(100, 100 + ROUNDS):
        await asyncio.sleep(0.37)  # at no particular moment of anybody's second
        said = time.monotonic()
        await asyncio.to_thread(web.save_event, attempt, seq)
        ringer.put(UUID(attempt))
        async with asyncio.timeout(30):
            viewing.told += [at - said for at in await asyncio.gather(*(viewer.told_of(seq) for viewer in watching))]
    gc.enable()
    viewing.kilobytes = (resident(web) - before) / viewers
    viewing.threads = web.threads
    counting.cancel()
    await _leave(watching)
    return viewing


async def _join(web, attempt, sessions):
    watching = [Viewer() for _ in sessions]
    door = asyncio.Semaphore(100)

    async def join(viewer, session):
        async with door:
            await viewer.join(web.port, attempt, session)

    await asyncio.gather(*(join(viewer, session) for viewer, session in zip(watching, sessions, strict=True)))
    return watching


async def _leave(watching):
    for viewer in watching:
        viewer.leave()
    await asyncio.sleep(1)


async def _count(web, viewing):
    while True:
        viewing.connections = max(viewing.connections, web.open_databases)
        await asyncio.sleep(0.2)


def resident(web):
    """Kilobytes of memory that the web process holds."""
    status = Path(f"/proc/{web.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
