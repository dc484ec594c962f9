"""Which addresses this server may connect to: the only place where a host becomes an IP address.

A name is resolved once, every answer is checked, and the connection goes to the address that was checked. An IPv4
address inside an IPv6 address (mapped, NAT64, 6to4, Teredo) must be allowed as well.
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

__all__ = ["AddressForbidden", "Endpoint", "Policy", "current_policy", "look_up", "policy_of", "resolve"]

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

DENIED: Final[tuple[tuple[IPNetwork, str], ...]] = tuple(
    (ip_network(network), meaning)
    for network, meaning in (
        ("0.0.0.0/8", "the unspecified network"),
        ("169.254.0.0/16", "link-local, used by cloud metadata services"),
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
        ("64:ff9b:1::/48", "local address translation (NAT64), which hides the real address"),
    )
)
"""Never allowed, whatever the settings; loopback has its own setting."""

_LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Policy:
    """The allowed networks and ports, and the host and port of our own services, which are never allowed.

    Hosts in `own_listeners` are as in the settings and may be names. With `ports` None every port is allowed.
    `networks_setting` is the setting that messages name.
    """

    networks: tuple[IPNetwork, ...] = ()
    ports: frozenset[int] | None = frozenset()
    allow_loopback: bool = False
    own_listeners: frozenset[tuple[str, int]] = frozenset()
    networks_setting: str = "SETUP_WIZARD_ALLOWED_NETWORKS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's address with the one IP address that was checked: connections go only there."""

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
        ImproperlyConfigured: a network is invalid (the system check reports it at start).
    """
    return policy_of("SETUP_WIZARD_ALLOWED_NETWORKS", frozenset(settings.SETUP_WIZARD_ALLOWED_PORTS))


def policy_of(networks_setting: str, ports: frozenset[int] | None) -> Policy:
    """Read a policy whose networks are in the setting of this name. Raises as `current_policy`."""
    try:
        networks = tuple(map(ip_network, getattr(settings, networks_setting)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{networks_setting}: {error}") from error
    pages = f"http://{settings.SETUP_WIZARD_WEB_ADDRESS}"
    return Policy(
        networks=networks,
        ports=ports,
        allow_loopback=settings.SETUP_WIZARD_ALLOW_LOOPBACK,
        own_listeners=listeners(settings.DATABASE_URL) | listeners(settings.REDIS_URL) | listeners(pages),
        networks_setting=networks_setting,
    )


def resolve(
    address: Address,
    policy: Policy | None = None,
    *,
    preferred: str = "",
    lookup: Lookup | None = None,
    seconds: float = DNS_SECONDS,
) -> Endpoint:
    """Find the IP address to connect to, and check that it is allowed.

    A name may have several, in varying order: `preferred` is used when it is among them, otherwise the first.

    Raises:
        AddressForbidden: one of the IP addresses, or the port, is not allowed; nothing was sent.
        NodeUnreachable: phase "dns": the name could not be resolved within `seconds`.
    """
    policy = policy or current_policy()
    if policy.ports is not None and address.port not in policy.ports:
        raise AddressForbidden(
            f"Port {address.port} is not allowed. Allowed: {_list_ports(policy.ports)}. "
            "An administrator can change SETUP_WIZARD_ALLOWED_PORTS."
        )
    found = [_canonical(ip) for ip in _addresses_of(address, lookup or look_up, seconds)]
    if not found:
        raise NodeUnreachable("dns", "it has no IP address")
    for ip in found:
        if reason := _why_forbidden(ip, address.port, policy):
            raise AddressForbidden(_explain(address, ip, reason))
    ips = [str(ip) for ip in found]
    return Endpoint(address, preferred if preferred in ips else ips[0], address.port)


def look_up(host: str) -> list[str]:
    """Resolve a name to all its addresses; this has no timeout."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _addresses_of(address: Address, lookup: Lookup, seconds: float) -> list[IPAddress]:
    if address.is_literal:
        return [ip_address(address.host)]
    return _resolve_in_thread(address.host, lookup, seconds)


def _resolve_in_thread(host: str, lookup: Lookup, seconds: float) -> list[IPAddress]:
    answers: SimpleQueue[list[IPAddress] | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answers.put([ip_address(answer) for answer in lookup(host)])
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            answers.put(error)

    # the resolver has no timeout; the thread is a daemon so that it cannot delay the end of the process
    Thread(target=run, name="lookup", daemon=True).start()
    with translated("dns"):
        try:
            answer = answers.get(timeout=seconds)
        except Empty:
            raise NodeUnreachable("dns", f"DNS did not answer within {seconds:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _canonical(ip: IPAddress) -> IPAddress:
    """Unwrap an IPv4-mapped address: the connection would use IPv4 anyway."""
    return (isinstance(ip, IPv6Address) and ip.ipv4_mapped) or ip


def _with_embedded(ip: IPAddress) -> Iterator[IPAddress]:
    """Return the address and every IPv4 address embedded in it."""
    yield ip
    if isinstance(ip, IPv4Address):
        return
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 0xFFFF):
        yield IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo


def _why_forbidden(ip: IPAddress, port: int, policy: Policy) -> str:
    """Say why the address is not allowed; empty when it is."""
    candidates = list(_with_embedded(ip))
    for each in candidates:
        if isinstance(each, IPv6Address) and each.scope_id:
            return "it is link-local"
        for network, meaning in DENIED:
            if each in network:
                return f"it is {meaning}"
    if _is_own_listener(ip, port, policy.own_listeners):
        return "it is this server's own database, queue or web address"
    if ip in _LOOPBACK[0] or ip in _LOOPBACK[1]:
        return "" if policy.allow_loopback else "it is a loopback address"
    for each in candidates:
        if any(each in network for network in _LOOPBACK):
            return "it contains a loopback address"
        if not any(each in network for network in policy.networks):
            return f"it is outside the networks in {policy.networks_setting}"
    return ""


def _is_own_listener(ip: IPAddress, port: int, own_listeners: frozenset[tuple[str, int]]) -> bool:
    hosts = [host for host, own_port in own_listeners if own_port == port]
    if not hosts:
        return False
    own: set[IPAddress] = set()
    for host in hosts:
        try:
            own.update(map(_canonical, _resolve_in_thread(host, look_up, DNS_SECONDS)))
        except NodeUnreachable:
            continue  # a name that does not resolve cannot be the node
    return ip in own or (_is_local(ip) and any(map(_is_local, own)))


def _is_local(ip: IPAddress) -> bool:
    """Tell whether the address belongs to this machine: only then can a socket bind to it."""
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
