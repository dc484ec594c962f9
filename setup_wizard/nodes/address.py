"""The address of a node, as an operator types it: a host and a port, never a URL.

What `getaddrinfo` would read as a number in disguise ("2130706433", "0x7f.1", full-width digits) is refused here: the
guard judges the address that the connection will really use.

Reference: docs/failure-modes.md, N1 and N4.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from setup_wizard.nodes.errors import AddressInvalid

__all__ = ["DEFAULT_PORT", "Address", "AddressInvalid"]

DEFAULT_PORT: Final = 9443

_LONGEST: Final = 300
_EXAMPLES: Final = (
    'Type a host and, if it is not 9443, a port: "10.0.0.5", "node-1.example.com:9443" or "[fd00::5]:9443".'
)
_ADVICE: Final = {
    "/\\": "Leave out the slash and what follows it: only the host and the port are needed.",
    "@": "Leave out the user name and the @: the sign-in is asked for in a later step.",
    "?#": "Leave out the ? or # and what follows it: only the host and the port are needed.",
    "%": "Leave out the zone (% and what follows it): link-local addresses cannot be used here.",
    ",;": "Type one address only: each node gets a setup of its own.",
}
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:/")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node is to be found: a canonical IP address or a lower-case host name, and a port.

    `str(address)` is "host:port", an IPv6 address in brackets.
    """

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read what an operator typed; without a port it is 9443.

        Raises:
            AddressInvalid: it is anything but one host with one port; the message says what to type instead.
        """
        text = text.strip()
        _refuse_strangers(text)
        host, port = _split(text)
        return cls(_read_host(host), DEFAULT_PORT if port is None else _read_port(port))

    @property
    def is_literal(self) -> bool:
        """Tell whether the host is an IP address, so that nothing has to be looked up."""
        return ":" in self.host or _NUMBER.fullmatch(self.host.rpartition(".")[2]) is not None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _refuse_strangers(text: str) -> None:
    """Refuse everything that is no part of a host and a port, with the advice that fits."""
    if not text:
        raise AddressInvalid(_EXAMPLES)
    if len(text) > _LONGEST:
        raise AddressInvalid(f"That is too long for an address. {_EXAMPLES}")
    if _URL.match(text):
        raise AddressInvalid(_advise_on_url(text))
    for strangers, advice in _ADVICE.items():
        if any(character in text for character in strangers):
            raise AddressInvalid(advice)
    if not text.isascii():
        raise AddressInvalid(
            "Use plain ASCII letters, digits and dots. An international name is typed in its xn-- form."
        )
    if not text.isprintable() or " " in text:
        raise AddressInvalid("There is a blank or an invisible character inside. Type one address, without blanks.")


def _advise_on_url(text: str) -> str:
    scheme, _, rest = text.partition(":")
    rest = rest.lstrip("/")
    bare = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    excess = f"{scheme.lower()}://" + (" and the path" if re.search(r"[/?#]", rest) else "")
    try:
        address = Address.parse(bare)
    except AddressInvalid:
        return f"Leave out {excess}. {_EXAMPLES}"
    return f"Leave out {excess}: type {address}"


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressInvalid('Write an IPv6 address with a port in brackets: "[fd00::5]:9443".')
        if ":" not in host:
            raise AddressInvalid("Brackets are for IPv6 addresses only. Leave them out.")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _read_port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise AddressInvalid("The port, after the colon, is a number from 1 to 65535; without one it is 9443.")
    return int(text)


def _read_host(text: str) -> str:
    if ":" in text:
        try:
            return str(IPv6Address(text))
        except AddressValueError:
            raise AddressInvalid(
                'That is no IPv6 address. With a port it is written in brackets: "[fd00::5]:9443".'
            ) from None
    name = text.removesuffix(".").lower()
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        return _read_name(name)


def _read_name(name: str) -> str:
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # inet_aton reads these as addresses ("127.1", "0x7f.1", "2130706433"), so no name may look like one
        raise AddressInvalid("An IPv4 address is written as four numbers from 0 to 255, like 10.0.0.5.")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressInvalid(
            "A host name has letters, digits and hyphens between its dots, like node-1.example.com; "
            "a node without such a name is reached by its IP address."
        )
    return name
