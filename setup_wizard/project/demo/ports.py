"""Find addresses that are free, and say how to move when they are not."""

import errno
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from setup_wizard.project.demo.errors import CannotStartError

HOST = "127.0.0.1"
NODE_HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
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
    """Where the demo listens: the pages, and each reference node."""

    web: Address
    nodes: tuple[Address, ...]


def choose_addresses(environment: Mapping[str, str]) -> Addresses:
    """Read `DEMO_PORT` and `DEMO_NODE_PORT`; nodes share a port where the system has enough loopback addresses.

    Raises:
        CannotStartError: a variable is not a port.
    """
    web = Address(HOST, _port(environment, "DEMO_PORT", 8000))
    first = _port(environment, "DEMO_NODE_PORT", 9443)
    if all(_is_free(Address(host, 0)) for host in NODE_HOSTS):
        return Addresses(web, tuple(Address(host, first) for host in NODE_HOSTS))
    return Addresses(web, tuple(Address(HOST, first + place) for place in range(len(NODE_HOSTS))))


def claim_addresses(addresses: Addresses) -> None:
    """Make sure that every address is free, before anything starts.

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


def _port(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, "").strip() or str(default)
    # the nodes may need the two ports after theirs
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65533):
        raise CannotStartError(f'{variable} is "{text}". A port is a number from 1 to 65533.')
    return int(text)


def _free_port(hosts: Iterable[str], taken: int, used: set[int]) -> int:
    # places: hosts that are all one address need as many ports after the first
    names = list(hosts)
    spread = len(set(names)) < len(names)
    for first in range(taken + STEP, 65533, STEP):
        wanted = [Address(host, first + place * spread) for place, host in enumerate(names)]
        if not used & {address.port for address in wanted} and all(_is_free(address) for address in wanted):
            return first
    return taken + STEP if taken + STEP < 65533 else taken - STEP


def _is_free(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # what uvicorn does too: a connection that was closed a moment ago does not hold the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.host, address.port))
        except PermissionError:
            raise CannotStartError(
                f"Port {address.port} needs more rights than you have. Choose one above 1023."
            ) from None
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                raise
            return False
        return True
