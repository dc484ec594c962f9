"""Checks of a join against what its cluster says about itself, read with the sign-in of the request."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Final

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings, SignInRefused
from setup_wizard.attempts.preflight.join_checks import is_join, secret_of
from setup_wizard.attempts.preflight.node_checks import facts_of, probe_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import SAID_ELSEWHERE, Level, Result
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy, join_words
from setup_wizard.bootstrap.request.availability import is_known
from setup_wizard.bootstrap.status import ListedNode, Module, find_node, same_name
from setup_wizard.bootstrap.upgrade_paths import can_upgrade
from setup_wizard.bootstrap.versions import read_version
from setup_wizard.nodes import trust
from setup_wizard.nodes.cluster_reading import NO_TIME, ClusterReading, Part
from setup_wizard.nodes.errors import TLS_ALERT
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates

CLUSTER_BUSY: Final = "cluster_busy"
UID: Final = "node.identity.uid"
MAX_BUTTONS: Final = 6
ASKS_CLUSTER: Final = frozenset({Source.MEMBER, Source.CLUSTER})  # the cluster is asked through its member
COMPARES_NODE: Final = ASKS_CLUSTER | {Source.NODE}
CLUSTER_PARTS: Final = ("cluster.nodes", "cnm_https_port", "credentials")

Judge = Callable[[NodeSetup, Findings], Result | None]


def judges_reading(judge: Callable[[NodeSetup, Findings, ClusterReading], Result | None]) -> Judge:
    """Judge only when the cluster was read; otherwise the check of the sign-in says why it was not checked."""

    @wraps(judge)
    def judge_reading(setup: NodeSetup, findings: Findings) -> Result | None:
        reading = findings.cluster
        if isinstance(reading, ClusterReading):
            return judge(setup, findings, reading)
        return SAID_ELSEWHERE

    return judge_reading


def not_told(reading: ClusterReading, part: Part, what: str) -> Result:
    """Say that the cluster did not answer a call, and what is therefore unknown."""
    reason = reading.missing.get(part, "the cluster does not have this endpoint, or this account may not read it")
    if reason in NO_TIME:
        message = f"The time was used up before {reading.member} could report {what}. Check again."
        return Result(level=Level.NOT_CHECKED, message=message, part="")
    return Result(level=Level.NOT_CHECKED, message=f"{reading.member} does not report {what} ({reason}).", part="")


def describe_node(node: ListedNode) -> str:
    """Write a node of the cluster for a sentence: "node 2 (10.0.0.6, rack-b)"."""
    known = ", ".join(filter(None, (node.addr, node.rack_id)))
    return f"node {node.uid} ({known})" if known else f"node {node.uid}"


def replace_node(node: ListedNode) -> Remedy:
    """Offer to replace a node, in its rack."""
    values: dict[str, object] = {UID: int(node.uid)}
    if node.rack_id:
        values["node.identity.rack_id"] = node.rack_id
    return Remedy(f"Replace node {node.uid}", UID, values)


def offer_replacements(reading: ClusterReading) -> tuple[Remedy, ...]:
    """Offer to replace each node that is down."""
    down = [node for node in reading.nodes or () if node.is_down and node.uid.isdecimal()]
    return tuple(replace_node(node) for node in down[:MAX_BUTTONS])


def describe_votes(reading: ClusterReading, needed: str = "") -> Figure:
    """Put the nodes that are up beside all of them."""
    nodes = reading.nodes or ()
    return Figure("Nodes up", "", f"{sum(node.is_active for node in nodes)} of {len(nodes)}", needed)


def _sign_in(setup: NodeSetup, findings: Findings) -> Result | None:
    username = setup.credentials.username if setup.credentials else ""
    who = f"{username} with this password" if username else "this client certificate"
    if isinstance(findings.cluster, ClusterReading):
        name = findings.cluster.cluster.name
        return Result(level=Level.PASSED, message=f"{name} accepts {who}.", part=secret_of(setup))
    if not isinstance(findings.cluster, SignInRefused):
        return None
    message = f"The cluster refused {who}. Enter the credentials again."
    if findings.cluster.status == TLS_ALERT:
        message = (
            f"The cluster refused {who} by a TLS alert: it does not trust its issuer, or it has expired. Enter another."
        )
    if findings.cluster.status == 403:
        message = f"The cluster does not let {username or who} read it. Enter the account of an administrator."
    if text := findings.cluster.error_text:
        message += f" Node message: “{text.rstrip('.')}”."
    account = sign_ins.Account((setup.member_fingerprint or "",), username)
    part = secret_of(setup)
    if username:
        remedies = [Remedy("Enter the password again", part), Remedy("Change the user name", "credentials.username")]
    else:
        remedies = [Remedy("Enter another client certificate", part)]
    message = f"{message} {sign_ins.count_refused(account).describe(username)}".rstrip()
    return Result(level=Level.FAILED, message=message, part=part, remedies=tuple(remedies))


@judges_reading
def _administrator(setup: NodeSetup, _findings: Findings, reading: ClusterReading) -> Result | None:
    username = setup.credentials.username if setup.credentials else ""
    who = username or "The client certificate"
    part = "credentials.username" if username else secret_of(setup)
    if reading.is_administrator is None:
        return not_told(reading, Part.IS_ADMINISTRATOR, "whether the account is an administrator")
    if reading.is_administrator:
        return Result(level=Level.PASSED, message=f"{who} is an administrator of the cluster.", part=part)
    message = (
        f"{who} can sign in, but is not an administrator of {reading.cluster.name}. Only administrators can add nodes. "
        "Enter the account of an administrator."
    )
    remedy = Remedy("Change the user name" if username else "Enter another client certificate", part)
    return Result(level=Level.FAILED, message=message, part=part, can_override=True, remedies=(remedy,))


def _name(setup: NodeSetup, findings: Findings) -> Result | None:
    """Compare the stated name with the cluster's own, or with the name that its certificate is known by."""
    if not isinstance(findings.member, Probe):
        return None
    part, stated = "cluster.name", setup.request.cluster.name
    if isinstance(findings.cluster, ClusterReading):
        known = findings.cluster.cluster.name
    else:
        known = trust.cluster_of(findings.member.certificate.fingerprint)
    if not known:
        return None
    member = findings.member.endpoint.key
    if not stated or same_name(stated, known):
        return Result(level=Level.PASSED, message=f"{member} is a member of {known}.", part=part)
    message = f"{member} is a member of {known}, but you entered {stated}. Correct one of them."
    remedies = (Remedy(f"Use {known}", part, {part: known}), Remedy("Enter another member", "cluster.nodes"))
    return Result(level=Level.FAILED, message=message, part=part, remedies=remedies)


@judges_reading
def _listed_members(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    """Warn about members under an address that the cluster does not list: nodes reach each other by listed ones."""
    part = "cluster.nodes"
    if reading.nodes is None:
        return not_told(reading, Part.NODES, "the addresses of its nodes")
    addresses = [_address_sent(setup, findings.member)] if isinstance(findings.member, Probe) else []
    if isinstance(findings.members, MemberCertificates):
        addresses += [each.ip for each in findings.members.certificates]
    other = [each for each in addresses if find_node(reading.nodes, "", frozenset({each})) is None]
    known = [node.addr for node in reading.nodes if node.is_active and node.addr]
    if not other or not known:
        return None
    message = (
        f"{reading.cluster.name} does not list {join_words(other)}. This node may not reach the member there. The "
        f"internal addresses of its nodes are {join_words(known)}."
    )
    remedy = Remedy(f"Use {join_words(known[:3])}", part, {part: known[:3]})
    return Result(level=Level.WARNING, message=message, part=part, remedies=(remedy,))


def _address_sent(setup: NodeSetup, member: Probe) -> str:
    """Give the address of the first member as the node gets it: this server may reach it at another."""
    first = next(iter(setup.request.cluster.nodes), "").strip("[]")
    try:
        return str(ip_address(first))
    except ValueError:
        return member.endpoint.ip


@judges_reading
def _version(_setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    node, cluster = probe_of(findings).endpoint.key, reading.cluster.name
    if reading.nodes is None:
        return not_told(reading, Part.NODES, "the versions of its nodes")
    own = facts_of(findings).software_version or ""
    known = sorted(
        {each.software_version for each in reading.nodes if read_version(each.software_version)}, key=read_version
    )
    if not read_version(own) or not known:
        message = f"Not compared: {node if known else cluster} does not report its software version."
        return Result(level=Level.NOT_CHECKED, message=message)
    oldest, newest = known[0], known[-1]
    figures = (Figure("Software version", own, oldest if oldest == newest else f"{oldest} to {newest}"),)
    if own == oldest == newest:
        return Result(level=Level.PASSED, message=f"{node} and {cluster} run {own}.", figures=figures)
    if read_version(own) < read_version(oldest):
        message = (
            f"{node} runs {own}, which is older than {cluster} ({oldest}). Install {oldest} on the node, then check "
            "again."
        )
        return Result(level=Level.FAILED, message=message, can_override=True, figures=figures)
    if read_version(own) <= read_version(newest):
        message = f"{cluster} has nodes of different versions, {oldest} to {newest}. {node} runs {own}."
        return Result(level=Level.WARNING, message=message, figures=figures)
    is_path = can_upgrade(read_version(oldest), read_version(own))
    if is_path is False:
        message = (
            f"{node} runs {own}. {cluster} runs {oldest} and cannot be upgraded to that version in one step. Install "
            f"{newest} on the node, or upgrade the cluster to a version in between first."
        )
        return Result(level=Level.FAILED, message=message, can_override=True, figures=figures)
    message = f"{node} runs {own}, which is newer than {cluster} ({newest}). Joining begins a rolling upgrade of it."
    if is_path is None:
        message += " Look up whether the vendor supports this upgrade."
    confirmation = f"Begin the upgrade of {cluster} from {oldest} to {own}"
    return Result(level=Level.WARNING, message=message, confirmation=confirmation, figures=figures)


@judges_reading
def _modules(setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    part, cluster = "user_defined_modules", reading.cluster.name
    if reading.modules is None:
        return not_told(reading, Part.MODULES, "its modules") if Part.MODULES in reading.missing else None
    named = [str(each.get("name", "")) for each in setup.request.user_defined_modules]
    own = [module for module in reading.modules if module.is_bundled is False]
    missing = [module.label for module in own if not _is_named(module, named)]
    unknown = [name for name in named if not any(_is_named(module, [name]) for module in own)]
    if not missing and not unknown:
        found = join_words(module.label for module in own)
        message = (
            f"The request has the modules of {cluster}: {found}." if own else f"{cluster} has no modules of its own."
        )
        return Result(level=Level.PASSED, message=message, part=part)
    texts = []
    if missing:
        add = "add them to the request, or " if is_known(part, facts_of(findings).software_version) else ""
        texts.append(
            f"{cluster} has {join_words(missing)}, which did not come with its software. All nodes of a cluster need "
            f"the same modules, and a node does not report its own before it joins: {add}make sure that this node has "
            "them."
        )
    if unknown:
        texts.append(f"The request adds {join_words(unknown)}, which {cluster} does not have.")
    return Result(level=Level.WARNING, message=" ".join(texts), part=part)


def _is_named(module: Module, names: list[str]) -> bool:
    return module.name.lower() in {name.lower() for name in names}


@judges_reading
def _license(_setup: NodeSetup, _findings: Findings, reading: ClusterReading) -> Result | None:
    terms, cluster = reading.license, reading.cluster.name
    if terms is None:
        return not_told(reading, Part.LICENSE, "its license") if Part.LICENSE in reading.missing else None
    used, most = terms.shards_in_use, terms.shards_limit
    figures = (Figure("Shards", "", f"{used:,}", f"{most:,} at most"),) if used is not None and most else ()
    until = f" on {terms.expires.partition('T')[0]}" if terms.expires else ""
    advice = "Install a new license on the cluster first: the node would probably be rejected (invalid_license)."
    if terms.expired:
        message = f"The license of {cluster} expired{until}. {advice}"
        return Result(level=Level.FAILED, message=message, part="", can_override=True, figures=figures)
    if used is not None and most and used > most:
        message = f"{cluster} has {used:,} shards, and its license allows {most:,}. {advice}"
        return Result(level=Level.FAILED, message=message, part="", can_override=True, figures=figures)
    message = f"The license of {cluster} is valid{f' and expires{until}' if until else ''}."
    return Result(level=Level.PASSED, message=message, part="", figures=figures)


@judges_reading
def _not_busy(_setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    """Stop a join while the cluster changes: two changes at the same time can leave it broken."""
    cluster, nodes = reading.cluster.name, reading.nodes or ()
    running = [action.label for action in reading.actions or ()]
    in_maintenance = [state for state in reading.member_states or () if state.maintenance]
    busy = [
        *(["an upgrade is in progress"] if _upgrades(findings, reading) else []),
        *(f"node {node.uid} is {node.status}" for node in nodes if node.is_changing),
        *(f"node {state.uid} is in maintenance ({state.maintenance})" for state in in_maintenance),
        *([f"it runs {join_words(running)}"] if running else []),
    ]
    if busy:
        advice = ["Wait until that has ended, then check again. On a member, `rladmin status` shows it."]
        if running:
            advice.append("`rladmin cluster running_actions` lists the actions.")
        if in_maintenance:
            advice.append("`rladmin node N maintenance_mode off` ends the maintenance of node N.")
        message = f"{cluster} is busy: {join_words(busy)}. {' '.join(advice)}"
        return Result(level=Level.FAILED, message=message, part="")
    for part, what in ((Part.NODES, "its nodes"), (Part.MEMBER_STATES, "maintenance"), (Part.ACTIONS, "its actions")):
        if part in reading.missing:
            return not_told(reading, part, what)
    return Result(level=Level.PASSED, message=f"{cluster} is not busy.", part="")


def _upgrades(findings: Findings, reading: ClusterReading) -> bool:
    """Tell whether an upgrade is in the way: in a rolling upgrade, nodes of the new version join one by one."""
    versions = {read_version(node.software_version) for node in reading.nodes or ()}
    own = read_version(facts_of(findings).software_version)
    is_part_of_it = len(versions) > 1 and own == max(versions)
    return bool(reading.cluster.upgrade_in_progress or (reading.cluster.upgrade_mode and not is_part_of_it))


@judges_reading
def _healthy(_setup: NodeSetup, findings: Findings, reading: ClusterReading) -> Result | None:
    """Stop a new node when one is down: until that is replaced, a cluster accepts only replacements."""
    cluster = reading.cluster.name
    if reading.nodes is None:
        return not_told(reading, Part.NODES, "the state of its nodes")
    down = [describe_node(node) for node in reading.nodes if node.is_down]
    figures = (describe_votes(reading),)
    if not down:
        return Result(level=Level.PASSED, message=f"All nodes of {cluster} are up.", part=UID, figures=figures)
    are = "are" if len(down) > 1 else "is"
    message = (
        f"{cluster} is degraded: {join_words(down)} {are} down. {probe_of(findings).endpoint.key} cannot join as a new "
        f"node until {join_words(f'node {node.uid}' for node in reading.nodes if node.is_down)} {are} back or replaced "
        "(repair_required)."
    )
    return Result(level=Level.FAILED, message=message, part=UID, remedies=offer_replacements(reading), figures=figures)


def is_new_node(setup: NodeSetup) -> bool:
    """Tell whether the node joins a cluster without replacing another."""
    return is_join(setup) and setup.request.node.identity.uid is None


CLUSTER_CHECKS: Final = (
    Check(
        name="sign_in",
        title="Sign-in",
        judge=_sign_in,
        needs=ASKS_CLUSTER,
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="administrator",
        title="Administrator",
        judge=_administrator,
        needs=ASKS_CLUSTER,
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="cluster_name",
        title="Name of the cluster",
        judge=_name,
        needs=frozenset({Source.MEMBER}),
        after=frozenset({Source.CLUSTER}),
        applies=is_join,
        depends_on=("cluster.name", *CLUSTER_PARTS),
        about_silence=True,
    ),
    Check(
        name="listed_members",
        title="Addresses that the cluster lists",
        judge=_listed_members,
        needs=ASKS_CLUSTER | {Source.MEMBERS},
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="cluster_version",
        title="Software version",
        judge=_version,
        needs=COMPARES_NODE,
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="modules",
        title="Modules",
        judge=_modules,
        needs=COMPARES_NODE,
        applies=is_join,
        depends_on=("user_defined_modules", *CLUSTER_PARTS),
    ),
    Check(
        name="cluster_license",
        title="License of the cluster",
        judge=_license,
        needs=ASKS_CLUSTER,
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name=CLUSTER_BUSY,
        title="Activity of the cluster",
        judge=_not_busy,
        needs=COMPARES_NODE,
        applies=is_join,
        depends_on=CLUSTER_PARTS,
    ),
    Check(
        name="cluster_degraded",
        title="Failed nodes",
        judge=_healthy,
        needs=COMPARES_NODE,
        applies=is_new_node,
        depends_on=(UID, *CLUSTER_PARTS),
    ),
)
