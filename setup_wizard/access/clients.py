"""From where a request comes, as far as that can be believed.

`X-Forwarded-For` counts only when the connection comes from one of SETUP_WIZARD_TRUSTED_PROXIES, and then as far back
as the last address that none of them added: what stands before it was sent by whoever asks.

Reference: docs/failure-modes.md, W3.
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
def known(request: HttpRequest) -> Iterator[None]:
    """Let everything that is done for the request know where it comes from."""
    token = _current.set(address_of(request))
    try:
        yield
    finally:
        _current.reset(token)


def current_address() -> str | None:
    """Give the address that the work at hand is done for; None outside a request."""
    return _current.get() or None


def address_of(request: HttpRequest) -> str:
    """Give the client's address; "" when there is none, as on a unix socket."""
    peer = _parse(str(request.META.get("REMOTE_ADDR", "")))
    if peer is None:
        return ""
    hops = [_parse(hop) for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    while hops and _is_trusted(peer):
        nearest = hops.pop()
        if nearest is None:  # no proxy of ours writes that
            break
        peer = nearest
    return str(peer)


def network_of(address: str) -> str:
    """Give what one customer usually has: a single IPv4 address, 64 bits of IPv6; "" when there is no address."""
    found = _parse(address)
    if found is None:
        return ""
    return str(ip_network((found, 64 if isinstance(found, IPv6Address) else 32), strict=False))


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.SETUP_WIZARD_TRUSTED_PROXIES)))


@lru_cache
def _networks(words: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, words))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
