"""Storage that the node cannot use: which path, what is wrong with it, and which path to use instead."""

import re
from dataclasses import dataclass
from shlex import quote
from typing import Final

from setup_wizard.bootstrap.error_catalogue.explanation import Explanation, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, join_words, read_word
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
class _Problem:
    """What can be wrong with a path; `{path}` stands in the texts, quoted for a shell in the checks."""

    pattern: str
    state: str
    cause: str
    check: str
    title: str = "{path} cannot be used"


_NFS: Final = _Problem(
    r"\bnfs\d?\b|network (?:share|file)",
    "it is on a network share",
    "Persistent storage must be on a local disk. NFS is not supported.",
    "On the node, `df -hT {path}` shows the disk and its file system.",
)
# the first match counts
_PROBLEMS: Final = (
    _Problem(
        r"not (?:a )?mount(?:ed|[ -]?point)|unmounted",
        "nothing is mounted there",
        "A default installation accepts its own storage paths only. Any other path must be the mount point of a disk.",
        "On the node, `findmnt --target {path}` shows what is mounted there.",
        "{path} is not mounted",
    ),
    _NFS,
    _Problem(
        r"not a director",
        "it is not a directory",
        "`{path}` is a file.",
        "On the node, `ls -ld {path}` shows what it is.",
    ),
    _Problem(
        r"read[- ]only",
        "it is read-only",
        "The disk was mounted read-only, or became read-only after an error.",
        "On the node, `findmnt --target {path}` shows how it is mounted.",
    ),
    _Problem(
        r"no space|quota|\bfull\b",
        "its disk is full",
        "Other data fills the disk, or the disk is too small.",
        "On the node, `df -hT {path}` shows how full it is.",
    ),
    _Problem(
        r"permission|denied|not permitted|writ(?:e|able|ten)",
        "the software may not write to it",
        "`{path}` belongs to root. The software runs as the user `redislabs`, which must own it.",
        "On the node, `sudo chown redislabs: {path}` makes the software its owner.",
    ),
    _Problem(
        r"not exist|no such|not found|missing|absent",
        "it does not exist",
        "`{path}` was never created, or its disk is not mounted.",
        "On the node, `sudo install -d -o redislabs -g redislabs {path}` creates it.",
    ),
)
_UNKNOWN_PATH: Final = "A path"

KEYWORDS: Final = (*(each.pattern for each in _PROBLEMS), *(part.rpartition(".")[2] for part in _KINDS))
"""What is searched for in a node's message."""


def explain_path_error(failure: BootstrapFailure) -> Explanation:
    """Name the path and what is wrong with it, and offer the path that the node uses now."""
    if failure.recovers and (file := _find_file(failure)):
        return _explain_file(failure, file)
    asked = {part: path for part in _KINDS if (path := failure.requested(part))}
    own = _own_paths(failure)
    told = read_word(failure.details.get("path"))
    part = _find_part(failure, asked, own, told)
    path = asked.get(part) or (told if told.startswith("/") else "")
    if path:
        which = f"its {_KINDS[part]} storage at {path}" if part else path
    elif asked:
        which = f"one of its paths ({join_words(f'{_KINDS[key]} {each}' for key, each in asked.items())})"
    else:
        which = "one of its default paths"
    field = part or _PERSISTENT
    shown = path or asked.get(field) or own.get(field, "")
    problem = _find_problem(failure)
    title = problem.title if problem and path else "{path} cannot be used"
    state = problem.state if problem and path else "it does not exist, or the software may not write to it"
    return Explanation(
        title=title.replace("{path}", path or _UNKNOWN_PATH),
        meaning=f"{failure.node} could not use {which}: {state}. {failure.result}"
        f"{failure.closing_sentences(*(['path'] if told == path else []))}",
        causes=tuple(
            each.cause.replace("{path}", shown) if shown else each.cause.replace("`{path}`", "The path")
            for each in _likely(problem)
        ),
        checks=_checks(problem, shown),
        part=field,
        remedies=_remedies(field, path, own.get(field, ""), [asked.get(field, ""), told], problem),
    )


def _remedies(field: str, path: str, own: str, failed: list[str], problem: _Problem | None) -> tuple[Remedy, ...]:
    remedies = [Remedy(f"Choose another {_KINDS[field]} path", field)]
    if own and not any(each and _is_within(own, each) for each in failed):
        remedies.insert(0, Remedy(f"Use {own}", field, {field: own}))
    if path and problem is not _NFS:  # after the checks the same path can work
        remedies.append(Remedy(f"Retry with {path}", ""))
    return tuple(remedies)


def _likely(problem: _Problem | None) -> tuple[_Problem, ...]:
    """Give the problem, or the likely ones when the node names none."""
    return (problem,) if problem else (_PROBLEMS[-1], _PROBLEMS[-2], _NFS)


def _checks(problem: _Problem | None, path: str) -> tuple[str, ...]:
    if not path:
        return ("On the node, `ls -ld /var/opt/redislabs/*` shows the paths of a default installation.",)
    quoted = quote(path)
    return (
        f"On the node, `sudo -u redislabs test -w {quoted} && echo writable` should print “writable”.",
        *dict.fromkeys(each.check.replace("{path}", quoted) for each in _likely(problem)),
    )


def _find_problem(failure: BootstrapFailure) -> _Problem | None:
    """Find what the node's message says is wrong."""
    if read_word(failure.details.get("file_system")).startswith("nfs"):
        return _NFS
    text = re.sub(r"/\S*", "", failure.message).lower()  # without paths, which may contain any word
    return next((each for each in _PROBLEMS if re.search(each.pattern, text)), None)


def _own_paths(failure: BootstrapFailure) -> dict[str, str]:
    """The paths that the node uses now, by their field."""
    facts = failure.facts
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


def _explain_file(failure: BootstrapFailure, file: str) -> Explanation:
    """Say that the recovery file cannot be read."""
    place = file if file.startswith("/") else f"{file} in its persistent storage"
    folder = failure.requested(_PERSISTENT) or _own_paths(failure).get(_PERSISTENT, "")
    shown = quote(file if file.startswith("/") else f"{folder.rstrip('/')}/{file}")
    told = read_word(failure.details.get("path"))
    return Explanation(
        title="The recovery file cannot be read",
        meaning=f"{failure.node} could not read {place}: it is missing, or the software may not read it. "
        f"{failure.result}{failure.closing_sentences(*(['path'] if told == file else []))}",
        causes=(
            "The file is on another machine. It must be on the node itself.",
            "The disk with the file is not mounted, or is mounted elsewhere.",
            "The file belongs to root. The software runs as the user `redislabs` and must be able to read it.",
        ),
        checks=(
            f"On the node, `sudo -u redislabs head -c 5 {shown}` should print REDIS.",
            f"If the file is there, `sudo chown redislabs: {shown}` lets the software read it.",
            "On the node, `sudo find / -name ccs-redis.rdb -size +0 2>/dev/null` lists every copy.",
        ),
        part=_FILE,
        remedies=(
            Remedy("Enter another file", _FILE),
            Remedy("Choose another persistent path", _PERSISTENT),
        ),
    )


def _find_file(failure: BootstrapFailure) -> str:
    """Give the recovery file when the node's message is about it, "" otherwise."""
    file, told = failure.requested(_FILE), read_word(failure.details.get("path"))
    text = f"{read_word(failure.details.get('field'))} {failure.message} {told}"
    return file if file and (file in text or re.search(r"recovery_?file|\.rdb\b", text)) else ""


def _find_part(failure: BootstrapFailure, asked: dict[str, str], own: dict[str, str], told: str) -> str:
    """Find the field of the path that the node means: the longest, because paths lie within each other."""
    text = f"{failure.message} {told}"
    named = [part for part, path in asked.items() if re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w-])", text)]
    if named:
        return max(named, key=lambda part: len(asked[part]))
    by_name = (part for part in _KINDS if re.search(rf"\b{part.rpartition('.')[2]}", text))
    below = (part for part, path in asked.items() if told.startswith("/") and _is_within(path, told))
    by_default = (part for part, path in own.items() if path == told and part not in asked)
    usual = iter([_USUAL[told]] if told in _USUAL else [])
    only = iter(asked if len(asked) == 1 and not told else ())
    return next((part for parts in (by_name, below, by_default, usual, only) for part in parts), "")
