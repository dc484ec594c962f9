"""Warnings about values that are allowed: each function returns a list, which is usually empty."""

import ipaddress
import re
import unicodedata

from setup_wizard.bootstrap.status import NodeFacts


def warn_cluster_name(name: str) -> list[str]:
    """Warn about a name that works for a trial only."""
    if name.lower().rstrip(".").endswith(".local"):
        return [
            "Names that end in .local use multicast DNS. A trial can use one; production needs a real DNS zone.",
            "A cluster name cannot be changed later.",
        ]
    return []


def warn_username(name: str) -> list[str]:
    """Warn about a user name that is not an e-mail address."""
    if name and not re.fullmatch(r"[^@\s]+@[^@\s]+", name):
        return [f"{name} is not an e-mail address. The cluster accepts it, but cannot send alerts to it."]
    return []


def warn_password(password: str, username: str = "") -> list[str]:
    """Warn about a password that a cluster with password complexity rejects; shows nothing of it."""
    if not password:
        return []
    wanted = [
        ("8 characters", len(password) >= 8),
        ("an upper-case letter", any(map(str.isupper, password))),
        ("a lower-case letter", any(map(str.islower, password))),
        ("a digit", any(map(str.isdigit, password))),
        ("a special character", any(not character.isalnum() for character in password)),
    ]
    warnings = []
    if missing := [name for name, there in wanted if not there]:
        warnings.append(f"This password would be stronger with {_list(missing)}.")
    if username and password.lower() in {username.lower(), username.lower()[::-1]}:
        warnings.append("This password is the user name, or the user name spelled backwards.")
    if re.search(r"(.)\1{3}", password):
        warnings.append("This password repeats one character more than three times.")
    if warnings:
        warnings.append("A cluster with password complexity turned on rejects it.")
    return warnings


def warn_password_spelling(password: str) -> list[str]:
    """Warn about characters in a password that may be unseen or unintended; shows nothing else of it."""
    first, last = password[:1], password[-1:]
    if first.isspace() and first == last:
        found = [f"begins and ends with {_name_space(first)}"]
    else:
        found = [
            f"{verb} with {_name_space(end)}" for verb, end in (("begins", first), ("ends", last)) if end.isspace()
        ]
    for character in dict.fromkeys(password.strip()):
        code = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
        if unicodedata.category(character) in {"Cc", "Cf"}:
            found.append(f"contains an invisible character ({code})")
        elif character.isspace() and character != " ":
            found.append(f"contains an unusual space ({code})")
    if not found:
        return []
    return [f"The password {_list(found)}. It is used exactly as typed. Enter it again if that is wrong."]


def _name_space(character: str) -> str:
    names = {" ": "a space", "\t": "a tab", "\n": "a line break", "\r": "a line break"}
    return names.get(character) or f"an unusual space (U+{ord(character):04X})"


def warn_address(address: str, facts: NodeFacts) -> list[str]:
    """Warn about an address that other nodes rarely reach, or that the node does not have."""
    try:
        wanted = str(ipaddress.ip_address(address))
    except ValueError:
        return []
    if warnings := warn_link_local(address):
        return warnings
    known = {each.address: each for each in facts.addresses}
    if wanted in known:
        if known[wanted].is_bridge:
            return [
                f"{address} is on {known[wanted].if_name}, a bridge inside the machine. Other nodes rarely reach it."
            ]
        return []
    if known:
        return [f"The node does not list {address} among its addresses: {_list(list(known)[:5])}. Choose one of those."]
    return []


def warn_link_local(address: str) -> list[str]:
    """Warn about an address that is valid on one network segment only."""
    try:
        is_local = ipaddress.ip_address(address.strip("[]")).is_link_local
    except ValueError:
        return []
    if not is_local:
        return []
    return [f"{address} is link-local. Only machines on its network segment can reach it. Use another address."]


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
