"""Storage that the node cannot use: which path, what is wrong with it, and which path to use instead."""

import re
from dataclasses import dataclass
from shlex import quote
from typing import Final

from setup_wizard.bootstrap.error_catalogue.explanation import Explanation, Figure, Remedy
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
    needed: str
    cause: str
    checks: tuple[str, ...]
    title: str = "{path} cannot be used"
    is_usable: bool = True
    """Whether the same path can work after the checks."""


_CREATE: Final = "On the node, `sudo mkdir -p {path}` creates it."
_OWN: Final = "On the node, `sudo chown redislabs: {path}` makes the software its owner."
_TEST: Final = "On the node, `sudo -u redislabs test -w {path} && echo writable` should then print “writable”."
_NFS: Final = _Problem(
    r"\bnfs\d?\b|network (?:share|file)",
    "it is on a network share",
    "a local disk",
    "Persistent storage must be on a local disk. NFS is not supported.",
    ("On the node, `df -hT {path}` shows the disk and its file system.", "Choose a path on a local disk."),
    is_usable=False,
)
_MISSING: Final = _Problem(
    r"not exist|no such|not found|missing|absent|cannot be (?:made|created)",
    "it does not exist",
    "a directory of redislabs",
    "`{path}` was never created, or its disk is not mounted.",
    (_CREATE, _OWN, _TEST),
)
_DENIED: Final = _Problem(
    r"permission|denied|not permitted|writ(?:e|able|ten)",
    "the software cannot write to it",
    "write access for redislabs",
    "`{path}` belongs to root. The software runs as the user `redislabs`, which must own it.",
    (_OWN, _TEST),
)
# the first match counts; what cannot be made does not exist, whatever the reason
_PROBLEMS: Final = (
    _Problem(
        r"not (?:a )?mount(?:ed|[ -]?point)|unmounted",
        "nothing is mounted there",
        "a mounted disk",
        "A default installation accepts its own storage paths only. Any other path must be the mount point of a disk.",
        (
            "On the node, `findmnt --target {path}` shows what is mounted there.",
            "Mount a disk at {path}, or use a path of the installation. Creating the directory does not help.",
        ),
        "{path} is not mounted",
    ),
    _NFS,
    _Problem(
        r"not a director",
        "it is not a directory",
        "a directory",
        "`{path}`, or a folder above it, is a file.",
        ("On the node, `namei -l {path}` shows what each part of the path is.",),
    ),
    _Problem(
        r"read[- ]only",
        "it is read-only",
        "write access for redislabs",
        "The disk was mounted read-only, or became read-only after an error.",
        ("On the node, `findmnt --target {path}` shows how it is mounted.", _TEST),
    ),
    _Problem(
        r"no space|quota|\bfull\b",
        "its disk is full",
        "free space",
        "Other data fills the disk, or the disk is too small.",
        ("On the node, `df -hT {path}` shows how full it is.",),
    ),
    _MISSING,
    _DENIED,
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
    state = problem.state if problem and path else "it does not exist, or the software cannot write to it"
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
        figures=_figures(part, path, problem),
    )


def _figures(part: str, path: str, problem: _Problem | None) -> tuple[Figure, ...]:
    if not path:
        return ()
    label = f"{_KINDS[part].capitalize()} storage" if part else "Path"
    return (Figure(label, path, needed=problem.needed if problem else "a directory that redislabs can write to"),)


def _remedies(field: str, path: str, own: str, failed: list[str], problem: _Problem | None) -> tuple[Remedy, ...]:
    remedies = [Remedy(f"Choose another {_KINDS[field]} path", field)]
    if own and not any(each and _is_within(own, each) for each in failed):
        remedies.insert(0, Remedy(f"Use {own}", field, {field: own}))
    if path and (problem is None or problem.is_usable):
        remedies.append(Remedy(f"Retry with {path}", ""))
    return tuple(remedies)


def _likely(problem: _Problem | None) -> tuple[_Problem, ...]:
    """Give the problem, or the likely ones when the node names none."""
    return (problem,) if problem else (_MISSING, _DENIED, _NFS)


def _checks(problem: _Problem | None, path: str) -> tuple[str, ...]:
    if not path:
        return ("On the node, `ls -ld /var/opt/redislabs/*` shows the paths of a default installation.",)
    checks = problem.checks if problem else (_CREATE, _OWN, _TEST, _NFS.checks[0])
    return tuple(check.replace("{path}", quote(path)) for check in checks)


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
        meaning=f"{failure.node} could not read {place}: it is missing, or the software cannot read it. "
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
        figures=(Figure("Recovery file", file, needed="a file that redislabs can read"),),
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
