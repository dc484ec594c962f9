"""What a field may hold, but an operator should know before Start: each function gives warnings, most often none."""

import ipaddress
import re
import unicodedata
from typing import Final

from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeFacts

GIB: Final = 1024**3
TRIAL_MEMORY: Final = 4 * GIB
TRIAL_DISK: Final = 10 * GIB
PRODUCTION_MEMORY: Final = 8 * GIB
PRODUCTION_CORES: Final = 2
# a machine sold with 8 GiB tells its node of a little less: firmware and kernel keep some of it
_TOLD: Final = 0.93


def warn_cluster_name(name: str) -> list[str]:
    """Warn of a name that works for a trial only."""
    if name.lower().rstrip(".").endswith(".local"):
        return [
            "Names in .local are resolved by multicast DNS: fine for a trial, but production needs a real DNS zone.",
            "A cluster's name can never be changed.",
        ]
    return []


def warn_username(name: str) -> list[str]:
    """Warn of an account that is not named by an e-mail address."""
    if name and not re.fullmatch(r"[^@\s]+@[^@\s]+", name):
        return [f"{name} is no e-mail address. The cluster takes it, but cannot send its alerts there."]
    return []


def warn_password(password: str, username: str = "") -> list[str]:
    """Warn where the password would not pass a cluster that has password complexity turned on; shows nothing of it."""
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
        warnings.append("This password is the user name, or the user name backwards.")
    if re.search(r"(.)\1{3}", password):
        warnings.append("This password repeats one character more than three times.")
    if warnings:
        warnings.append("A cluster with password complexity turned on would refuse it.")
    return warnings


def warn_password_spelling(password: str) -> list[str]:
    """Warn of characters in a password that its person may not see or mean; shows nothing else of it."""
    found = [f"{verb} with {_blank(end)}" for verb, end in _ends(password) if end.isspace()]
    for character in dict.fromkeys(password.strip()):
        code = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
        if unicodedata.category(character) in {"Cc", "Cf"}:
            found.append(f"has a character that cannot be seen ({code})")
        elif character.isspace() and character != " ":
            found.append(f"has a blank that is not the usual one ({code})")
    if not found:
        return []
    return [f"The password {_list(found)}. It is used exactly as typed; enter it again if that is not meant."]


def _ends(password: str) -> list[tuple[str, str]]:
    return [("begins", password[:1]), ("ends", password[-1:])]


def _blank(character: str) -> str:
    names = {" ": "a blank", "\t": "a tab", "\n": "a line break", "\r": "a line break"}
    return names.get(character) or f"a blank that is not the usual one (U+{ord(character):04X})"


def warn_address(address: str, facts: NodeFacts) -> list[str]:
    """Warn of an address that other nodes rarely reach, or that the node does not have."""
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
                f"{address} is on {known[wanted].if_name}, a bridge inside the machine. Other nodes seldom reach it."
            ]
        return []
    if known:
        return [f"The node does not list {address} among its own addresses: {_list(list(known)[:5])}."]
    return []


def warn_link_local(address: str) -> list[str]:
    """Warn of an address that is valid on one network segment only."""
    try:
        is_local = ipaddress.ip_address(address.strip("[]")).is_link_local
    except ValueError:
        return []
    if not is_local:
        return []
    return [f"{address} is link-local: only machines on the same network segment can reach it. Use another address."]


def warn_paths(persistent: str, ephemeral: str) -> list[str]:
    """Warn of two paths that share what they should not."""
    if persistent and persistent == ephemeral:
        return [f"Persistent and ephemeral storage are both {persistent}: scratch files can fill the disk of the data."]
    return []


def warn_sizing(facts: NodeFacts) -> list[str]:
    """Warn of a node that is too small for a trial, or for production; says nothing where the node does not."""
    warnings = []
    memory = facts.total_memory
    if memory is not None and (here := format_size(memory)):
        if memory < TRIAL_MEMORY * _TOLD:
            warnings.append(f"{here} of memory here; even a trial needs {format_size(TRIAL_MEMORY)}.")
        elif memory < PRODUCTION_MEMORY * _TOLD:
            warnings.append(
                f"{here} of memory here: enough for a trial; production needs {format_size(PRODUCTION_MEMORY)}."
            )
    if facts.cores is not None and 0 < facts.cores < PRODUCTION_CORES:
        warnings.append(f"{facts.cores:g} core here: enough for a trial; production needs {PRODUCTION_CORES}.")
    disk = facts.persistent_storage_size
    if disk is not None and (here := format_size(disk)) and disk < TRIAL_DISK * _TOLD:
        warnings.append(f"{here} of persistent storage here; even a trial needs {format_size(TRIAL_DISK)}.")
    return warnings


def warn_version(bigstore_driver: str, software_version: str | None) -> list[str]:
    """Warn of flash storage that is asked for in the words of another version."""
    numbers = re.match(r"(\d{1,4})\.(\d{1,4})", software_version or "")
    if not numbers or not bigstore_driver:
        return []
    if (int(numbers[1]), int(numbers[2])) >= (7, 8):
        return [f"From 7.8 on a node is asked for flash with bigstore_enabled; this one runs {software_version}."]
    return []


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
