"""What the machine is or how its software was installed; and what the node could not put a name to."""

from shlex import quote

from setup_wizard.bootstrap.catalogue.shapes import START_AGAIN, Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, compared
from setup_wizard.bootstrap.sizes import format_size

_FLASH = "node.paths.bigstore_path"


def explain_insufficient_node_memory(at: Situation) -> Explanation:
    """Put the node's memory beside what is needed."""
    here, needed = at.facts.total_memory, at.number("required_memory")
    same_unit = bool(format_size(here)) == bool(format_size(needed))
    is_enough = here is not None and needed is not None and same_unit and here >= needed
    causes = [
        f"{at.node} is a smaller machine than {_replaced(at)}.",
        "The cluster counts only the memory that databases may use, and keeps some of it for the system.",
    ]
    remedies = [_larger_node(needed), START_AGAIN]
    if is_enough:
        causes.reverse()
        remedies.reverse()
    return Explanation(
        title="This node has too little memory for the one it replaces",
        meaning=f"{at.node} was to take the place of {_replaced(at)} in {at.cluster}, and what it has to hold "
        f"takes more memory{_beside(here, needed)}. The node stayed out.{at.words('required_memory')}",
        causes=tuple(causes),
        checks=(
            f"On {at.node}, `free -b` shows what the machine really has.",
            "On a member, `rladmin status nodes` shows the memory of the node that failed.",
            f"Give {at.node} more memory and start again, or choose a larger machine.",
        ),
        remedies=tuple(remedies),
    )


def explain_insufficient_node_flash(at: Situation) -> Explanation:
    """Put the node's flash storage beside what is needed."""
    here, needed = at.facts.bigredis_storage_size, at.number("required_flash")
    path = at.asked(_FLASH) or at.facts.bigredis_storage_path or "/var/opt/redislabs/flash"
    return Explanation(
        title="This node has too little flash storage for the one it replaces",
        meaning=f"{at.node} was to take the place of {_replaced(at)} in {at.cluster}, and what it has to hold "
        f"takes more flash storage{_beside(here, needed, f' at {path}')}. The node stayed out."
        f"{at.words('required_flash')}",
        causes=(
            f"The disk at {path} is smaller than the one of {_replaced(at)}.",
            f"No flash disk is mounted at {path}, so the node counts the system's own disk there.",
        ),
        checks=(
            f"On {at.node}, `df -h {quote(path)}` shows which disk that is and how large.",
            "On a member, `rladmin status nodes` shows the flash storage of the node that failed.",
        ),
        part=_FLASH,
        remedies=(Remedy("Choose another flash path", _FLASH), _larger_node(needed, " of flash")),
    )


def explain_socket_directory_mismatch(at: Situation) -> Explanation:
    """Say where the directory was settled: at the installation, not on the page."""
    return Explanation(
        title="The node was installed with another socket directory than the cluster",
        meaning=f"All nodes of a cluster keep their sockets in the same directory. {at.node} was installed with "
        f"another one than {at.cluster}, so it stayed out. What you entered is right: the directory is settled when "
        f"the software is installed, and cannot be changed from here.{at.words()}",
        causes=(
            f"The software was installed on {at.node} with `install.sh -s` and another directory, or without it.",
            "The cluster began before version 5.2.2 and keeps its sockets in /tmp; today it is /var/opt/redislabs/run.",
        ),
        checks=(
            f"Compare where the sockets lie on {at.node} and on {at.member}: /var/opt/redislabs/run or /tmp.",
            f"Install the software on {at.node} again, with `install.sh -s` and the cluster's directory.",
        ),
        remedies=(START_AGAIN,),
    )


def explain_node_config_mismatch(at: Situation) -> Explanation:
    """Say which settings have to be alike: those of the installation, not those of the page."""
    return Explanation(
        title="The node was installed differently from the cluster",
        meaning=f"All nodes of a cluster share the directories and the system user that the software was installed "
        f"with. Those of {at.node} differ from those of {at.cluster}, so it stayed out. What you entered is right: "
        f"these settings are made when the software is installed, and cannot be changed from here.{at.words()}",
        causes=(
            f"{at.node} was installed with another `--install-dir`, `--config-dir`, `--var-dir` or `--os-user`.",
            f"{at.node} was made from another image than the members of {at.cluster}.",
        ),
        checks=(
            f"Compare `ls -ld /opt/redislabs /etc/opt/redislabs /var/opt/redislabs` on {at.node} and on {at.member}.",
            f"Compare `id redislabs` on both{_version(at)}.",
            f"Install the software on {at.node} again, with the options that the cluster was installed with.",
        ),
        remedies=(START_AGAIN,),
    )


def explain_internal_error(at: Situation) -> Explanation:
    """Say what is known where the node itself has no name for it, and where its logs are."""
    return Explanation(
        title="The node stopped without naming a cause",
        meaning=f"{at.node} began to {at.verb} {at.cluster} and stopped with internal_error, its word for whatever it "
        f"has no other word for. It takes a new request: what you entered is kept.{at.words()}",
        causes=_stopped(at),
        checks=_logs(at),
        remedies=(START_AGAIN,),
    )


def explain_unknown(at: Situation, word: str) -> Explanation:
    """Show a code that is not documented as it is, or say that there was none."""
    if word:
        title = f"The node stopped and named a cause that is not documented: {word}"
        reason = f"stopped with {word}, a word that may be newer than this page"
    else:
        title = "The node stopped and gave no cause"
        reason = "stopped, and its answer holds no error code"
    return Explanation(
        title=title,
        meaning=f"{at.node} began to {at.verb} {at.cluster} and {reason}. It takes a new request: what you entered "
        f"is kept.{at.words()}",
        causes=_stopped(at),
        checks=(*_logs(at), *((f"Look {word} up in the notes of your version{_version(at)}.",) if word else ())),
        remedies=(START_AGAIN,),
    )


def _stopped(at: Situation) -> tuple[str, ...]:
    causes = [
        f"A service of {at.node} was restarting or did not start.",
        f"Something is left on {at.node} of an earlier installation or of an earlier attempt.",
    ]
    paths = filter(None, map(at.asked, ("node.paths.persistent_path", "node.paths.ephemeral_path")))
    return (*causes, *(f"The disk at {path} is full, or was mounted after the software started." for path in paths))


def _logs(at: Situation) -> tuple[str, ...]:
    return (
        f"On {at.node}, `sudo tail -n 200 /var/opt/redislabs/log/cnm_exec.log` shows the last steps.",
        f"On {at.node}, `sudo /opt/redislabs/bin/rlcheck` names services that do not run.",
    )


def _larger_node(needed: float | None, kind: str = "") -> Remedy:
    """Lead to the choice of the node, with what it must have where the figure is in a unit that we know."""
    size = format_size(needed)
    return Remedy(f"Choose a node with {size}{kind} or more" if size else "Choose a larger node", "address")


def _replaced(at: Situation) -> str:
    return f"node {at.replaces}" if at.replaces is not None else "the failed node"


def _beside(here: float | None, needed: float | None, where: str = "") -> str:
    amounts = compared(here, needed)
    return f"{where}: {amounts}" if amounts else f" than is here{where}"


def _version(at: Situation) -> str:
    return f" ({at.node} runs {at.facts.software_version})" if at.facts.software_version else ""
