"""Choose the addresses of the demo, and check that they are free."""

import errno
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from setup_wizard.project.demo.errors import CannotStartError

HOST = "127.0.0.1"
MAX_NODES = 100
MAX_PORT = 65535
STEP = 10


@dataclass(frozen=True, slots=True)
class Address:
    """One host and port of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the pages and of each reference node."""

    web: Address
    nodes: tuple[Address, ...]


def choose_addresses(environment: Mapping[str, str]) -> Addresses:
    """Read `DEMO_PORT`, `DEMO_NODE_PORT` and `DEMO_NODES`.

    Nodes share one port when the system has enough loopback addresses.

    Raises:
        CannotStartError: a variable is not a port, or not a number of nodes.
    """
    count = _number(environment, "DEMO_NODES", 3, MAX_NODES, "Choose")
    web = Address(HOST, _number(environment, "DEMO_PORT", 8000, MAX_PORT, "A port is"))
    # the nodes may need the next ports as well
    first = _number(environment, "DEMO_NODE_PORT", 9443, MAX_PORT + 1 - count, "A port is")
    hosts = [f"127.0.0.{number}" for number in range(2, count + 2)]
    if all(_is_free(Address(host, 0)) for host in hosts):
        return Addresses(web, tuple(Address(host, first) for host in hosts))
    return Addresses(web, tuple(Address(HOST, first + offset) for offset in range(count)))


def check_free(addresses: Addresses) -> None:
    """Check that every address is free.

    Raises:
        CannotStartError: one is taken; the message says how to choose another.
    """
    variables = {"DEMO_PORT": [addresses.web], "DEMO_NODE_PORT": list(addresses.nodes)}
    used = {address.port for wanted in variables.values() for address in wanted}
    for variable, wanted in variables.items():
        for address in wanted:
            if not _is_free(address) or [*addresses.nodes, addresses.web].count(address) > 1:
                other = _free_port([each.host for each in wanted], wanted[0].port, used)
                raise CannotStartError(
                    f"Port {address.port} of {address.host} is taken. Choose another: {variable}={other} make demo"
                )


def _number(environment: Mapping[str, str], variable: str, default: int, highest: int, hint: str) -> int:
    text = environment.get(variable, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= highest):
        raise CannotStartError(f'{variable} is "{text}". {hint} a number from 1 to {highest}.')
    return int(text)


def _free_port(hosts: Iterable[str], taken: int, used: set[int]) -> int:
    # several nodes on one host need consecutive ports
    names = list(hosts)
    spread = len(set(names)) < len(names)
    last = MAX_PORT + 1 - len(names)
    for first in range(taken + STEP, last, STEP):
        wanted = [Address(host, first + offset * spread) for offset, host in enumerate(names)]
        if not used & {address.port for address in wanted} and all(_is_free(address) for address in wanted):
            return first
    return taken + STEP if taken + STEP < last else taken - STEP


def _is_free(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # as uvicorn does: a connection that was just closed does not block the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.host, address.port))
        except PermissionError:
            raise CannotStartError(f"Port {address.port} needs root rights. Choose one above 1023.") from None
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                raise
            return False
        return True
