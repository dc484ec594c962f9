"""Judge what was collected on the nodes. Nothing here blocks Start: it was pasted, and may have changed since."""

import math
from collections.abc import Callable, Iterator
from typing import Final

from setup_wizard.attempts.preflight import CheckOutcome, Level
from setup_wizard.attempts.preflight.machine_checks import MAX_SKEW
from setup_wizard.attempts.preflight.results import Result
from setup_wizard.clusters.host_facts import HostFacts, PeerFacts
from setup_wizard.clusters.models import Plan

OWNER: Final = "redislabs"
FIRST_FREE_PORT: Final = 30000  # databases and their proxies use the ports below
NETWORK_FILE_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb", "fuse.sshfs", "9p"})
OWN_DNS: Final = "pdns"  # the name server that is installed with the node

Finding = tuple[Level, str]


def judge(facts: HostFacts) -> list[CheckOutcome]:
    """Give every check of one node with its result."""
    return [_outcome(name, title, check(facts)) for name, title, check in _CHECKS]


def outcomes_of(plan: Plan) -> dict[str, list[CheckOutcome]]:
    """Give the results of every node whose output was pasted, by its address."""
    rows = plan.looks.exclude(host_facts=None).values_list("address", "host_facts")
    return {address: judge(HostFacts.from_json(stored)) for address, stored in rows if stored}


def _outcome(name: str, title: str, finding: Finding) -> CheckOutcome:
    level, message = finding
    return CheckOutcome(f"host_{name}", title, Result(level=level, message=message, part=""))


def _unread(what: str) -> Finding:
    return Level.NOT_CHECKED, f"The command could not read {what} on the node. Check it there."


def _port53(facts: HostFacts) -> Finding:
    state, _, program = facts.value("port53").partition(" ")
    if state == "free":
        return Level.PASSED, "Port 53 is free."
    if state != "used":
        return _unread("who uses port 53")
    programs = program.split()
    if programs and all(each.startswith(OWN_DNS) for each in programs):
        return Level.PASSED, "Port 53 belongs to the node's own name server."
    by = f" by `{' '.join(programs)}`" if programs else ""
    remedy = "Stop that program, or keep it off port 53."
    if not programs or any(each.startswith("systemd-resolve") for each in programs):
        remedy = (
            "If it is systemd-resolved: set `DNSStubListener=no` in `/etc/systemd/resolved.conf`, then run "
            "`sudo ln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf` and "
            "`sudo systemctl restart systemd-resolved`."
        )
    return Level.WARNING, f"Port 53 is in use{by}. The cluster answers DNS queries on it. {remedy}"


def _swap(facts: HostFacts) -> Finding:
    match facts.value("swap"):
        case "off":
            return Level.PASSED, "Swap is off."
        case "on":
            return Level.WARNING, (
                "Swap is on, which slows databases down. Turn it off: `sudo swapoff -a`, and remove the swap line "
                "from `/etc/fstab`."
            )
    return _unread("`/proc/swaps`")


def _huge_pages(facts: HostFacts) -> Finding:
    match facts.value("huge_pages"):
        case "never" | "madvise":
            return Level.PASSED, "Transparent huge pages are not forced."
        case "always":
            return Level.WARNING, (
                "Transparent huge pages are on, which delays databases. Turn them off: "
                "`echo never | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`, and at each start of the machine."
            )
    return _unread("the setting of transparent huge pages")


def _port_range(facts: HostFacts) -> Finding:
    words = facts.value("port_range").split()
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        return _unread("`ip_local_port_range`")
    if int(words[0]) >= FIRST_FREE_PORT:
        return Level.PASSED, f"Outgoing connections use the ports {words[0]} to {words[1]}."
    return Level.WARNING, (
        f"Outgoing connections use the ports {words[0]} to {words[1]}, which databases need too. Run "
        f"`sudo sysctl -w net.ipv4.ip_local_port_range='{FIRST_FREE_PORT} 65535'` and add it to `/etc/sysctl.conf`."
    )


def _clock(facts: HostFacts) -> Finding:
    seconds, _, state = facts.value("clock").partition(" ")
    try:
        offset = float(seconds)
    except ValueError:
        offset = math.nan
    if not math.isfinite(offset):
        return Level.NOT_CHECKED, "`chronyc tracking` gave no answer. Check that the clock is synchronized."
    if state.strip() == "not":
        return Level.WARNING, (
            "chrony is not synchronized. Check its servers with `chronyc sources`, then run `sudo chronyc makestep`."
        )
    if abs(offset) > MAX_SKEW:
        return Level.WARNING, f"The clock is {abs(offset):.0f} s off. Run `sudo chronyc makestep`."
    return Level.PASSED, f"The clock is at most {max(abs(offset), 0.001):.3f} s off."


def _localhost(facts: HostFacts) -> Finding:
    match facts.value("localhost"):
        case "yes" | "no_ipv6":
            return Level.PASSED, "`localhost` resolves."
        case "no":
            return Level.WARNING, (
                "`/etc/hosts` has no line `::1 localhost`, so programs on the node may not find each other over IPv6. "
                "Add it: `echo '::1 localhost' | sudo tee -a /etc/hosts`."
            )
    return _unread("`/etc/hosts`")


def _paths(facts: HostFacts) -> Finding:
    texts = list(_path_problems(facts))
    if texts:
        return Level.WARNING, " ".join(texts)
    if not facts.paths or any("unknown" in (each.owner, each.kind) for each in facts.paths):
        return _unread("the storage paths")
    return Level.PASSED, "The storage paths exist and have the right owner."


def _path_problems(facts: HostFacts) -> Iterator[str]:
    for each in facts.paths:
        if each.kind.lower() in NETWORK_FILE_SYSTEMS:
            yield f"`{each.path}` is on a network file system ({each.kind}). Use a local disk or a block volume."
        give = f"`sudo chown {OWNER}:{OWNER} {each.path}`"
        if each.state == "missing":
            yield f"`{each.path}` does not exist. Run `sudo mkdir -p {each.path}` and {give}."
        elif each.owner not in {OWNER, "unknown"}:
            yield f"`{each.path}` belongs to `{each.owner}`. Run {give}."


def _peers(facts: HostFacts) -> Finding:
    closed = [each for each in facts.peers if each.state == "closed"]
    if closed:
        return Level.WARNING, (
            f"From this node, {_listed(closed)} cannot be reached. Open {'it' if len(closed) == 1 else 'them'} in the "
            "firewall between the nodes, then run the command again."
        )
    if not facts.peers or any(each.state not in {"open", "refused"} for each in facts.peers):
        return Level.NOT_CHECKED, "The ports of the other nodes were not tried: the node has neither `nc` nor `bash`."
    return Level.PASSED, "Every port of the other nodes can be reached."


def _listed(peers: list[PeerFacts], most: int = 5) -> str:
    shown = ", ".join(f"`{each.host}:{each.port}`" for each in peers[:most])
    return shown if len(peers) <= most else f"{shown} and {len(peers) - most} more ports"


_CHECKS: Final[tuple[tuple[str, str, Callable[[HostFacts], Finding]], ...]] = (
    ("port53", "Port 53", _port53),
    ("swap", "Swap", _swap),
    ("huge_pages", "Transparent huge pages", _huge_pages),
    ("port_range", "Outgoing ports", _port_range),
    ("clock", "Time service", _clock),
    ("localhost", "IPv6 localhost", _localhost),
    ("paths", "Owner and mount of paths", _paths),
    ("peers", "Ports between the nodes", _peers),
)
