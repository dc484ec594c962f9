"""Failures of the machine or of its installation, and errors for which the node names no cause."""

from collections.abc import Iterator
from shlex import quote

from setup_wizard.bootstrap.error_catalogue.explanation import START_AGAIN, Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import MAX_NAMED, BootstrapFailure, write_sizes
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status.facts import read_text

_FLASH = "node.paths.bigstore_path"
_UNINSTALL = "On the node, remove the software: in its folder `bin`, run `sudo ./rl_uninstall.sh`."
_BEFORE_START = " before Start"
_INSTALLED = "Your entries are correct. This is set during installation and cannot be changed here."


def explain_insufficient_node_memory(failure: BootstrapFailure) -> Explanation:
    """Compare the node's memory with what is needed."""
    here, needed = failure.facts.total_memory, failure.number("required_memory")
    causes = [
        f"The node is a smaller machine than {_replaced(failure)}.",
        "The cluster counts only the memory that databases can use. The system keeps some of it.",
    ]
    remedies = [_larger_node(needed), START_AGAIN]
    if _is_enough(here, needed):
        causes.reverse()
        remedies.reverse()
    return Explanation(
        title="Not enough memory",
        meaning=f"{failure.node} has too little memory to replace {_replaced(failure)} in {failure.cluster}"
        f"{_sizes(here, needed)}. {failure.result}{failure.closing_sentences('required_memory')}",
        causes=tuple(causes),
        checks=(
            "On the node, `free -b` shows the memory of the machine.",
            "On a member, `rladmin status nodes` shows the memory of the failed node.",
            "Add memory and start again, or choose a larger node.",
        ),
        remedies=tuple(remedies),
        figures=_size_figures("Memory", here, needed),
    )


def explain_insufficient_node_flash(failure: BootstrapFailure) -> Explanation:
    """Compare the node's flash storage with what is needed."""
    here, needed = failure.facts.bigredis_storage_size, failure.number("required_flash")
    path = failure.requested(_FLASH) or failure.facts.bigredis_storage_path or "/var/opt/redislabs/flash"
    return Explanation(
        title="Not enough flash storage",
        meaning=f"{failure.node} has too little flash storage at {path} to replace {_replaced(failure)} in "
        f"{failure.cluster}{_sizes(here, needed)}. {failure.result}{failure.closing_sentences('required_flash')}",
        causes=(
            f"The disk at `{path}` is smaller than the flash disk of {_replaced(failure)}.",
            f"No flash disk is mounted at `{path}`, so the node counts its system disk.",
        ),
        checks=(
            f"On the node, `df -h {quote(path)}` shows the disk and its size.",
            "On a member, `rladmin status nodes` shows the flash storage of the failed node.",
        ),
        part=_FLASH,
        remedies=(Remedy("Choose another flash path", _FLASH), _larger_node(needed, " of flash")),
        figures=_size_figures("Flash storage", here, needed),
    )


def explain_socket_directory_mismatch(failure: BootstrapFailure) -> Explanation:
    """Say that the installation has to change, not the request."""
    here, there = failure.text("node_value"), failure.text("cluster_value")
    values = f" ({here} here, {there} there)" if here and there else ""
    option = f"`install.sh -s {quote(there)}`" if there else "`install.sh -s` and the directory of the cluster"
    return Explanation(
        title="Different socket directory",
        meaning=f"{failure.node} was installed with a different socket directory than {failure.cluster}{values}. All "
        f"nodes of a cluster need the same one. {failure.result} {_INSTALLED}"
        f"{failure.closing_sentences('node_value', 'cluster_value')}",
        causes=(
            "The software was installed on the node with another directory in `install.sh -s`, or without `-s`.",
            "A cluster installed before version 5.2.2 uses `/tmp`. Newer ones use `/var/opt/redislabs/run`.",
        ),
        checks=(
            (
                f"Compare the socket directories of the node and of {failure.members_in_words}: "
                "`/var/opt/redislabs/run` or `/tmp`."
            ),
            _UNINSTALL,
            f"Install it again with {option}, then start again.",
        ),
        remedies=(START_AGAIN,),
        figures=(Figure("Socket directory", here, there, there),) if here or there else (),
    )


def explain_node_config_mismatch(failure: BootstrapFailure) -> Explanation:
    """Name the settings of the installation that have to be the same on all nodes."""
    differing = list(_differing_settings(failure))
    # the installer adds "redislabs" to each folder itself
    options = " ".join(
        f"--{name.replace('_', '-')} {quote(there.removesuffix('/redislabs') or '/')}"
        for name, _, there in differing
        if name in _SETTINGS and there
    )
    again = f"`sudo ./install.sh {options}`" if options else "the options of the cluster"
    return Explanation(
        title="Different installation settings",
        meaning=f"{failure.node} was installed with other directories or another system user than {failure.cluster}. "
        f"All nodes of a cluster need the same ones. {failure.result} {_INSTALLED}"
        f"{failure.closing_sentences('mismatches')}",
        causes=(
            "The node was installed with another `--install-dir`, `--config-dir`, `--var-dir` or `--os-user`.",
            "The node was created from another image than the members of the cluster.",
        ),
        checks=(
            (
                f"Compare the node with {failure.members_in_words}: "
                "`ls -ld /opt/redislabs /etc/opt/redislabs /var/opt/redislabs`."
            ),
            "Compare the output of `id redislabs` too.",
            _UNINSTALL,
            f"Install it again with {again}, then start again.",
        ),
        remedies=(START_AGAIN,),
        figures=tuple(
            Figure(_SETTINGS.get(name, name), here, there, there) for name, here, there in differing if here or there
        ),
    )


_SETTINGS = {
    "install_dir": "Installation directory",
    "config_dir": "Configuration directory",
    "var_dir": "Data directory",
    "os_user": "System user",
    "os_group": "System group",
}


def _differing_settings(failure: BootstrapFailure) -> Iterator[tuple[str, str, str]]:
    """Yield each setting that differs, with its value on the node and in the cluster."""
    for entry in failure.entries("mismatches")[:MAX_NAMED]:
        name, here, there = (read_text(entry.get(key), 100) or "" for key in ("setting", "node_value", "cluster_value"))
        if name:
            yield name, here, there


def explain_internal_error(failure: BootstrapFailure) -> Explanation:
    """Say what is known when the node names no cause, and where its logs are."""
    return Explanation(
        title="Internal error on the node",
        meaning=f"{failure.node} started to {failure.verb} {failure.cluster} and stopped with internal_error, without "
        f"naming a cause. Your entries are saved, and the node accepts a new request.{failure.closing_sentences()}",
        causes=_usual_causes(failure),
        checks=_LOGS,
        remedies=(START_AGAIN,),
        figures=_software(failure),
    )


def explain_unknown(failure: BootstrapFailure, word: str) -> Explanation:
    """Show an undocumented code as it is, or say that there was none."""
    if word:
        title = f"Unknown error code: {word}"
        ending = f"stopped with {word}. This code is not documented; it may be newer than this wizard."
        version = failure.facts.software_version or "your version"
        checks: tuple[str, ...] = (*_LOGS, f"Look up {word} in the release notes of {version}.")
    else:
        title, ending, checks = "The node sent no error code", "stopped without an error code.", _LOGS
    return Explanation(
        title=title,
        meaning=f"{failure.node} started to {failure.verb} {failure.cluster} and {ending} Your entries are saved, "
        f"and the node accepts a new request.{failure.closing_sentences()}",
        causes=_usual_causes(failure),
        checks=checks,
        remedies=(START_AGAIN,),
        figures=_software(failure),
    )


def _usual_causes(failure: BootstrapFailure) -> tuple[str, ...]:
    asked = map(failure.requested, ("node.paths.persistent_path", "node.paths.ephemeral_path"))
    paths = [path for path in asked if path]
    disks = f"The disk at {' or at '.join(f'`{path}`' for path in paths)} is full, or was mounted after the start."
    return (
        "A service on the node was restarting, or did not start.",
        "An earlier installation or attempt left files on the node.",
        *([disks] if paths else []),
    )


_LOGS = (
    "On the node, `sudo tail -n 200 /var/opt/redislabs/log/cnm_exec.log` shows the last steps.",
    "On the node, `sudo /opt/redislabs/bin/rlcheck` lists services that do not run.",
)


def _larger_node(needed: float | None, kind: str = "") -> Remedy:
    """Lead back to the choice of the node, with the size that is needed when its unit is known."""
    size = format_size(needed)
    return Remedy(f"Choose a node with {size}{kind} or more" if size else "Choose a larger node", "address")


def _replaced(failure: BootstrapFailure) -> str:
    return f"node {failure.replaces}" if failure.replaces is not None else "the failed node"


def _sizes(here: float | None, needed: float | None) -> str:
    own = f"here{_BEFORE_START if _is_enough(here, needed) else ''}"
    sizes = zip(write_sizes(here, needed), (own, "needed"), strict=True)
    compared = ", ".join(f"{size} {label}" for size, label in sizes if size)
    return f": {compared}" if compared else ""


def _is_enough(here: float | None, needed: float | None) -> bool:
    """Whether the node reported enough, and the cluster counted less afterwards."""
    same_unit = bool(format_size(here)) == bool(format_size(needed))
    return here is not None and needed is not None and same_unit and here >= needed


def _size_figures(label: str, here: float | None, needed: float | None) -> tuple[Figure, ...]:
    own, wanted = write_sizes(here, needed)
    if _is_enough(here, needed):
        own += _BEFORE_START
    return (Figure(label, own, needed=wanted),) if own or wanted else ()


def _software(failure: BootstrapFailure) -> tuple[Figure, ...]:
    version = failure.facts.software_version
    return (Figure("Software", version),) if version else ()
