"""What may stand in each field: one check for each, giving the cleaned value or saying what is wrong and what is right.

Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from setup_wizard.bootstrap.text import clean, has_controls, is_encodable, trim

LONGEST_CLUSTER_NAME: Final = 64
LONGEST_RACK_ID: Final = 63
LONGEST_USERNAME: Final = 254
LONGEST_PASSWORD: Final = 4096
LONGEST_PATH: Final = 4096
LONGEST_NAME_OF_A_FILE: Final = 255
LONGEST_HOST: Final = 253
LONGEST_LICENSE: Final = 65_536
LICENSE_START: Final = "----- LICENSE START -----"
LICENSE_END: Final = "----- LICENSE END -----"

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_RACK_ID = re.compile(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_PORT_AT_END = re.compile(r"(?P<host>[^:\s]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")


class RuleError(ValueError):
    """A value that a field cannot hold; its message is written for the person who typed it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def check_cluster_name(text: str) -> str:
    """Give a fully qualified name of at most 64 characters, without the dot that may end it.

    Raises:
        RuleError: empty, too long, an address, a single label, or a label that is no host name.

    Reference: RFC 952, RFC 1123 section 2.1
    """
    name = trim(text).removesuffix(".")
    if not name:
        raise RuleError("A cluster needs a full name, such as redis-prod.example.com.")
    if len(name) > LONGEST_CLUSTER_NAME:
        raise RuleError(f"This name has {len(name)} characters. A cluster name has at most {LONGEST_CLUSTER_NAME}.")
    if _is_address(name):
        raise RuleError(f"{name} is an address. A cluster needs a name, such as redis-prod.example.com.")
    _check_labels(name)
    if "." not in name:
        raise RuleError(
            f"{name} is only the first part. A full name goes on with a domain, such as {name}.example.com."
        )
    if name.rpartition(".")[2].isdigit():
        raise RuleError(f"{name} ends in a number, as an address does. The last part of a full name has letters.")
    return name


def check_existing_cluster_name(text: str) -> str:
    """Give the name of a cluster that exists, without the dot that may end it: "docker-cluster" is in use.

    Raises:
        RuleError: empty, over 255 characters, or with characters that cannot be seen.
    """
    name = trim(text).removesuffix(".")
    if not name:
        raise RuleError("Enter the name of the cluster, such as redis-prod.example.com.")
    return check_text(name)


def check_rack_id(text: str) -> str:
    """Give a rack id of at most 63 characters; its case is kept but does not count.

    Raises:
        RuleError: empty, too long, or not of letters, digits, hyphens and underscores between a letter and either.
    """
    rack = trim(text)
    if not rack:
        raise RuleError("Enter a rack id, such as rack-a.")
    if len(rack) > LONGEST_RACK_ID:
        raise RuleError(f"This rack id has {len(rack)} characters. It can have at most {LONGEST_RACK_ID}.")
    if not rack[0].isascii() or not rack[0].isalpha():
        raise RuleError(f"A rack id begins with a letter, such as rack-a. This one begins with {_quote(rack[0])}.")
    if not _RACK_ID.fullmatch(rack):
        if wrong := _strangers(rack, "-_"):
            raise RuleError(f"A rack id has letters, digits, hyphens and underscores only, and this one has {wrong}.")
        raise RuleError(f"A rack id ends with a letter or a digit. This one ends with {_quote(rack[-1])}.")
    return rack


def check_username(text: str) -> str:
    """Give the name of a cluster account: an e-mail address as a rule, though plain names are in use.

    Raises:
        RuleError: empty, too long, or with a character that an account or a sign-in over HTTP cannot have.
    """
    name = trim(text)
    if not name:
        raise RuleError("Enter the user name, such as admin@example.com.")
    if len(name) > LONGEST_USERNAME:
        raise RuleError(f"This user name has {len(name)} characters. It can have at most {LONGEST_USERNAME}.")
    if wrong := "".join(dict.fromkeys(character for character in name if character in '&<>"')):
        raise RuleError(f'A user name cannot have any of & < > ", and this one has {" ".join(wrong)}.')
    if ":" in name:
        # RFC 7617: the colon ends the name, so the first question after the bootstrap would be refused
        raise RuleError("A user name cannot have a colon: a sign-in to the cluster would end at it.")
    _check_visible(name, "A user name")
    return name


def check_password(text: str) -> str:
    """Give the password exactly as it was typed: the cluster decides what it takes.

    Raises:
        RuleError: empty, over 4,096 characters, with a NUL character, or not encodable as UTF-8.
    """
    if not text:
        raise RuleError("Enter the password.")
    if len(text) > LONGEST_PASSWORD:
        raise RuleError(f"This password has {len(text)} characters. It can have at most {LONGEST_PASSWORD}.")
    return check_sendable(text)


def check_path(text: str) -> str:
    """Give an absolute path on the node, without slashes and spaces at its end.

    Raises:
        RuleError: empty, relative, in the spelling of another system, or too long.
    """
    path = trim(text)
    if not path:
        raise RuleError("Enter a path on the node, such as /var/opt/redislabs/persist.")
    if len(path) > LONGEST_PATH:
        raise RuleError(f"This path has {len(path)} characters. It can have at most {LONGEST_PATH}.")
    _check_visible(path, "A path")
    if not path.startswith("/"):
        raise RuleError(f"{_quote(path)} does not begin with /. Enter the whole path on the node, from the root.")
    path = re.sub(r"[\s/]+$", "", path) or "/"
    if {".", ".."} & set(path.split("/")):
        raise RuleError(f"{_quote(path)} has a step of dots. Enter the path without . and .. in it.")
    return path


def check_recovery_file(text: str) -> str:
    """Give the file from which a cluster is recovered: an absolute path on the node, or a name in its persistent path.

    Raises:
        RuleError: empty, a folder, a relative path of several steps, or no path at all.
    """
    name = trim(text)
    if not name:
        raise RuleError("Enter the file to recover from, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb.")
    if name.endswith("/"):
        raise RuleError(f"{_quote(name)} is a folder. Enter the file in it, as a rule ccs-redis.rdb.")
    if "/" in name or name in {".", ".."}:
        return check_path(name)
    if len(name) > LONGEST_NAME_OF_A_FILE:
        raise RuleError(f"This name has {len(name)} characters. It can have at most {LONGEST_NAME_OF_A_FILE}.")
    _check_visible(name, "A file name")
    return name


def check_address(text: str) -> str:
    """Give an IPv4 or IPv6 address in its canonical spelling, one of IPv4 in IPv6 (::ffff:10.0.0.5) as IPv4.

    Raises:
        RuleError: empty, not one address, or one that no node can have.
    """
    address = trim(text)
    if not address:
        raise RuleError("Enter an address, such as 10.0.0.5.")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if with_port := _PORT_AT_END.fullmatch(address):
        raise RuleError(f"Leave out the port: {_quote(with_port['host'].strip('[]'))}.")
    if "/" in address:
        raise RuleError(f"{_quote(address)} is not one address. Leave out everything from the first / on.")
    if "%" in address:
        raise RuleError(f"{_quote(address)} names an interface. Enter an address that other nodes can use, without %.")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise RuleError(
            f"{_quote(address)} is no address. Enter an IPv4 or IPv6 address, such as 10.0.0.5 or 2001:db8::5."
        ) from None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if parsed.is_unspecified or parsed.is_multicast or str(parsed) == "255.255.255.255":
        raise RuleError(f"{address} stands for many machines or none. Enter the address of this one.")
    return str(parsed)


def check_member(text: str) -> str:
    """Give the canonical address of a cluster member, or its host name as it was typed.

    Raises:
        RuleError: empty, a link, with a port, or neither an address nor a host name.
    """
    member = trim(text)
    if not member:
        raise RuleError("Enter the address of a member of the cluster, such as 10.0.0.5.")
    if "://" in member:
        raise RuleError(f"{_quote(member)} is a link. Enter the address alone, without https:// and what follows it.")
    if with_port := _PORT_AT_END.fullmatch(member):
        raise RuleError(
            f"Leave out the port: {_quote(with_port['host'].strip('[]'))}. "
            "The port of the members' API is a field of its own (cnm_https_port)."
        )
    if _is_address(member) or member.startswith("["):
        return check_address(member)
    name = member.removesuffix(".")
    if len(name) > LONGEST_HOST:
        raise RuleError(f"This host name has {len(name)} characters. It can have at most {LONGEST_HOST}.")
    if re.fullmatch(r"(0[xX])?[0-9A-Fa-f]+", name.rpartition(".")[2]) and name[:1].isdigit():
        # resolvers read 127.1, 0x7f.1 and 2130706433 as addresses, each in its own way
        raise RuleError(f"{_quote(name)} is no full address. An IPv4 address has four numbers, such as 10.0.0.5.")
    _check_labels(name)
    return name


def check_port(value: str | int, lowest: int = 1) -> int:
    """Give a port as a number from `lowest` to 65535.

    Raises:
        RuleError: not a whole number, or outside that range.
    """
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and lowest <= int(text) <= 65_535):
        raise RuleError(f"A port is a number from {lowest} to 65535, such as 9443. This is {_quote(text)}.")
    return int(text)


def check_license(text: str) -> str:
    """Give the license from its first marker to its last; empty stays empty and means the trial.

    Raises:
        RuleError: a marker is missing or doubled, there is nothing between them, too long, or it cannot be sent.
    """
    if not trim(text):
        return ""
    check_sendable(text)
    if len(text) > LONGEST_LICENSE:
        raise RuleError(f"This is too long for a license: it has {len(text)} characters, of {LONGEST_LICENSE} at most.")
    for marker in (LICENSE_START, LICENSE_END):
        if text.count(marker) != 1:
            how = "is missing" if marker not in text else "is there more than once"
            raise RuleError(f"The line {marker} {how}. Paste one license, from its first line to its last.")
    _, _, after = text.partition(LICENSE_START)
    body, end, _ = after.partition(LICENSE_END)
    if not end or not body.strip():
        raise RuleError("There is nothing between the first and the last line. Paste the whole license.")
    lines = (line.strip() for line in body.strip().splitlines())
    return "\n".join([LICENSE_START, *lines, LICENSE_END])


def check_pem(text: str, kind: str) -> str:
    """Give a text in PEM whose blocks are of a kind: "CERTIFICATE" or "PRIVATE KEY".

    Raises:
        RuleError: empty, too long, without such a block, or it cannot be sent; the message shows nothing of the text.
    """
    pem = trim(text)
    check_sendable(pem)
    if len(pem) > LONGEST_LICENSE:
        raise RuleError(f"This has {len(pem)} characters. It can have at most {LONGEST_LICENSE}.")
    blocks = rf"-----BEGIN (?:[A-Z]+ )*{kind}-----\s[^-]+-----END (?:[A-Z]+ )*{kind}-----"
    if not re.search(blocks, pem):
        raise RuleError(f"Paste the text in PEM, from -----BEGIN {kind}----- to -----END {kind}-----.")
    return pem


def check_sendable(text: str) -> str:
    """Give a text that a node and a database take.

    Raises:
        RuleError: it has a NUL character or half of a character; the message shows nothing of the text.
    """
    if not is_encodable(text):
        raise RuleError("This has half of a character, which cannot be sent. Enter it again.")
    if "\0" in text:
        raise RuleError("This has a NUL character, which no node takes. Enter it again.")
    return text


def check_choice(text: str, choices: Collection[str]) -> str:
    """Give one of the words that the field knows.

    Raises:
        RuleError: any other word.
    """
    word = trim(text)
    if word not in choices:
        raise RuleError(f"This is one of {', '.join(choices)}, and not {_quote(word)}.")
    return word


def check_text(text: str) -> str:
    """Give a line of free text.

    Raises:
        RuleError: over 255 characters, or with characters that cannot be seen.
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
            raise RuleError(f"{_quote(name)} has two dots with nothing between them, or begins with one.")
        if len(label) > 63:
            raise RuleError(f"A part of this name has {len(label)} characters. Between two dots are at most 63.")
        if wrong := _strangers(label, "-"):
            raise RuleError(f"A name has letters, digits, hyphens and dots only, and {_quote(label)} has {wrong}.")
        raise RuleError(
            f"{_quote(label)} begins or ends with a hyphen. Each part of a name has a letter or digit there."
        )


def _check_visible(text: str, what: str) -> None:
    if has_controls(text):
        raise RuleError(f"{what} cannot have characters that cannot be seen. Type it instead of pasting it.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _strangers(text: str, allowed: str) -> str:
    wrong = [char for char in dict.fromkeys(text) if not (char.isascii() and (char.isalnum() or char in allowed))]
    *shown, last = ["a blank" if char.isspace() else _quote(char) for char in wrong[:5]] or [""]
    return " and ".join(filter(None, [", ".join(shown), last]))


def _quote(text: str) -> str:
    return f"“{clean(text, 60)}”"
