"""The address that a request comes from, as far as it can be trusted.

`X-Forwarded-For` counts only when the connection comes from one of SETUP_WIZARD_TRUSTED_PROXIES, and only back to the
last address that is not one of them: anything before it may have been sent by the client itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_current: ContextVar[str | None] = ContextVar("client_address", default=None)


@contextmanager
def bound(request: HttpRequest) -> Iterator[None]:
    """Make the address available to everything that runs for the request."""
    token = _current.set(of_request(request))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str | None:
    """Return the address of the current request; None outside a request."""
    return _current.get() or None


def of_request(request: HttpRequest) -> str:
    """Return the client's address; "" when there is none, as on a unix socket."""
    peer = _parse(str(request.META.get("REMOTE_ADDR", "")))
    if peer is None:
        return ""
    hops = [_parse(hop) for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    while hops and _is_trusted(peer):
        nearest = hops.pop()
        if nearest is None:  # not written by a trusted proxy
            break
        peer = nearest
    return str(peer)


def network_of(address: str) -> str:
    """Return the network to count one client by: an IPv4 address, or the /64 of an IPv6 address; "" without one."""
    found = _parse(address)
    if found is None:
        return ""
    return str(ip_network((found, 64 if isinstance(found, IPv6Address) else 32), strict=False))


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.SETUP_WIZARD_TRUSTED_PROXIES)))


@lru_cache
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, texts))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
