"""The nodes of one process: where each has its place, and the life that they share."""

import asyncio
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
from setup_wizard.reference_node.errors import CannotListen, NodeError
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import Server, locked, open_socket

INDEX = "nodes.json"
# of each node a listener, a journal and the locks of its two directories; of the process itself; and for connections
FILES_OF_A_NODE, FILES_OF_ALL, CONNECTIONS_OF_A_NODE = 4, 64, 8


@dataclass(frozen=True)
class Place:
    """Where one node listens (port 0: any that is free) and keeps its files."""

    name: str
    bind: str
    port: int
    directory: Path


def plan_places(bind: str, port: int, count: int, data: Path) -> list[Place]:
    """Give each of `count` nodes a place; one alone has `data` itself, several have `data`/node-1 and so on.

    Several get successive loopback addresses from `bind` on, so that all have one port, as real nodes do; where the
    system has no more than one address there, or `bind` is none of loopback, they get successive ports.

    Raises CannotListen when there are not so many ports.
    """
    if count == 1:
        return [Place("the node", bind, port, data)]
    names = [f"node-{number}" for number in range(1, count + 1)]
    if addresses := _loopback_addresses(bind, count):
        ends = [(address, port) for address in addresses]
    elif port + count - 1 > 65535:
        raise CannotListen(f"From port {port} on there are not {count} ports. Choose a lower one with --port.")
    else:
        ends = [(bind, port and port + index) for index in range(count)]
    return [Place(name, *end, data / name) for name, end in zip(names, ends, strict=True)]


def allow_open_files(count: int) -> None:
    """Raise the limit of open files as far as so many nodes need it; raises CannotListen when it may not be."""
    needed = FILES_OF_ALL + FILES_OF_A_NODE * count
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise CannotListen(
            f"{count} nodes need {needed} open files, but a process may have only {hard} here (ulimit -Hn). "
            f"Raise that limit, or lower --count."
        )
    wanted = needed + CONNECTIONS_OF_A_NODE * count
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


async def host(
    places: Sequence[Place],
    make_node: Callable[[Place], Node],
    index: Path,
    control: tuple[str, int] | None = None,
) -> None:
    """Let a node answer at each place until SIGTERM or SIGINT; say so on standard output once all of them do.

    Several are listed in the file `index` while they run. `control` is the address and the port on which their faults
    can be changed meanwhile. When one cannot start, none stays: raises its NodeError or
    OSError, with the node's name before it when there are several.
    """
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    alone = len(places) == 1
    servers: list[Server] = []
    controls: list[Control] = []
    with ExitStack() as held:
        for place in places:
            with _named(place, alone=alone):
                held.enter_context(locked(place.directory))
        if not alone:
            held.callback(_forget_index, index)
            _forget_index(index)  # of nodes that were killed: whoever waits for it waits for these
        control_socket = None if control is None else held.enter_context(open_control_socket(*control))
        try:
            for place in places:
                with _named(place, alone=alone):
                    servers.append(await _open(place, make_node))
                await asyncio.sleep(0)  # many take seconds, and a signal is heard in between
                if told_to_stop.is_set():
                    return
            if not alone:
                _write_index(index, servers)
            sys.stdout.write(_ready_line(servers, index))
            if control_socket is not None:
                controls.append(Control([server.node for server in servers], control_socket))
                await controls[0].start()
                sys.stdout.write(f"faults and journal at http://{controls[0].address}/_control/\n")
            sys.stdout.flush()
            await told_to_stop.wait()
        finally:
            await asyncio.gather(*(control.stop() for control in controls), *(server.stop() for server in servers))


async def _open(place: Place, make_node: Callable[[Place], Node]) -> Server:
    listener = open_socket(place.bind, place.port)
    try:
        server = Server(make_node(place), listener)
        await server.start()
    except BaseException:
        listener.close()
        raise
    return server


def _loopback_addresses(bind: str, count: int) -> list[str]:
    """List so many successive addresses, when they are loopback's and the system has them; empty otherwise."""
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


@contextmanager
def _named(place: Place, *, alone: bool) -> Iterator[None]:
    try:
        yield
    except (NodeError, OSError) as error:
        if alone:
            raise
        raise CannotListen(f"{place.name} cannot start: {error}") from error


def _ready_line(servers: Sequence[Server], index: Path) -> str:
    first, last = servers[0], servers[-1]
    if len(servers) == 1:
        return f"reference node listening on https://{first.address} (data in {first.node.directory})\n"
    return (
        f"{len(servers)} reference nodes listening on https://{first.address} to https://{last.address} "
        f"(listed in {index})\n"
    )


def _write_index(path: Path, servers: Sequence[Server]) -> None:
    """List the nodes for scripts, in the form of the demo's list."""
    nodes = [
        {"address": server.address, "pid": os.getpid(), "journal": str(server.node.journal.path)} for server in servers
    ]
    write_private(path, json.dumps(nodes, indent=2).encode() + b"\n")


def _forget_index(path: Path) -> None:
    path.unlink(missing_ok=True)
