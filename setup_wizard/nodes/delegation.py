"""Look up to which name servers a cluster's name is delegated.

Reference: https://redis.io/docs/latest/operate/rs/networking/cluster-dns/
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings

LOOKUP_SECONDS: Final = 5.0


class Delegation(Enum):
    """What a look-up found.

    `SILENT`: there is a delegation, but the servers that it names do not answer. `UNKNOWN`: no DNS server answered.
    """

    NAMED = auto()
    NONE = auto()
    SILENT = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class FoundNameServers:
    """The result of a look-up: absolute names in lower case when there are some, otherwise the reason for people."""

    delegation: Delegation
    names: frozenset[str] = frozenset()
    reason: str = ""


def zone_of(name: str) -> str:
    """Write a cluster's name as the name of its zone."""
    return f"{name.rstrip('.').lower()}."


def find_name_servers(name: str) -> FoundNameServers:
    """Look up the name servers of a cluster's name; takes 5 s at most."""
    zone = zone_of(name)
    try:
        answer = _resolver().resolve(zone, "NS", search=False, lifetime=LOOKUP_SECONDS)
    except dns.resolver.NXDOMAIN:
        return FoundNameServers(Delegation.NONE, reason="The name does not exist.")
    except dns.resolver.NoAnswer as referral:
        if names := _referred(zone, referral):
            return FoundNameServers(Delegation.NAMED, names)
        return FoundNameServers(Delegation.NONE, reason="The name has no NS records.")
    except dns.resolver.NoNameservers:
        return FoundNameServers(Delegation.SILENT, reason="The name servers of the name do not answer.")
    except dns.exception.Timeout:
        reason = f"No DNS server answered within {LOOKUP_SECONDS:g} s."
        return FoundNameServers(Delegation.UNKNOWN, reason=reason)
    except dns.exception.DNSException as problem:
        return FoundNameServers(Delegation.UNKNOWN, reason=f"The look-up failed: {type(problem).__name__}.")
    return FoundNameServers(Delegation.NAMED, frozenset(str(record.target).lower() for record in answer))


def _referred(zone: str, referral: dns.resolver.NoAnswer) -> frozenset[str]:
    """Give the name servers that a server of the zone above names without asking them."""
    response: dns.message.Message = referral.response()  # type: ignore[no-untyped-call]
    return frozenset(
        str(record.target).lower()
        for rrset in response.authority
        if rrset.rdtype == dns.rdatatype.NS and rrset.name == dns.name.from_text(zone)
        for record in rrset
    )


def _resolver() -> dns.resolver.Resolver:
    if not settings.SETUP_WIZARD_RESOLVER:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    text = settings.SETUP_WIZARD_RESOLVER
    has_port = text.count(":") == 1 or "]:" in text
    host, port = text.rsplit(":", 1) if has_port else (text, "53")
    resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
    return resolver
