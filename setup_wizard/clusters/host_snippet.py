"""The command that collects on each node what its API does not tell. Its output is text for `host_facts.py`."""

from importlib.resources import files
from shlex import quote
from typing import Final

from setup_wizard.clusters.document import PlanDocument
from setup_wizard.nodes.address import Address, AddressInvalid

PATHS: Final = ("/var/opt/redislabs/persist", "/var/opt/redislabs/tmp")
"""The paths of a default installation."""
PORTS: Final = (8443, 8001, 3333)
"""Besides the port of the API: one of each group of ports that the nodes of a cluster use among themselves."""
SCRIPT: Final = files("setup_wizard.clusters").joinpath("host_snippet.sh").read_text(encoding="utf-8")


def host_command(content: PlanDocument) -> str:
    """A loop over ssh that runs the script on every node of the plan; it changes nothing there."""
    hosts: dict[str, list[str]] = {}
    peers: list[str] = []
    for node in content.nodes:
        try:
            address = Address.parse(node.address)
        except AddressInvalid:
            continue
        hosts.setdefault(address.on_the_node, []).append(address.host)
        peers += [f"{node.addr or address.host}/{port}" for port in (address.port, *PORTS)]
    paths = " ".join(_paths(content))
    loops = []
    for local, names in hosts.items():
        given = f"api={quote(local)}\npaths={quote(paths)}\npeers={quote(' '.join(peers))}"
        listed = " ".join(quote(name) for name in names)
        loops.append(f"for node in {listed}; do ssh \"$node\" sh -s <<'HOST_FACTS'\n{given}\n{SCRIPT}HOST_FACTS\ndone")
    return "\n".join(loops)


def _paths(content: PlanDocument) -> list[str]:
    """The paths of all nodes; those of a default installation while the plan has none."""
    every = [paths for node in content.nodes for paths in (node.paths, content.defaults.paths)]
    found = [path for paths in every for path in (paths.persistent_path, paths.ephemeral_path) if path]
    return list(dict.fromkeys(found or PATHS))
