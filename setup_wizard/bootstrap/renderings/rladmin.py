"""The request as a Bash script with `rladmin`.

Reference: https://redis.io/docs/latest/operate/rs/references/cli-utilities/rladmin/cluster/
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.renderings.bash import ask, quote, start_script
from setup_wizard.bootstrap.renderings.variables import FREE_OBJECTS, Bootstrap, Variable

_Option = tuple[list[str], Any]  # the words of an option, and what it leaves out
_Write = Callable[[Any], _Option]


def _flag(word: str) -> _Write:
    return lambda value: ([word] if value else [], None)


def _option(word: str) -> _Write:
    return lambda value: ([word, quote(value)], None)


def _first(word: str) -> _Write:
    return lambda values: ([word, quote(values[0])], values[1:])


def _all(word: str) -> _Write:
    return lambda values: ([word, *map(quote, values)], None)


def _choice(word: str) -> _Write:
    return lambda value: ([word, "enabled" if value else "disabled"], None)


_PLACE: Final[Mapping[str, _Write]] = {
    "node.paths.ephemeral_path": _option("ephemeral_path"),
    "node.paths.persistent_path": _option("persistent_path"),
    "node.paths.ccs_persistent_path": _option("ccs_persistent_path"),
    "node.identity.rack_id": _option("rack_id"),
    "node.identity.second_rack_id": _option("second_rack_id"),
    "node.bigstore_enabled": _flag("flash_enabled"),
    "node.paths.bigstore_path": _option("flash_path"),
    "node.identity.addr": _option("addr"),
}
# in the order in which they are written: external_addr takes all words after it
_OPTIONS: Final[Mapping[Action, Mapping[str, _Write]]] = {
    Action.CREATE: {
        "cluster.name": _option("name"),
        "credentials.username": _option("username"),
        "credentials.password": _option("password"),
        "node.identity.uid": _option("node_uid"),
        "policy.rack_aware": _flag("rack_aware"),
        "license": _option("license_file"),
        **_PLACE,
        "node.identity.external_addr": _all("external_addr"),
    },
    Action.JOIN: {
        "cluster.nodes": _first("nodes"),
        "credentials.username": _option("username"),
        "credentials.password": _option("password"),
        "credentials.client_cert": _option("client_cert"),
        "credentials.client_key": _option("client_key"),
        "credentials.trusted_ca": _option("trusted_ca"),
        "node.identity.override_rack_id": _flag("override_rack_id"),
        "node.identity.uid": _option("replace_node"),
        "node.identity.accept_servers": _choice("accept_servers"),
        **_PLACE,
        "node.identity.external_addr": _all("external_addr"),
    },
    Action.RECOVER: {
        "recovery_filename": _option("filename"),
        "node.identity.override_rack_id": _flag("override_rack_id"),
        "node.identity.uid": _option("node_uid"),
        **_PLACE,
        "node.identity.external_addr": _first("external_addr"),
    },
}
_FILES: Final = ("license", "credentials.client_cert", "credentials.trusted_ca")


def render_rladmin(bootstrap: Bootstrap) -> str:
    """Write a script with the command, and what the command cannot express as comments."""
    left = dict(_leaves(bootstrap.shown))
    variables = {path: each for path, each in _leaves(bootstrap.document) if isinstance(each, Variable)}
    del left["action"]
    if "node.bigstore_driver" in left:
        left.setdefault("node.bigstore_enabled", True)  # how older versions turn flash on
    files: list[str] = []
    options: list[list[str]] = []
    asked: list[Variable] = []
    for path, write in _OPTIONS[bootstrap.action].items():
        if path in left:
            option, rest = write(left.pop(path))
            if rest:
                left[path] = rest
            if variable := variables.get(path):
                asked.append(variable)
                option = [option[0], f'"${variable.shell}"']
            if path in _FILES and path not in variables:
                files.append(f"printf '%s\\n' {option[1]} >\"$files/{option[0]}\"")
                option = [option[0], f'"$files/{option[0]}"']
            options.append(option)
    directory = ["files=$(mktemp -d)", "trap 'rm -r \"$files\"' EXIT", *files] if files else []
    command = ["rladmin cluster", bootstrap.action.value.removesuffix("_cluster")]
    lines = [
        *start_script(bootstrap.title),
        "# An argument can be seen in the list of processes while rladmin runs. On a shared machine, start rladmin",
        "# without arguments and type the command at its prompt.",
        *ask(tuple(asked)),
        *directory,
        " \\\n  ".join([" ".join(command), *(" ".join(option) for option in options if option)]),
        *_unsupported(left),
    ]
    return "\n".join(lines) + "\n"


def _unsupported(left: Mapping[str, Any]) -> Iterator[str]:
    """Name what rladmin cannot set, each on one line."""
    rest = {path: value for path, value in left.items() if value != []}
    if rest:
        yield ""
        yield "# rladmin cannot set these:"
    for path, value in rest.items():
        yield f"# {path}: {json.dumps(value, ensure_ascii=False)}"


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, entry in value.items():
        if isinstance(entry, Mapping) and prefix + key not in FREE_OBJECTS:
            yield from _leaves(entry, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", entry
