"""One check for each field of a request: it returns the cleaned value, or says what is wrong and how to fix it.

Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from setup_wizard.bootstrap.text import clean, has_controls, is_encodable, trim

MAX_CLUSTER_NAME: Final = 64
MAX_RACK_ID: Final = 63
MAX_USERNAME: Final = 254
MAX_PASSWORD: Final = 4096
MAX_PATH: Final = 4096
MAX_FILE_NAME: Final = 255
MAX_HOST: Final = 253
MAX_LICENSE: Final = 65_536
LICENSE_START: Final = "----- LICENSE START -----"
LICENSE_END: Final = "----- LICENSE END -----"

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_RACK_ID = re.compile(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_PORT_AT_END = re.compile(r"(?P<host>[^:\s]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")


class RuleError(ValueError):
    """A value that a field does not accept; the message is for the person who typed it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def check_cluster_name(text: str) -> str:
    """Give a fully qualified name of at most 64 characters, without a final dot.

    Raises:
        RuleError: empty, too long, an address, a single label, or an invalid label.

    Reference: RFC 952, RFC 1123 section 2.1
    """
    name = trim(text).removesuffix(".")
    if not name:
        raise RuleError("Enter a full cluster name, such as redis-prod.example.com.")
    if len(name) > MAX_CLUSTER_NAME:
        raise RuleError(f"This name has {len(name)} characters. A cluster name can have at most {MAX_CLUSTER_NAME}.")
    if _is_address(name):
        raise RuleError(f"{name} is an address. Enter a name, such as redis-prod.example.com.")
    _check_labels(name)
    if "." not in name:
        raise RuleError(f"{name} has no domain. Enter a full name, such as {name}.example.com.")
    if name.rpartition(".")[2].isdigit():
        raise RuleError(f"{name} ends in a number, like an address. The last part of a full name needs a letter.")
    return name


def check_existing_cluster_name(text: str) -> str:
    """Give the name of an existing cluster, which may be a single label, without a final dot.

    Raises:
        RuleError: empty, over 255 characters, or with invisible characters.
    """
    name = trim(text).removesuffix(".")
    if not name:
        raise RuleError("Enter the name of the cluster, such as redis-prod.example.com.")
    return check_text(name)


def check_rack_id(text: str) -> str:
    """Give a rack ID of at most 63 characters; its case is kept but does not count.

    Raises:
        RuleError: empty, too long, or with other characters than letters, digits, hyphens and underscores.
    """
    rack = trim(text)
    if not rack:
        raise RuleError("Enter a rack ID, such as rack-a.")
    if len(rack) > MAX_RACK_ID:
        raise RuleError(f"This rack ID has {len(rack)} characters. It can have at most {MAX_RACK_ID}.")
    if not rack[0].isascii() or not rack[0].isalpha():
        raise RuleError(f"A rack ID starts with a letter, such as rack-a. This one starts with {_quote(rack[0])}.")
    if not _RACK_ID.fullmatch(rack):
        if wrong := _invalid_characters(rack, "-_"):
            raise RuleError(f"A rack ID can have only letters, digits, hyphens and underscores. This one has {wrong}.")
        raise RuleError(f"A rack ID ends with a letter or a digit. This one ends with {_quote(rack[-1])}.")
    return rack


def check_username(text: str) -> str:
    """Give the name of a cluster account, usually an e-mail address.

    Raises:
        RuleError: empty, too long, or with a character that accounts or HTTP authentication do not support.
    """
    name = trim(text)
    if not name:
        raise RuleError("Enter the user name, such as admin@example.com.")
    if len(name) > MAX_USERNAME:
        raise RuleError(f"This user name has {len(name)} characters. It can have at most {MAX_USERNAME}.")
    if wrong := "".join(dict.fromkeys(character for character in name if character in '&<>"')):
        raise RuleError(f'A user name cannot have & < > or ". This one has {" ".join(wrong)}.')
    if ":" in name:
        # RFC 7617: a colon ends the name, so the node would refuse the first request after the bootstrap
        raise RuleError("A user name cannot have a colon. HTTP authentication does not support it.")
    _check_visible(name, "A user name")
    return name


def check_password(text: str) -> str:
    """Give the password exactly as it was typed: the cluster decides what it accepts.

    Raises:
        RuleError: empty, over 4,096 characters, with a NUL character, or not encodable as UTF-8.
    """
    if not text:
        raise RuleError("Enter the password.")
    if len(text) > MAX_PASSWORD:
        raise RuleError(f"This password has {len(text)} characters. It can have at most {MAX_PASSWORD}.")
    return check_sendable(text)


def check_path(text: str) -> str:
    """Give an absolute path on the node, without slashes and spaces at the end.

    Raises:
        RuleError: empty, relative, with . or .., with invisible characters, or too long.
    """
    path = trim(text)
    if not path:
        raise RuleError("Enter a path on the node, such as /var/opt/redislabs/persist.")
    if len(path) > MAX_PATH:
        raise RuleError(f"This path has {len(path)} characters. It can have at most {MAX_PATH}.")
    _check_visible(path, "A path")
    if not path.startswith("/"):
        raise RuleError(f"{_quote(path)} does not start with /. Enter an absolute path on the node.")
    path = re.sub(r"[\s/]+$", "", path) or "/"
    if {".", ".."} & set(path.split("/")):
        raise RuleError(f"{_quote(path)} contains . or .. as a folder. Enter the path without them.")
    return path


def check_recovery_file(text: str) -> str:
    """Give the recovery file: an absolute path on the node, or a file name in its persistent path.

    Raises:
        RuleError: empty, a folder, or a relative path with folders.
    """
    name = trim(text)
    if not name:
        raise RuleError("Enter the recovery file, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb.")
    if name.endswith("/"):
        raise RuleError(f"{_quote(name)} is a folder. Enter the file in it, usually ccs-redis.rdb.")
    if "/" in name or name in {".", ".."}:
        return check_path(name)
    if len(name) > MAX_FILE_NAME:
        raise RuleError(f"This name has {len(name)} characters. It can have at most {MAX_FILE_NAME}.")
    _check_visible(name, "A file name")
    return name


def check_address(text: str) -> str:
    """Give an IPv4 or IPv6 address in its canonical form; ::ffff:10.0.0.5 becomes IPv4.

    Raises:
        RuleError: empty, not a single address, or an address that no node can have.
    """
    address = trim(text)
    if not address:
        raise RuleError("Enter an address, such as 10.0.0.5.")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if with_port := _PORT_AT_END.fullmatch(address):
        raise RuleError(f"Enter the address without its port: {_quote(with_port['host'].strip('[]'))}.")
    if "/" in address:
        raise RuleError(f"{_quote(address)} is not a single address. Leave out the / and everything after it.")
    if "%" in address:
        raise RuleError(f"{_quote(address)} contains an interface name. Leave out the % and everything after it.")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise RuleError(
            f"{_quote(address)} is not an address. Enter an IPv4 or IPv6 address, such as 10.0.0.5 or 2001:db8::5."
        ) from None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.is_unspecified or parsed.is_multicast or str(parsed) == "255.255.255.255":
        raise RuleError(f"{address} is not the address of a single machine. Enter this machine's address.")
    return str(parsed)


def check_member(text: str) -> str:
    """Give the canonical address of a cluster member, or its host name as typed.

    Raises:
        RuleError: empty, a URL, with a port, or neither an address nor a host name.
    """
    member = trim(text)
    if not member:
        raise RuleError("Enter the address of a cluster member, such as 10.0.0.5.")
    if "://" in member:
        raise RuleError(f"{_quote(member)} is a URL. Enter only the address, without https:// and the path.")
    if with_port := _PORT_AT_END.fullmatch(member):
        raise RuleError(
            f"Enter the address without its port: {_quote(with_port['host'].strip('[]'))}. "
            "The port of the members' API has its own field (cnm_https_port)."
        )
    if _is_address(member) or member.startswith("["):
        return check_address(member)
    name = member.removesuffix(".")
    if len(name) > MAX_HOST:
        raise RuleError(f"This host name has {len(name)} characters. It can have at most {MAX_HOST}.")
    if re.fullmatch(r"(0[xX])?[0-9A-Fa-f]+", name.rpartition(".")[2]) and name[:1].isdigit():
        # resolvers read 127.1, 0x7f.1 and 2130706433 as addresses, each in its own way
        raise RuleError(f"{_quote(name)} is not a full address. An IPv4 address has four numbers, such as 10.0.0.5.")
    _check_labels(name)
    return name


def check_port(value: str | int, lowest: int = 1) -> int:
    """Give a port as a number from `lowest` to 65535.

    Raises:
        RuleError: not a whole number, or outside that range.
    """
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and lowest <= int(text) <= 65_535):
        raise RuleError(f"{_quote(text)} is not a port. Enter a number from {lowest} to 65535, such as 9443.")
    return int(text)


def check_license(text: str) -> str:
    """Give the license from its first marker to its last; an empty text means the trial.

    Raises:
        RuleError: too long, empty between its markers, or with a marker that is missing or repeated.
    """
    if not trim(text):
        return ""
    check_sendable(text)
    if len(text) > MAX_LICENSE:
        raise RuleError(f"This license has {len(text)} characters. It can have at most {MAX_LICENSE}.")
    for marker in (LICENSE_START, LICENSE_END):
        if text.count(marker) != 1:
            how = "is missing" if marker not in text else "appears more than once"
            raise RuleError(f"The line {marker} {how}. Paste one license, from its first line to its last.")
    _, _, after = text.partition(LICENSE_START)
    body, end, _ = after.partition(LICENSE_END)
    if not end or not body.strip():
        raise RuleError("There is nothing between the first and the last line. Paste the whole license.")
    lines = (line.strip() for line in body.strip().splitlines())
    return "\n".join([LICENSE_START, *lines, LICENSE_END])


def check_pem(text: str, kind: str) -> str:
    """Give PEM text with a block of this kind: "CERTIFICATE" or "PRIVATE KEY".

    Raises:
        RuleError: empty, too long, or without such a block; the message shows nothing of the text.
    """
    pem = trim(text)
    check_sendable(pem)
    if len(pem) > MAX_LICENSE:
        raise RuleError(f"This has {len(pem)} characters. It can have at most {MAX_LICENSE}.")
    blocks = rf"-----BEGIN (?:[A-Z]+ )*{kind}-----\s[^-]+-----END (?:[A-Z]+ )*{kind}-----"
    if not re.search(blocks, pem):
        raise RuleError(f"Paste the PEM text, from -----BEGIN {kind}----- to -----END {kind}-----.")
    return pem


def check_sendable(text: str) -> str:
    """Give a text that a node and a database accept.

    Raises:
        RuleError: it contains a NUL character or a lone surrogate; the message shows nothing of the text.
    """
    if not is_encodable(text):
        raise RuleError("This has a broken character. Enter it again.")
    if "\0" in text:
        raise RuleError("This has a NUL character. Enter it again.")
    return text


def check_choice(text: str, choices: Collection[str]) -> str:
    """Give one of the words that the field accepts.

    Raises:
        RuleError: any other word.
    """
    word = trim(text)
    if word not in choices:
        raise RuleError(f"{_quote(word)} is not a choice. Choose one of {', '.join(choices)}.")
    return word


def check_text(text: str) -> str:
    """Give a line of free text.

    Raises:
        RuleError: over 255 characters, or with invisible characters.
    """
    line = trim(text)
    if len(line) > 255:
        raise RuleError(f"This has {len(line)} characters. It can have at most 255.")
    _check_visible(line, "This")
    return line


def _check_labels(name: str) -> None:
    for label in name.split("."):
        if _LABEL.fullmatch(label):
            continue
        if not label:
            raise RuleError(f"{_quote(name)} has two dots in a row, or starts with a dot.")
        if len(label) > 63:
            raise RuleError(f"A part of this name has {len(label)} characters. Each part can have at most 63.")
        if wrong := _invalid_characters(label, "-"):
            raise RuleError(f"A name can have only letters, digits, hyphens and dots. {_quote(label)} has {wrong}.")
        raise RuleError(f"{_quote(label)} starts or ends with a hyphen. Start and end it with a letter or a digit.")


def _check_visible(text: str, what: str) -> None:
    if has_controls(text):
        raise RuleError(f"{what} cannot have invisible characters. Type it instead of pasting it.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _invalid_characters(text: str, allowed: str) -> str:
    wrong = [char for char in dict.fromkeys(text) if not (char.isascii() and (char.isalnum() or char in allowed))]
    *shown, last = ["a space" if char.isspace() else _quote(char) for char in wrong[:5]] or [""]
    return " and ".join(filter(None, [", ".join(shown), last]))


def _quote(text: str) -> str:
    return f"“{clean(text, 60)}”"
