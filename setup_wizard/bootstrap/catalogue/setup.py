"""What was entered: the request as a whole, the license, the paths."""

import re
from shlex import quote
from typing import Final

from setup_wizard.bootstrap.catalogue.shapes import Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, listed
from setup_wizard.bootstrap.status.facts import read_text

DEFAULT_PATHS: Final = {
    "node.paths.persistent_path": "/var/opt/redislabs/persist",
    "node.paths.ephemeral_path": "/var/opt/redislabs/tmp",
    "node.paths.bigstore_path": "/var/opt/redislabs/flash",
}
_FILE: Final = "recovery_filename"
_KINDS: Final = {
    "node.paths.persistent_path": "persistent",
    "node.paths.ephemeral_path": "ephemeral",
    "node.paths.bigstore_path": "flash",
    "node.paths.ccs_persistent_path": "configuration",
}
# the longer names first: "name" is part of several
_MENTIONS: Final = (
    (r"recovery_?file|\.rdb\b", _FILE),
    (r"rack_?id|\brack\b", "node.identity.rack_id"),
    (r"external_?addr", "node.identity.external_addr"),
    (r"persistent_?path|persistent storage", "node.paths.persistent_path"),
    (r"ephemeral_?path|ephemeral storage", "node.paths.ephemeral_path"),
    (r"bigstore|flash", "node.paths.bigstore_path"),
    (r"user_?name|e-?mail", "credentials.username"),
    (r"password|credentials", "credentials.password"),
    (r"licen[sc]e", "license"),
    (r"dns_?suffix", "dns_suffixes"),
    (r"cluster\.?_?\s?name|fqdn", "cluster.name"),
    (r"cnm_?https_?port", "cnm_https_port"),
    (r"cluster\.?_?\s?nodes|members?\b", "cluster.nodes"),
    (r"\baddr(ess)?\b|\bip\b", "node.identity.addr"),
)
_NAMES: Final = {
    _FILE: "the file to recover from",
    "node.identity.rack_id": "the rack",
    "node.identity.external_addr": "the addresses for clients",
    "node.paths.persistent_path": "the persistent path",
    "node.paths.ephemeral_path": "the ephemeral path",
    "node.paths.bigstore_path": "the flash path",
    "credentials.username": "the user name",
    "credentials.password": "the password",
    "license": "the license",
    "dns_suffixes": "the DNS suffixes",
    "cluster.name": "the cluster name",
    "cnm_https_port": "the port",
    "cluster.nodes": "the members",
    "node.identity.addr": "the address",
}


def explain_config_error(at: Situation) -> Explanation:
    """Say which field the node's words point to, and offer the likeliest ones where they point to none."""
    address = at.asked("node.identity.addr")
    own = [each.address for each in at.facts.addresses]
    is_elsewhere = bool(own and address) and address not in own
    usual = "cluster.nodes" if at.joins else _FILE if at.recovers else "cluster.name"
    suspect = "node.identity.addr" if is_elsewhere else usual
    likely = _mentioned(at) or suspect
    causes = [
        f"{_sentence(_NAMES[likely])} {'have' if likely in _PLURAL else 'has'} a value that this node does not take.",
        "A setting is of another version of the software: those of flash storage changed their names, for one.",
    ]
    if likely == _FILE:
        causes = [
            "The file is none that a cluster wrote, is of another kind of backup, or was cut short when it was copied.",
            "It is of a cluster that a newer version of the software has written.",
            "The number of the old node that this one stands for is not in it.",
        ]
    if is_elsewhere:
        causes.insert(0, f"{address} is not among the addresses that the node lists: {listed(own)}.")
    remedies = [Remedy(f"Change {_NAMES[likely]}", likely)]
    if likely != "node.identity.addr":
        remedies.append(Remedy("Change the address", "node.identity.addr"))
    return Explanation(
        title="The node could not work with what it was given",
        meaning=f"{at.node} took the request to {at.verb} {at.cluster}, read it, and found something in it that it "
        f"cannot work with. It stopped there, and takes a new request."
        f"{at.words('field')}",
        causes=tuple(causes),
        checks=(
            "Read the node's own words above: they most often name the field."
            if at.message
            else "Compare every field with the review: the node did not say which one it is.",
            f"On {at.node}, `sudo tail -n 50 /var/opt/redislabs/log/cnm_http.log` shows how the node read it.",
        ),
        part=likely,
        remedies=tuple(remedies),
    )


def explain_invalid_license(at: Situation) -> Explanation:
    """Tell a license that cannot be read from one whose terms do not allow this cluster."""
    violation = next((text for key in _VIOLATIONS if (text := _word(at.details.get(key)))), "")
    if violation:
        title = "The license does not allow this cluster"
        said = f"could read the license, and its terms do not allow {at.cluster}: the violation is {violation}"
        causes: tuple[str, ...] = (
            f"The license is for another cluster: it names one, and this one is {at.cluster}.",
            "The license has expired, or its time has not begun.",
            "The license is for fewer shards or nodes than are wanted.",
        )
    else:
        title = "The license could not be read"
        said = "could not read the license"
        causes = (
            "A line was lost or changed when it was copied: a mail program may have broken or joined lines.",
            "It is another text: a license key or an order confirmation is not the license.",
        )
    remedies = [Remedy("Paste the license again", "license")]
    if not at.joins and not at.recovers:
        remedies.append(Remedy("Use the 30-day trial", "license", {"license": ""}))
    return Explanation(
        title=title,
        meaning=f"{at.node} {said}. {at.unmade}{at.words(*_VIOLATIONS)}",
        causes=causes,
        checks=(
            "Paste everything from ----- LICENSE START ----- to ----- LICENSE END -----, both lines included.",
            f"The cluster name in the license has to be {at.cluster}, letter for letter.",
            "Without a license the cluster runs as a trial: 30 days, 4 shards. A license can be added at any time.",
        ),
        part="license",
        remedies=tuple(remedies),
    )


def explain_path_error(at: Situation) -> Explanation:
    """Name the path that cannot be used, where the node's words tell which, and offer the usual one."""
    if at.recovers and (file := _blamed_file(at)):
        return _no_file(at, file)
    asked = {part: path for part in _KINDS if (path := at.asked(part))}
    told = _word(at.details.get("path"))
    part = _blamed(at, asked, told)
    path = asked.get(part) or (told if told.startswith("/") else "")
    if path:
        title = f"{path} cannot be used on this node"
        which = f"its {_KINDS[part]} storage at {path}" if part else path
    elif asked:
        title = "A path cannot be used on this node"
        which = f"one of its paths ({listed(f'{_KINDS[key]} {each}' for key, each in asked.items())})"
    else:
        title = "A path cannot be used on this node"
        which = "one of its paths, left at the node's own choice"
    field = part or "node.paths.persistent_path"
    shown = path or asked.get(field) or DEFAULT_PATHS.get(field, DEFAULT_PATHS["node.paths.persistent_path"])
    usual = DEFAULT_PATHS.get(field, "")
    remedies = [Remedy(f"Choose another {_KINDS[field]} path", field)]
    if usual and usual != shown:
        remedies.insert(0, Remedy(f"Use {usual}", field, {field: usual}))
    return Explanation(
        title=title,
        meaning=f"{at.node} could not use {which}: it is not there, or the software may not write to it. {at.unmade}"
        f"{at.words(*(['path'] if told == path else []))}",
        causes=(
            f"{shown} was never made on {at.node}, or its disk is not mounted.",
            f"{shown} belongs to root: the software runs as the user redislabs and must own it.",
            f"{shown} is read-only, or is a network share: persistent storage cannot be NFS.",
        ),
        checks=(
            f"On {at.node}, `sudo -u redislabs test -w {quote(shown)} && echo fine` should print fine.",
            f"On {at.node}, `df -hT {quote(shown)}` shows which disk it is on, of which kind, and how full.",
            f"`sudo install -d -o redislabs -g redislabs {quote(shown)}` makes it, if it is only missing.",
        ),
        part=field,
        remedies=tuple(remedies),
    )


def _no_file(at: Situation, file: str) -> Explanation:
    """Say that the file to recover from is not to be had."""
    place = file if file.startswith("/") else f"{file} in its persistent storage"
    shown = file if file.startswith("/") else f"{at.asked('node.paths.persistent_path').rstrip('/')}/{file}"
    return Explanation(
        title="The file to recover from cannot be read",
        meaning=f"{at.node} looked for {place}: it is not there, or the software may not read it. "
        f"{at.unmade}{at.words(*(['path'] if _word(at.details.get('path')) == file else []))}",
        causes=(
            f"The file lies on another machine: it has to be on {at.node} itself.",
            f"The disk with it is not mounted on {at.node}, or it is mounted elsewhere.",
            "It belongs to root: the software runs as the user redislabs and must be able to read it.",
        ),
        checks=(
            f"On {at.node}, `sudo -u redislabs head -c 5 {quote(shown)}` should print REDIS.",
            f"`sudo chown redislabs: {quote(shown)}` lets the software read it, if it is there.",
            f"`sudo find / -name ccs-redis.rdb -size +0 2>/dev/null` on {at.node} shows every copy that it has.",
        ),
        part=_FILE,
        remedies=(
            Remedy("Enter another file", _FILE),
            Remedy("Choose another persistent path", "node.paths.persistent_path"),
        ),
    )


def _blamed_file(at: Situation) -> str:
    """Give the file to recover from when the node's words are about it, "" otherwise."""
    file, told = at.asked(_FILE), _word(at.details.get("path"))
    said = f"{_word(at.details.get('field'))} {at.message} {told}"
    return file if file and (file in said or re.search(r"recovery_?file|\.rdb\b", said)) else ""


_VIOLATIONS: Final = ("violation_code", "violation", "violations", "code")
_PLURAL: Final = {"cluster.nodes", "dns_suffixes", "node.identity.external_addr"}


def _mentioned(at: Situation) -> str:
    """Find the field that the node's message or a detail speaks of."""
    named = _word(at.details.get("field"))
    if named in _NAMES:
        return named
    said = f"{named} {at.message}".lower()
    return next((part for words, part in _MENTIONS if re.search(words, said)), "")


def _blamed(at: Situation, asked: dict[str, str], told: str) -> str:
    """Find the path that the node's words speak of: the longest one, since paths lie within each other."""
    said = f"{at.message} {told}"
    named = [part for part, path in asked.items() if re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w-])", said)]
    if named:
        return max(named, key=lambda part: len(asked[part]))
    names = (part for part in _KINDS if re.search(rf"\b{part.rpartition('.')[2]}", said))
    usual = (part for part, path in DEFAULT_PATHS.items() if path == told)
    alone = iter(asked if len(asked) == 1 and not told else ())
    return next((part for parts in (names, usual, alone) for part in parts), "")


def _word(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return str(value)
    if isinstance(value, list | tuple):
        return listed(word for item in value[:8] if (word := _word(item)))
    return read_text(value, 100) or ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
