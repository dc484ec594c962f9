"""Start all programs of the demo, create the link that opens it, and reset its nodes on request."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from setup_wizard.access import private_file
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.leftovers import stop_leftovers
from setup_wizard.project.demo.ports import Address
from setup_wizard.project.demo.programs import Programs
from setup_wizard.project.demo.runner import Program, Runner

HEALTHY_SECONDS = 60.0
READY_SECONDS = 15.0  # after that, a banner on the pages names what does not work
NODE_SECONDS = 15.0
POLL_SECONDS = 0.1
MAX_EXITS_IN_A_ROW = 3


class Launcher:
    """Runs one demo."""

    def __init__(self, directory: Directory, programs: Programs, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._programs = programs
        self._nodes = programs.nodes()
        self._fingerprinted: list[int] = []  # when each certificate was written
        self._say = say
        self.runner = Runner(directory, say, self._write_nodes_file)

    async def start(self) -> str:
        """Start every program and return the sign-in link.

        Raises:
            CannotStartError: a program does not start.
        """
        await stop_leftovers(self._directory.pid_files())
        broker = self._programs.broker()
        for program in [*([broker] if broker else []), *(node.program for node in self._nodes)]:
            await self.runner.start(program)
        link = await create_link(self.runner, self._programs.open_demo(), self._programs.addresses.web)
        for program in (self._programs.web(), self._programs.worker(), self._programs.supervisor()):
            await self.runner.start(program)
        await self._wait_for_pages()
        self._write_fingerprints()
        return link

    async def serve_resets(self) -> None:
        """Reset the nodes whenever the pages ask for it, and keep the file of fingerprints current, until the end."""
        request = self._directory.reset_request
        request.unlink(missing_ok=True)  # of an earlier demo
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._write_fingerprints()  # a slow machine takes its time until every node has a certificate
            if request.exists():
                try:
                    await self._reset_nodes()
                except OSError as error:
                    self._say(f"The nodes could not be reset: {error}")
                request.unlink(missing_ok=True)

    async def _reset_nodes(self) -> None:
        self._say("Resetting the nodes …")
        await asyncio.gather(*(self.runner.stop_one(node.program.name) for node in self._nodes))
        for node in self._nodes:
            await asyncio.to_thread(shutil.rmtree, node.data, ignore_errors=True)
        for node in self._nodes:
            await self.runner.start(node.program)
        await asyncio.gather(*(wait_for_port(node.address) for node in self._nodes))

    async def _wait_for_pages(self) -> None:
        web = self._programs.addresses.web
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not await responds(web, "/healthz"):
            if self.runner.exits_in_a_row("web") >= MAX_EXITS_IN_A_ROW or time.monotonic() > deadline:
                raise CannotStartError(f"The web process does not start.\n{self.runner.log_end('web')}")
            await asyncio.sleep(POLL_SECONDS)
        deadline = time.monotonic() + READY_SECONDS
        while not await responds(web, "/readyz"):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_SECONDS)

    def _write_nodes_file(self) -> None:
        pids = self.runner.pids
        rows = [
            {"address": str(node.address), "pid": pids[node.program.name], "journal": str(node.journal)}
            for node in self._nodes
            if node.program.name in pids
        ]
        private_file.write(self._directory.path / "nodes.json", json.dumps(rows, indent=2) + "\n")

    def _write_fingerprints(self) -> None:
        """Read the nodes' own files: what their connections show is what an operator compares them with."""
        files = [node.certificate for node in self._nodes if node.certificate.exists()]
        try:
            changed = [file.stat().st_mtime_ns for file in files]
            if changed == self._fingerprinted:
                return
            lines = [f"sha256 Fingerprint={_fingerprint(file.read_bytes())}" for file in files]
        except (OSError, ValueError):  # a node is writing it, or was reset just now
            return
        self._fingerprinted = changed
        private_file.write(self._directory.fingerprints, "\n".join(lines) + "\n")


async def create_link(runner: Runner, command: Program, web: Address) -> str:
    """Run a command that prints the path of a sign-in link, and return the whole link.

    Raises:
        CannotStartError: the command failed.
    """
    words = (await runner.run(command)).split()
    if not words or not words[-1].startswith("/"):
        raise CannotStartError(f"{command.name} printed no link.\n{runner.log_end(command.name)}")
    return f"http://{web}{words[-1]}"


def _fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex(":").upper()


async def wait_for_port(address: Address) -> None:
    """Wait until something accepts connections there, at most `NODE_SECONDS`."""
    deadline = time.monotonic() + NODE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(address.host, address.port)
            writer.close()
            return
        await asyncio.sleep(POLL_SECONDS)


async def responds(address: Address, path: str) -> bool:
    """Whether a page has status 200, without a proxy in between."""
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
