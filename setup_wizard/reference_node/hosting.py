"""The nodes of one process: where each one listens and keeps its files, and how they start and stop together."""

import asyncio
import fcntl
import ipaddress
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.reference_node.control import Control, open_control_socket
from setup_wizard.reference_node.errors import CannotStart, NodeError
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import Server, open_socket

INDEX = "nodes.json"
# each node needs a listener, a journal and the locks of two directories; the process and connections need more
FILES_OF_A_NODE, FILES_OF_ALL, CONNECTIONS_OF_A_NODE = 4, 64, 8


@dataclass(frozen=True)
class NodeConfig:
    """Where one node listens (port 0: any that is free) and keeps its files."""

    name: str
    bind: str
    port: int
    directory: Path


def plan_nodes(bind: str, port: int, count: int, data: Path) -> list[NodeConfig]:
    """Configure `count` nodes. One alone has `data` itself, several have `data`/node-1 and so on.

    Several get successive loopback addresses from `bind` on and the same port, as real nodes have; where the system has
    only one loopback address, or `bind` is not one, they get successive ports. Raises CannotStart when there are not
    enough ports.
    """
    if count == 1:
        return [NodeConfig("the node", bind, port, data)]
    if addresses := _loopback_addresses(bind, count):
        endpoints = [(address, port) for address in addresses]
    elif port + count - 1 > 65535:
        raise CannotStart(f"From port {port} on there are not {count} ports. Choose a lower one with --port.")
    else:
        # 0 stays 0: any free port
        endpoints = [(bind, port and port + index) for index in range(count)]
    names = (f"node-{number}" for number in range(1, count + 1))
    return [NodeConfig(name, *endpoint, data / name) for name, endpoint in zip(names, endpoints, strict=True)]


def _loopback_addresses(bind: str, count: int) -> list[str]:
    first = ipaddress.ip_address(bind)
    last = int(first) + count - 1
    if first.version == 6 or not first.is_loopback or not ipaddress.IPv4Address(last).is_loopback:
        return []
    addresses = [str(ipaddress.IPv4Address(number)) for number in range(int(first), last + 1)]
    return addresses if all(_can_bind(address) for address in addresses[1:]) else []


def _can_bind(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return False
    return True


def allow_open_files(count: int) -> None:
    """Raise the limit of open files for so many nodes; raises CannotStart when that is not allowed."""
    needed = FILES_OF_ALL + FILES_OF_A_NODE * count
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise CannotStart(
            f"{count} nodes need {needed} open files, but a process may have only {hard} here (ulimit -Hn). "
            f"Raise that limit, or lower --count."
        )
    wanted = needed + CONNECTIONS_OF_A_NODE * count
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def run_nodes(
    configs: Sequence[NodeConfig],
    make_node: Callable[[NodeConfig], Node],
    index: Path,
    control: tuple[str, int] | None = None,
) -> None:
    """Run the nodes until SIGTERM or SIGINT, and print a line once all of them answer.

    The file `index` lists several nodes while they run; `control` is the address and port of the control port. When one
    node cannot start, all stop: raises its NodeError or OSError, with the node's name when there are several.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    alone = len(configs) == 1
    servers: list[Server] = []
    running_control: Control | None = None
    with ExitStack() as held:
        for config in configs:
            with _named(config, alone=alone):
                held.enter_context(_locked(config.directory))
        if not alone:
            held.callback(_remove, index)
            _remove(index)  # killed nodes leave it behind, and scripts wait for the new one
        control_socket = None if control is None else held.enter_context(open_control_socket(*control))
        try:
            for config in configs:
                with _named(config, alone=alone):
                    servers.append(await _start(config, make_node))
                await asyncio.sleep(0)  # many nodes take seconds: a signal must be handled meanwhile
                if stopped.is_set():
                    return
            if not alone:
                _write_index(index, servers)
            sys.stdout.write(_ready_line(servers, index))
            if control_socket is not None:
                running_control = Control([server.node for server in servers], control_socket)
                await running_control.start()
                sys.stdout.write(f"faults and journal at http://{running_control.address}/_control/\n")
            sys.stdout.flush()
            await stopped.wait()
        finally:
            stops = [server.stop() for server in servers]
            await asyncio.gather(*([running_control.stop()] if running_control else []), *stops)


async def _start(config: NodeConfig, make_node: Callable[[NodeConfig], Node]) -> Server:
    listener = open_socket(config.bind, config.port)
    try:
        server = Server(make_node(config), listener)
        await server.start()
    except BaseException:
        listener.close()
        raise
    return server


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"{directory} cannot be used: {os.strerror(error.errno or 0).lower()}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = f"{directory} belongs to a node that is running. Choose another with --data."
            raise CannotStart(message) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _named(config: NodeConfig, *, alone: bool) -> Iterator[None]:
    try:
        yield
    except (NodeError, OSError) as error:
        if alone:
            raise
        raise CannotStart(f"{config.name} cannot start: {error}") from error


def _ready_line(servers: Sequence[Server], index: Path) -> str:
    first, last = servers[0], servers[-1]
    if len(servers) == 1:
        return f"reference node listening on https://{first.address} (data in {first.node.directory})\n"
    return (
        f"{len(servers)} reference nodes listening on https://{first.address} to https://{last.address} "
        f"(listed in {index})\n"
    )


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _write_index(path: Path, servers: Sequence[Server]) -> None:
    nodes = [
        {"address": server.address, "pid": os.getpid(), "journal": str(server.node.journal.path)} for server in servers
    ]
    write_private(path, json.dumps(nodes, indent=2).encode() + b"\n")
