"""Failures of the machine or of its installation, and errors for which the node names no cause."""

from shlex import quote

from setup_wizard.bootstrap.error_catalogue.explanation import START_AGAIN, Explanation, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, compare_sizes
from setup_wizard.bootstrap.sizes import format_size

_FLASH = "node.paths.bigstore_path"
_INSTALLED = "Your entries are correct. This is set during installation and cannot be changed here."


def explain_insufficient_node_memory(failure: BootstrapFailure) -> Explanation:
    """Compare the node's memory with what is needed."""
    here, needed = failure.facts.total_memory, failure.number("required_memory")
    same_unit = bool(format_size(here)) == bool(format_size(needed))
    is_enough = here is not None and needed is not None and same_unit and here >= needed
    causes = [
        f"The node is a smaller machine than {_replaced(failure)}.",
        "The cluster counts only the memory that databases can use. The system keeps some of it.",
    ]
    remedies = [_larger_node(needed), START_AGAIN]
    if is_enough:
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
    )


def explain_socket_directory_mismatch(failure: BootstrapFailure) -> Explanation:
    """Say that the installation has to change, not the request."""
    return Explanation(
        title="Different socket directory",
        meaning=f"{failure.node} was installed with a different socket directory than {failure.cluster}. All nodes of "
        f"a cluster need the same one. {failure.result} {_INSTALLED}{failure.closing_sentences()}",
        causes=(
            "The software was installed on the node with another directory in `install.sh -s`, or without `-s`.",
            "A cluster installed before version 5.2.2 uses `/tmp`. Newer ones use `/var/opt/redislabs/run`.",
        ),
        checks=(
            (
                f"Compare the socket directories of the node and of {failure.members_in_words}: "
                "`/var/opt/redislabs/run` or `/tmp`."
            ),
            "Reinstall the software on the node with `install.sh -s` and the directory of the cluster.",
        ),
        remedies=(START_AGAIN,),
    )


def explain_node_config_mismatch(failure: BootstrapFailure) -> Explanation:
    """Name the settings of the installation that have to be the same on all nodes."""
    return Explanation(
        title="Different installation settings",
        meaning=f"{failure.node} was installed with other directories or another system user than {failure.cluster}. "
        f"All nodes of a cluster need the same ones. {failure.result} {_INSTALLED}{failure.closing_sentences()}",
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
            "Reinstall the software on the node with the options of the cluster.",
        ),
        remedies=(START_AGAIN,),
    )


def explain_internal_error(failure: BootstrapFailure) -> Explanation:
    """Say what is known when the node names no cause, and where its logs are."""
    return Explanation(
        title="Internal error on the node",
        meaning=f"{failure.node} started to {failure.verb} {failure.cluster} and stopped with internal_error, without "
        f"naming a cause. Your entries are saved, and the node accepts a new request.{failure.closing_sentences()}",
        causes=_usual_causes(failure),
        checks=_LOGS,
        remedies=(START_AGAIN,),
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
    )


def _usual_causes(failure: BootstrapFailure) -> tuple[str, ...]:
    paths = filter(None, map(failure.requested, ("node.paths.persistent_path", "node.paths.ephemeral_path")))
    return (
        "A service on the node was restarting, or did not start.",
        "An earlier installation or attempt left files on the node.",
        *(f"The disk at `{path}` is full, or was mounted after the software started." for path in paths),
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
    sizes = compare_sizes(here, needed)
    return f": {sizes}" if sizes else ""
