"""Which addresses this server may talk to: the only place where a host becomes an IP address.

A name is resolved once, every answer is checked, and the connection goes to the address that was checked. What is
hidden inside an IPv6 address (mapped, NAT64, 6to4, Teredo) is unwrapped and must be allowed as well.

Reference: docs/failure-modes.md, N2 to N5.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import AddressForbidden, NodeUnreachable, translated
from setup_wizard.nodes.limits import DNS_SECONDS
from setup_wizard.nodes.listeners import listeners

__all__ = ["AddressForbidden", "Endpoint", "Policy", "current_policy", "look_up", "resolve"]

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

DENIED: Final[tuple[tuple[IPNetwork, str], ...]] = tuple(
    (ip_network(network), meaning)
    for network, meaning in (
        ("0.0.0.0/8", "the unspecified network"),
        ("169.254.0.0/16", "link-local, where cloud metadata services live"),
        ("100.100.100.200/32", "a cloud metadata service"),
        ("168.63.129.16/32", "a cloud metadata service"),
        ("192.0.0.192/32", "a cloud metadata service"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("::/128", "the unspecified address"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        ("fd00:ec2::/32", "a cloud metadata service"),
        ("fd20:ce::254/128", "a cloud metadata service"),
        ("64:ff9b:1::/48", "local address translation, which hides the real address"),
    )
)
"""Never allowed, whatever the settings say; loopback is judged apart."""

_LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be reached: networks and ports, loopback or not, and never our own database, broker and pages.

    `own_listeners` holds host and port as they stand in the settings; the hosts may be names.
    """

    networks: tuple[IPNetwork, ...] = ()
    ports: frozenset[int] = frozenset()
    allow_loopback: bool = False
    own_listeners: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's address with the one IP address that was checked: connections go there and nowhere else."""

    address: Address
    ip: str
    port: int

    @property
    def key(self) -> str:
        """The node's identity for locks and approvals: "10.0.0.5:9443", "[fd00::5]:9443"."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


Lookup = Callable[[str], Iterable[str]]


def current_policy() -> Policy:
    """Read the policy from Django's settings.

    Raises:
        ImproperlyConfigured: a network is no CIDR (the system check says so at the start).
    """
    try:
        networks = tuple(map(ip_network, settings.SETUP_WIZARD_ALLOWED_NETWORKS))
    except ValueError as error:
        raise ImproperlyConfigured(f"SETUP_WIZARD_ALLOWED_NETWORKS: {error}") from error
    pages = f"http://{settings.SETUP_WIZARD_WEB_ADDRESS}"
    return Policy(
        networks=networks,
        ports=frozenset(settings.SETUP_WIZARD_ALLOWED_PORTS),
        allow_loopback=settings.SETUP_WIZARD_ALLOW_LOOPBACK,
        own_listeners=listeners(settings.DATABASE_URL) | listeners(settings.REDIS_URL) | listeners(pages),
    )


def resolve(
    address: Address,
    policy: Policy | None = None,
    *,
    known: str = "",
    lookup: Lookup | None = None,
    seconds: float = DNS_SECONDS,
) -> Endpoint:
    """Find the IP address to connect to, and make sure that this server may.

    A name may have several, in another order each time: `known` is taken when it is among them, else the first.

    Raises:
        AddressForbidden: one of the address's answers, or its port, is not allowed; nothing was sent there.
        NodeUnreachable: phase "dns": the name is not known, or not within `seconds`.
    """
    policy = policy or current_policy()
    if address.port not in policy.ports:
        raise AddressForbidden(
            f"Port {address.port} is not allowed: this server may only reach port {_list_ports(policy.ports)}. "
            "An administrator can allow more with SETUP_WIZARD_ALLOWED_PORTS."
        )
    found = [_canonical(ip) for ip in _look_up(address, lookup or look_up, seconds)]
    if not found:
        raise NodeUnreachable("dns", "the name has no address")
    for ip in found:
        if reason := _forbid(ip, address.port, policy):
            raise AddressForbidden(_explain(address, ip, reason))
    ips = [str(ip) for ip in found]
    return Endpoint(address, known if known in ips else ips[0], address.port)


def look_up(host: str) -> list[str]:
    """Ask the system's resolver for every address of a name; takes as long as that takes."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _look_up(address: Address, lookup: Lookup, seconds: float) -> list[IPAddress]:
    if address.is_literal:
        return [ip_address(address.host)]
    return _ask(address.host, lookup, seconds)


def _ask(host: str, lookup: Lookup, seconds: float) -> list[IPAddress]:
    answers: SimpleQueue[list[IPAddress] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put([ip_address(answer) for answer in lookup(host)])
        except Exception as error:  # noqa: BLE001 - it crosses to the waiting thread and is raised there
            answers.put(error)

    # the resolver has no time limit of its own, and a thread that waits for it must not hold up the process's end
    Thread(target=ask, name="lookup", daemon=True).start()
    with translated("dns"):
        try:
            answer = answers.get(timeout=seconds)
        except Empty:
            raise NodeUnreachable("dns", f"the name service did not answer within {seconds:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _canonical(ip: IPAddress) -> IPAddress:
    """Unwrap IPv4 in IPv6 clothes: the connection would go over IPv4 in any case."""
    return (isinstance(ip, IPv6Address) and ip.ipv4_mapped) or ip


def _faces(ip: IPAddress) -> Iterator[IPAddress]:
    """Give the address and every IPv4 address that a gateway would find inside it."""
    yield ip
    if isinstance(ip, IPv4Address):
        return
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 0xFFFF):
        yield IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo


def _forbid(ip: IPAddress, port: int, policy: Policy) -> str:
    """Say why the address may not be reached; empty when it may."""
    faces = list(_faces(ip))
    for face in faces:
        if isinstance(face, IPv6Address) and face.scope_id:
            return "it is link-local"
        for network, meaning in DENIED:
            if face in network:
                return f"it is {meaning}"
    if _is_own_listener(ip, port, policy.own_listeners):
        return "it is the database, the queue or the pages of this server"
    if ip in _LOOPBACK[0] or ip in _LOOPBACK[1]:
        return "" if policy.allow_loopback else "it is this server itself"
    for face in faces:
        if any(face in network for network in _LOOPBACK):
            return "it leads back to this server itself"
        if not any(face in network for network in policy.networks):
            return "it is outside the networks in SETUP_WIZARD_ALLOWED_NETWORKS"
    return ""


def _is_own_listener(ip: IPAddress, port: int, listeners: frozenset[tuple[str, int]]) -> bool:
    hosts = [host for host, own_port in listeners if own_port == port]
    if not hosts:
        return False
    own: set[IPAddress] = set()
    for host in hosts:
        try:
            own.update(map(_canonical, _ask(host, look_up, DNS_SECONDS)))
        except NodeUnreachable:
            continue  # a name that leads nowhere cannot lead to the node
    return ip in own or (_is_here(ip) and any(map(_is_here, own)))


def _is_here(ip: IPAddress) -> bool:
    """Tell whether the address belongs to this machine: only then can a socket be bound to it."""
    with socket.socket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError:
            return False
    return True


def _explain(address: Address, ip: IPAddress, reason: str) -> str:
    subject = address.host if address.is_literal else f"{address.host} ({ip})"
    return f"{subject} is not allowed: {reason}."


def _list_ports(ports: frozenset[int]) -> str:
    listed = sorted(ports)
    if not listed:
        return "none"
    if len(listed) > 8:
        return f"{listed[0]} and {len(listed) - 1} others up to {listed[-1]}"
    return ", ".join(map(str, listed))
