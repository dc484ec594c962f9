"""Storage that the node cannot use: which path it means, what it found there, and what can be used instead."""

import re
from dataclasses import dataclass
from shlex import quote
from typing import Final

from setup_wizard.bootstrap.catalogue.shapes import Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, listed, read_word
from setup_wizard.bootstrap.rules import RuleError, check_path

_FILE: Final = "recovery_filename"
_PERSISTENT: Final = "node.paths.persistent_path"
_CONFIGURATION: Final = "node.paths.ccs_persistent_path"
_KINDS: Final = {
    _PERSISTENT: "persistent",
    "node.paths.ephemeral_path": "ephemeral",
    "node.paths.bigstore_path": "flash",
    _CONFIGURATION: "configuration",
}
_USUAL: Final = {
    "/var/opt/redislabs/persist": _PERSISTENT,
    "/var/opt/redislabs/tmp": "node.paths.ephemeral_path",
    "/var/opt/redislabs/flash": "node.paths.bigstore_path",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the node found at a path; `{path}` and `{node}` stand in the texts, quoted for a shell in the checks."""

    words: str
    state: str
    cause: str
    check: str
    title: str = "{path} cannot be used on this node"


_NFS: Final = _Finding(
    r"\bnfs\d?\b|network (?:share|file)",
    "it is on a network share",
    "Persistent storage must be on a disk of the node: NFS is not supported.",
    "On {node}, `df -hT {path}` shows which disk it is on, and of which kind.",
)
# the first that the node's words match counts
_FINDINGS: Final = (
    _Finding(
        r"not (?:a )?mount(?:ed|[ -]?point)|unmounted",
        "nothing is mounted at {path}",
        "A default installation takes its own storage paths only: another path must be the mount point of a disk.",
        "On {node}, `findmnt --target {path}` shows what is mounted there.",
        "{path} is not mounted on this node",
    ),
    _NFS,
    _Finding(
        r"not a director",
        "it is not a directory",
        "A file has the name {path}.",
        "On {node}, `ls -ld {path}` shows what it is.",
    ),
    _Finding(
        r"read[- ]only",
        "it is read-only",
        "The disk was mounted read-only, or changed to that after an error.",
        "On {node}, `findmnt --target {path}` shows how it is mounted.",
    ),
    _Finding(
        r"no space|quota|\bfull\b",
        "its disk is full",
        "Other data fills the disk, or it is too small.",
        "On {node}, `df -hT {path}` shows how full it is.",
    ),
    _Finding(
        r"permission|denied|not permitted|writ(?:e|able|ten)",
        "the software may not write to it",
        "{path} belongs to root: the software runs as the user redislabs and must own it.",
        "On {node}, `sudo chown redislabs: {path}` gives it to the software.",
    ),
    _Finding(
        r"not exist|no such|not found|missing|absent",
        "it does not exist",
        "{path} was never created on {node}, or its disk is not mounted.",
        "On {node}, `sudo install -d -o redislabs -g redislabs {path}` creates it.",
    ),
)

PHRASES: Final = (*(each.words for each in _FINDINGS), *(part.rpartition(".")[2] for part in _KINDS))
"""What is looked for in a node's words."""


def explain_path_error(at: Situation) -> Explanation:
    """Name the path and what the node found there, and offer the path that the node uses now."""
    if at.recovers and (file := _blamed_file(at)):
        return _no_file(at, file)
    asked = {part: path for part in _KINDS if (path := at.asked(part))}
    own = _own_paths(at)
    told = read_word(at.details.get("path"))
    part = _blamed(at, asked, own, told)
    path = asked.get(part) or (told if told.startswith("/") else "")
    if path:
        which = f"its {_KINDS[part]} storage at {path}" if part else path
    elif asked:
        which = f"one of its paths ({listed(f'{_KINDS[key]} {each}' for key, each in asked.items())})"
    else:
        which = "one of its paths, left at the node's own choice"
    field = part or _PERSISTENT
    shown = path or asked.get(field) or own.get(field, "")
    found = _found(at)
    title = found.title if found and path else "{path} cannot be used on this node"
    state = found.state if found and path else "it does not exist, or the software may not write to it"
    return Explanation(
        title=_filled(title, at, path or "A path"),
        meaning=f"{at.node} could not use {which}: {_filled(state, at, path)}. {at.unmade}"
        f"{at.words(*(['path'] if told == path else []))}",
        causes=tuple(_filled(each.cause, at, shown or "The path") for each in _possible(found)),
        checks=_checks(at, found, shown),
        part=field,
        remedies=_remedies(field, path, own.get(field, ""), [asked.get(field, ""), told], found),
    )


def _remedies(field: str, path: str, own: str, failed: list[str], found: _Finding | None) -> tuple[Remedy, ...]:
    remedies = [Remedy(f"Choose another {_KINDS[field]} path", field)]
    if own and not any(each and _is_within(own, each) for each in failed):
        remedies.insert(0, Remedy(f"Use {own}", field, {field: own}))
    if path and found is not _NFS:  # what the checks name can be done, and then the same path works
        remedies.append(Remedy(f"Retry with {path}", ""))
    return tuple(remedies)


def _possible(found: _Finding | None) -> tuple[_Finding, ...]:
    """The finding, or those that are likely where the node does not say."""
    return (found,) if found else (_FINDINGS[-1], _FINDINGS[-2], _NFS)


def _checks(at: Situation, found: _Finding | None, path: str) -> tuple[str, ...]:
    if not path:
        return (f"On {at.node}, `ls -ld /var/opt/redislabs/*` shows the paths of a default installation.",)
    quoted = quote(path)
    return (
        f"On {at.node}, `sudo -u redislabs test -w {quoted} && echo fine` should print fine.",
        *dict.fromkeys(_filled(each.check, at, quoted) for each in _possible(found)),
    )


def _found(at: Situation) -> _Finding | None:
    """Read what the node found out of its words."""
    if read_word(at.details.get("file_system")).startswith("nfs"):
        return _NFS
    # a path may hold any word: what is said of it stands around it
    said = re.sub(r"/\S*", "", at.message).lower()
    return next((each for each in _FINDINGS if re.search(each.words, said)), None)


def _filled(text: str, at: Situation, path: str) -> str:
    return text.replace("{node}", at.node).replace("{path}", path)


def _own_paths(at: Situation) -> dict[str, str]:
    """The paths that the node says it has now, by the field that would hold each."""
    facts = at.facts
    told = {
        _PERSISTENT: facts.persistent_storage_path,
        "node.paths.ephemeral_path": facts.ephemeral_storage_path,
        "node.paths.bigstore_path": facts.bigredis_storage_path,
    }
    return {part: path for part, path in told.items() if path and _is_path(path)}


def _is_path(text: str) -> bool:
    try:
        return check_path(text) == text
    except RuleError:
        return False


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _no_file(at: Situation, file: str) -> Explanation:
    """Say that the file to recover from cannot be read."""
    place = file if file.startswith("/") else f"{file} in its persistent storage"
    folder = at.asked(_PERSISTENT) or _own_paths(at).get(_PERSISTENT, "")
    shown = file if file.startswith("/") else f"{folder.rstrip('/')}/{file}"
    told = read_word(at.details.get("path"))
    return Explanation(
        title="The file to recover from cannot be read",
        meaning=f"{at.node} looked for {place}: it is not there, or the software may not read it. "
        f"{at.unmade}{at.words(*(['path'] if told == file else []))}",
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
            Remedy("Choose another persistent path", _PERSISTENT),
        ),
    )


def _blamed_file(at: Situation) -> str:
    """Give the file to recover from when the node's words are about it, "" otherwise."""
    file, told = at.asked(_FILE), read_word(at.details.get("path"))
    said = f"{read_word(at.details.get('field'))} {at.message} {told}"
    return file if file and (file in said or re.search(r"recovery_?file|\.rdb\b", said)) else ""


def _blamed(at: Situation, asked: dict[str, str], own: dict[str, str], told: str) -> str:
    """Find the path that the node's words speak of: the longest one, since paths lie within each other."""
    said = f"{at.message} {told}"
    named = [part for part, path in asked.items() if re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w-])", said)]
    if named:
        return max(named, key=lambda part: len(asked[part]))
    names = (part for part in _KINDS if re.search(rf"\b{part.rpartition('.')[2]}", said))
    above = (part for part, path in asked.items() if told.startswith("/") and _is_within(path, told))
    left = (part for part, path in own.items() if path == told and part not in asked)
    usual = iter([_USUAL[told]] if told in _USUAL else [])
    alone = iter(asked if len(asked) == 1 and not told else ())
    return next((part for parts in (names, above, left, usual, alone) for part in parts), "")
