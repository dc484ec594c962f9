"""The steps that lead from nothing to a link that opens the demo."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from setup_wizard.access import private_file
from setup_wizard.project.demo import stale
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.parts import Parts
from setup_wizard.project.demo.ports import Address
from setup_wizard.project.demo.runner import Part, Runner

READY_SECONDS = 60.0
READY_PATIENCE = 15.0  # the pages name a part that is late
RENEWAL_SECONDS = 15.0
LOOK_EVERY = 0.2
HOPELESS_DEATHS = 3


class Demo:
    """One demo: its parts, their runner, and the note of its nodes for people and scripts."""

    def __init__(self, directory: Directory, parts: Parts, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._parts = parts
        self._nodes = parts.nodes()
        self._say = say
        self.runner = Runner(directory, say, self._note_nodes)

    async def open(self) -> str:
        """Start every part and return the link that signs in once.

        Raises:
            CannotStartError: a part does not come up.
        """
        await stale.stop_stale(self._directory.notes())
        broker = self._parts.broker()
        for part in [*([broker] if broker else []), *(node.part for node in self._nodes)]:
            await self.runner.start(part)
        link = await make_link(self.runner, self._parts.open_demo(), self._parts.addresses.web)
        for part in (self._parts.web(), self._parts.worker(), self._parts.supervisor()):
            await self.runner.start(part)
        await self._pages_answer()
        return link

    async def serve(self) -> None:
        """Do what the pages ask for, for as long as the demo runs: fresh nodes."""
        request = self._directory.reset_request
        request.unlink(missing_ok=True)  # nobody waits for an answer to one of an earlier demo
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if request.exists():
                try:
                    await self._renew_nodes()
                except OSError as error:
                    self._say(f"The nodes could not be replaced: {error}")
                request.unlink(missing_ok=True)

    async def _renew_nodes(self) -> None:
        self._say("Starting fresh nodes in the places of the old ones …")
        await asyncio.gather(*(self.runner.end(node.part.name) for node in self._nodes))
        for node in self._nodes:
            await asyncio.to_thread(shutil.rmtree, node.data, ignore_errors=True)
        for node in self._nodes:
            await self.runner.start(node.part)
        await asyncio.gather(*(listens(node.listens) for node in self._nodes))

    async def _pages_answer(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not await answers(self._parts.addresses.web, "/healthz"):
            if self.runner.deaths("web") >= HOPELESS_DEATHS or time.monotonic() > deadline:
                raise CannotStartError(f"The pages do not come up.\n{self.runner.tail('web')}")
            await asyncio.sleep(0.1)
        deadline = time.monotonic() + READY_PATIENCE
        while not await answers(self._parts.addresses.web, "/readyz"):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.1)

    def _note_nodes(self) -> None:
        pids = self.runner.pids
        rows = [
            {"address": node.address, "pid": pids[node.part.name], "journal": str(node.journal)}
            for node in self._nodes
            if node.part.name in pids
        ]
        private_file.write(self._directory.path / "nodes.json", json.dumps(rows, indent=2) + "\n")


async def make_link(runner: Runner, part: Part, web: Address) -> str:
    """Make a link that signs in once, by a part that prints its path, for the pages at an address.

    Raises:
        CannotStartError: the command that makes it did not.
    """
    words = (await runner.run(part)).split()
    if not words or not words[-1].startswith("/"):
        raise CannotStartError(f"{part.name} printed no link.\n{runner.tail(part.name)}")
    return f"http://{web}{words[-1]}"


async def listens(address: Address) -> None:
    """Wait until somebody takes connections there, `RENEWAL_SECONDS` at most."""
    deadline = time.monotonic() + RENEWAL_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.close()
            return
        await asyncio.sleep(LOOK_EVERY)


async def answers(address: Address, path: str) -> bool:
    """Say whether a page answers 200; the proxies of the environment have no say in it."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]
