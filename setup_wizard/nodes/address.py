"""The address of a node as an operator enters it: host and port, not a URL.

Numbers that `getaddrinfo` would read as an IP address ("2130706433", "0x7f.1", full-width digits) are rejected, so that
the guard checks the address that the connection will use.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from setup_wizard.nodes.errors import AddressInvalid

__all__ = ["DEFAULT_PORT", "Address", "AddressInvalid"]

DEFAULT_PORT: Final = 9443

_MAX_LENGTH: Final = 300
_EXAMPLES: Final = (
    'Enter a host, with a port if it is not 9443: "10.0.0.5", "node-1.example.com:9443" or "[fd00::5]:9443".'
)
_ADVICE: Final = {
    "/\\": "Remove the slash and everything after it: only host and port are needed.",
    "@": "Remove the user name and the @: credentials come in a later step.",
    "?#": "Remove the ? or # and everything after it: only host and port are needed.",
    "%": "Remove the zone (% and everything after it): link-local addresses cannot be used.",
    ",;": "Enter one address only: each node has its own setup.",
}
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:/")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to reach a node: a canonical IP address or a lower-case host name, and a port.

    `str(address)` is "host:port", an IPv6 address in brackets.
    """

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read what an operator entered; the default port is 9443.

        Raises:
            AddressInvalid: it is not one host with one port; the message says what to enter instead.
        """
        text = text.strip()
        _reject_other_characters(text)
        host, port = _split(text)
        return cls(_read_host(host), DEFAULT_PORT if port is None else _read_port(port))

    @property
    def is_literal(self) -> bool:
        """Tell whether the host is an IP address, so that no DNS lookup is needed."""
        return ":" in self.host or _NUMBER.fullmatch(self.host.rpartition(".")[2]) is not None

    @property
    def on_the_node(self) -> str:
        """The address for a command that runs on the node itself."""
        return str(self) if self.host.startswith("127.") else f"localhost:{self.port}"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _reject_other_characters(text: str) -> None:
    """Reject characters that are not part of a host and a port, with advice for each."""
    if not text:
        raise AddressInvalid(_EXAMPLES)
    if len(text) > _MAX_LENGTH:
        raise AddressInvalid(f"This is too long for an address. {_EXAMPLES}")
    if _URL.match(text):
        raise AddressInvalid(_advise_on_url(text))
    for characters, advice in _ADVICE.items():
        if any(character in text for character in characters):
            raise AddressInvalid(advice)
    if not text.isascii():
        raise AddressInvalid(
            "Use ASCII letters, digits, hyphens and dots. Enter an international name in its xn-- form."
        )
    if not text.isprintable() or " " in text:
        raise AddressInvalid("Remove the space or invisible character inside the address.")


def _advise_on_url(text: str) -> str:
    scheme, _, rest = text.partition(":")
    rest = rest.lstrip("/")
    bare = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    excess = f"{scheme.lower()}://" + (" and the path" if re.search(r"[/?#]", rest) else "")
    try:
        address = Address.parse(bare)
    except AddressInvalid:
        return f"Remove {excess}. {_EXAMPLES}"
    return f"Remove {excess}: enter {address}"


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressInvalid('Put an IPv6 address with a port in brackets: "[fd00::5]:9443".')
        if ":" not in host:
            raise AddressInvalid("Remove the brackets: they are for IPv6 addresses only.")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _read_port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise AddressInvalid("The port after the colon must be a number from 1 to 65535. Without a port, 9443 is used.")
    return int(text)


def _read_host(text: str) -> str:
    if ":" in text:
        try:
            return str(IPv6Address(text))
        except AddressValueError:
            raise AddressInvalid(
                'This is not an IPv6 address. With a port, put it in brackets: "[fd00::5]:9443".'
            ) from None
    name = text.removesuffix(".").lower()
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        return _read_name(name)


def _read_name(name: str) -> str:
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # inet_aton reads "127.1", "0x7f.1" and "2130706433" as addresses, so no name may look like one
        raise AddressInvalid("An IPv4 address has four numbers from 0 to 255, like 10.0.0.5.")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressInvalid(
            "A host name has letters, digits and hyphens between its dots, like node-1.example.com. "
            "Otherwise use the IP address."
        )
    return name
