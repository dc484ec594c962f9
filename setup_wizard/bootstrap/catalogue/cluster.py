"""What stands between the node and the cluster: the connection, the sign-in, the clocks."""

import re
from shlex import quote

from setup_wizard.bootstrap.catalogue.shapes import START_AGAIN, Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, listed
from setup_wizard.bootstrap.rules import RuleError, check_address
from setup_wizard.bootstrap.status.facts import read_text


def explain_connect_error(at: Situation) -> Explanation:
    """Say which members the node could not reach, and how to try from the node itself."""
    return _no_way_to_cluster(at) if at.joins else _no_way_to_itself(at)


def _no_way_to_cluster(at: Situation) -> Explanation:
    members = at.members
    by_name = [member for member in members if not _is_address(member)]
    causes = [
        "The address is one that only clients use, or another machine's: nodes speak on their internal addresses.",
        f"A firewall lies between {at.node} and the cluster and drops port {at.port}.",
        "The member named is down, or is no member of the cluster any more.",
    ]
    if by_name:
        causes.insert(0, f"{at.node} cannot resolve {listed(by_name)}: its DNS may not know the name.")
    if at.node.rpartition(":")[0] in members or at.node in members:
        causes.insert(
            0, f"{at.node} is the node that is to join. The members have to be nodes that are in the cluster."
        )
    member = next((each for each in members if each in at.message), members[0] if members else "member")
    checks = [
        f"On {at.node}, `nc -vz {quote(member)} {at.port}` should say that the connection succeeded.",
        f"On {at.member}, `rladmin status nodes` lists the members with their internal addresses.",
    ]
    if by_name:
        checks.insert(0, f"On {at.node}, `getent hosts {quote(by_name[0])}` should print an address.")
    remedies = [Remedy("Change the members", "cluster.nodes")]
    if at.asked("cluster.name") and not members:
        remedies.append(Remedy("Change the cluster name", "cluster.name"))
    if at.port != "9443":
        remedies.append(Remedy(f"Change port {at.port}", "cnm_https_port"))
    return Explanation(
        title="The node could not reach the cluster",
        meaning=f"{at.node} tried to reach {_through(at)} on port {at.port} and got no connection that it could use. "
        f"The node stayed out, and nothing on the cluster was changed.{at.words()}",
        causes=tuple(causes),
        checks=tuple(checks),
        part="cluster.nodes",
        remedies=tuple(remedies),
    )


def _no_way_to_itself(at: Situation) -> Explanation:
    address = at.asked("node.identity.addr")
    own = [each.address for each in at.facts.addresses if not each.is_bridge]
    remedies = [
        Remedy(f"Use {each}", "node.identity.addr", {"node.identity.addr": each}) for each in own if each != address
    ]
    causes = [
        f"A firewall on {at.node} closes the ports that its own services use among themselves.",
        f"{at.node} cannot resolve {at.cluster}.",
    ]
    if address not in own:
        listing = f" The node lists {listed(own)}." if own else ""
        where = address or "The address for traffic between nodes"
        causes.insert(0, f"{where} is not an address of this machine, or is on a bridge.{listing}")
    return Explanation(
        title="The node could not connect to its own cluster",
        meaning=f"{at.node} began to {at.verb} {at.cluster} and could not connect to"
        f" {address or 'the address that it was given'}. {at.unmade}{at.words()}",
        causes=tuple(causes),
        checks=(
            f"On {at.node}, `ip -brief address` should list {address or 'the address that was chosen'}.",
            f"On {at.node}, `getent hosts {quote(at.cluster)}` should print an address, once the name is in DNS.",
        ),
        part="node.identity.addr",
        remedies=(*remedies[:3], Remedy("Choose another address", "node.identity.addr")),
    )


def explain_access_denied(at: Situation) -> Explanation:
    """Say whose sign-in was refused by whom."""
    if at.recovers:
        return _unknown_to_file(at)
    return _refused_by_cluster(at) if at.joins else _refused_by_node(at)


def _refused_by_cluster(at: Situation) -> Explanation:
    user = at.asked("credentials.username")
    is_locked = bool(re.search(r"\block(?:ed|out)\b", at.message, re.IGNORECASE))
    reached = read_text(at.details.get("node"), 100) or at.member
    signed = "the admin sign-in" + (f" for {user}" if user else "")
    part, remedies = _sign_in(at)
    if part == "credentials.client_cert":
        signed = "its client certificate"
    causes = [
        "The password was mistyped, or it was changed since the cluster was created.",
        f"{user or 'The account'} is an account of this page or of the machine, not of the cluster.",
        f"{user or 'The account'} is known to the cluster, but not as an administrator, or it is locked.",
        f"{reached} belongs to another cluster than the one you mean.",
    ]
    checks = [
        "Use the account that was made when the cluster was created, not one of this page.",
        "If the password was changed since, enter the new one.",
        f"Try it at https://{_host(at)}:8443, the cluster's own page: the account is right if it lets you in.",
    ]
    if is_locked:
        causes = [f"{user or 'The account'} is locked after refused sign-ins."]
        checks = ["Wait until the lock ends: each refused sign-in can make the lock longer."]
        remedies = (Remedy("Use another account", "credentials.username"), START_AGAIN)
    return Explanation(
        title="The cluster refused the sign-in",
        meaning=f"{at.node} reached {reached} and offered {signed}. The cluster did not accept it, so the node "
        f"stayed out. Nothing on the cluster was changed.{at.words('node')}",
        causes=tuple(causes),
        checks=tuple(checks),
        part=part,
        remedies=remedies,
    )


def _refused_by_node(at: Situation) -> Explanation:
    user = at.asked("credentials.username")
    part, remedies = _sign_in(at)
    return Explanation(
        title="The node refused the sign-in",
        meaning=f"{at.node} was to {at.verb} {at.cluster} with {user or 'the account given'} as its administrator, "
        f"and did not accept the sign-in. {at.unmade}{at.words()}",
        causes=(
            "The user name or the password has a form that this version of the software does not take.",
            "The node is not fresh: it still belongs to a cluster, and asks for that cluster's account.",
        ),
        checks=(
            "Use an e-mail address as the user name.",
            "Use a password of at least 8 characters: upper and lower case, a digit and a special character.",
            f"On {at.node}, `rladmin status` should say that the node is not part of a cluster.",
        ),
        part=part,
        remedies=remedies,
    )


def _unknown_to_file(at: Situation) -> Explanation:
    user = at.asked("credentials.username")
    part, remedies = _sign_in(at)
    return Explanation(
        title="The lost cluster knows no such sign-in",
        meaning=f"{at.node} read the file of {at.cluster}, and the sign-in{f' for {user}' if user else ''} is not one "
        f"of its administrators'. {at.unmade}{at.words()}",
        causes=(
            "The password was mistyped, or it is a newer or older one than the cluster had when it wrote the file.",
            f"{user or 'The account'} is an account of this page or of the machine, not of the lost cluster.",
            "The file is that of another cluster.",
        ),
        checks=(
            "Use the account that was made when the cluster was created, with the password that it had at the end.",
            "A recovery makes no new account: without an account of the cluster it cannot be brought back.",
            "Compare the time of the file with that of the other copies: an old copy knows old passwords.",
        ),
        part=part,
        remedies=(*remedies, Remedy("Enter another file", "recovery_filename")),
    )


def explain_time_not_sync(at: Situation) -> Explanation:
    """Say that the clocks differ: nothing in the request is wrong."""
    return Explanation(
        title="The clocks of the node and the cluster differ",
        meaning=f"{at.node} was to {at.verb} {at.cluster}, and its clock is too far from the cluster's: with clocks "
        f"apart, members could not agree on what happened first. The node stayed out. What you entered is right; the "
        f"clock of {at.node} or of {at.member} is not.{at.words()}",
        causes=(
            f"No time service runs on {at.node}, or it cannot reach its time servers.",
            "The node and the cluster take the time from different servers.",
            "The machine was paused or restored from a snapshot, and its clock has not caught up.",
        ),
        checks=(
            f"On {at.node} and on {at.member}, `timedatectl` should say “System clock synchronized: yes”.",
            "`chronyc tracking` on both should name the same source, and an offset far below a second.",
            "`date -u` on both at the same moment should print the same second.",
        ),
        remedies=(START_AGAIN,),
    )


def _sign_in(at: Situation) -> tuple[str, tuple[Remedy, ...]]:
    if at.asked("credentials.client_cert") and not at.asked("credentials.username"):
        part = "credentials.client_cert"
        return part, (Remedy("Enter the client certificate again", part),)
    part = "credentials.password"
    return part, (Remedy("Enter the sign-in again", part), Remedy("Change the user name", "credentials.username"))


def _through(at: Situation) -> str:
    if not at.members:
        return at.cluster
    return f"{at.cluster} through {at.member}"


def _host(at: Situation) -> str:
    host = at.members[0] if at.members else at.asked("cluster.name") or "the-cluster"
    return f"[{host}]" if ":" in host else host


def _is_address(text: str) -> bool:
    try:
        check_address(text)
    except RuleError:
        return False
    return True
