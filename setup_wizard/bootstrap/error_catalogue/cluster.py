"""Failures between the node and the cluster: the connection, the credentials, the clocks."""

import re
from collections.abc import Iterator
from shlex import quote

from setup_wizard.bootstrap.error_catalogue.explanation import START_AGAIN, Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, join_words
from setup_wizard.bootstrap.rules import RuleError, check_address
from setup_wizard.bootstrap.status.facts import read_text

_ADDRESS = "node.identity.addr"


def explain_connect_error(failure: BootstrapFailure) -> Explanation:
    """Name the members that the node could not reach, and how to test the connection."""
    return _explain_unreachable_cluster(failure) if failure.joins else _explain_unreachable_self(failure)


def _explain_unreachable_cluster(failure: BootstrapFailure) -> Explanation:
    members, port = failure.members, failure.port
    names = [member for member in members if not _is_address(member)]
    causes = [
        "The address is for clients only, or belongs to another machine. Nodes use each other's internal addresses.",
        f"A firewall between the node and the cluster blocks port {port}.",
        "The member is down, or has left the cluster.",
    ]
    if names:
        causes.insert(0, f"The node cannot resolve {join_words(names)}. Its DNS server may not know the name.")
    if failure.host in members:
        causes.insert(0, f"{failure.host} is the node that joins. Enter a node that is already in the cluster.")
    member = next((each for each in members if each in failure.message), members[0] if members else "member")
    checks = [
        f"On the node, `nc -vz {quote(member)} {port}` should succeed.",
        f"On {failure.members_in_words}, `rladmin status nodes` lists the members with their internal addresses.",
    ]
    if names:
        checks.insert(0, f"On the node, `getent hosts {quote(names[0])}` should print an address.")
    remedies = [Remedy("Change the members", "cluster.nodes")]
    if failure.foreign_address:
        own = join_words(failure.own_addresses)
        causes.insert(0, f"{failure.foreign_address} is not an address of this node, which lists {own}.")
        remedies = [*use_addresses(failure), *remedies]
    if failure.requested("cluster.name") and not members:
        remedies.append(Remedy("Change the cluster name", "cluster.name"))
    if port != "9443":
        remedies.append(Remedy(f"Change port {port}", "cnm_https_port"))
    through = f" through {failure.members_in_words}" if members else ""
    return Explanation(
        title="No connection to the cluster",
        meaning=f"{failure.node} could not connect to {failure.cluster}{through} on port {port}. {failure.result}"
        f"{failure.closing_sentences()}",
        causes=tuple(causes[:3]),
        checks=tuple(checks),
        part="cluster.nodes",
        remedies=tuple(remedies),
        figures=(*_member_figures(failure), *address_figures(failure)),
    )


def _member_figures(failure: BootstrapFailure) -> Iterator[Figure]:
    """Yield a line for each member: what the node got from it."""
    for entry in failure.entries("nodes"):
        member, reason = (read_text(entry.get(key), 100) or "" for key in ("node", "message"))
        if member:
            found = reason.removeprefix(member).lstrip(": ").removeprefix("cannot be reached: ")
            yield Figure(member, found or "no answer", needed="an answer")


def use_addresses(failure: BootstrapFailure) -> list[Remedy]:
    """Offer the node's own addresses in place of the requested one."""
    return [Remedy(f"Use {each}", _ADDRESS, {_ADDRESS: each}) for each in failure.usable_addresses[:3]]


def address_figures(failure: BootstrapFailure) -> tuple[Figure, ...]:
    """Show an address that is not the node's beside those that are."""
    if not failure.foreign_address:
        return ()
    own = join_words(failure.usable_addresses or failure.own_addresses, "or")
    return (Figure("Internal address", failure.foreign_address, needed=own),)


def _explain_unreachable_self(failure: BootstrapFailure) -> Explanation:
    address = failure.requested(_ADDRESS)
    own = [each for each in failure.own_addresses if each not in failure.bridge_addresses]
    target = address if address and address != failure.host else "its own address"
    causes = [
        "A firewall on the node blocks the ports that its services use among themselves.",
        f"The node cannot resolve {failure.cluster}.",
    ]
    if address not in own:
        listing = f" The node lists {join_words(own)}." if own else ""
        subject = address or "The internal address"
        causes.insert(0, f"{subject} is not an address of this machine, or belongs to a bridge.{listing}")
    return Explanation(
        title="The node cannot reach itself",
        meaning=f"{failure.node} started to {failure.verb} {failure.cluster} but could not connect to {target}. "
        f"{failure.result}{failure.closing_sentences()}",
        causes=tuple(causes),
        checks=(
            f"On the node, `ip -brief address` should list {address or 'the internal address'}.",
            f"Once the cluster name is in DNS, `getent hosts {quote(failure.cluster)}` should print an address.",
        ),
        part=_ADDRESS,
        remedies=(*use_addresses(failure), Remedy("Choose another address", _ADDRESS)),
        figures=(
            Figure("Internal address", address or "not known", needed=join_words(failure.usable_addresses, "or")),
        ),
    )


def explain_access_denied(failure: BootstrapFailure) -> Explanation:
    """Say whose credentials were rejected, and by what."""
    if failure.recovers:
        return _explain_rejected_by_file(failure)
    return _explain_rejected_by_cluster(failure) if failure.joins else _explain_rejected_by_node(failure)


def _explain_rejected_by_cluster(failure: BootstrapFailure) -> Explanation:
    user = failure.requested("credentials.username")
    account = user or "The account"
    is_locked = bool(re.search(r"\block(?:ed|out)\b", failure.message, re.IGNORECASE))
    reached = read_text(failure.details.get("node"), 100) or failure.members_in_words
    part, remedies = _credentials_to_change(failure)
    means = "with its client certificate" if part == "credentials.client_cert" else f"as {user or 'administrator'}"
    causes = [
        "The password is mistyped, or was changed after the cluster was created.",
        f"{account} is not an account of the cluster, not an administrator of it, or is locked.",
        f"{reached} belongs to another cluster.",
    ]
    checks = [
        "Use the account that was created with the cluster, not an account of this wizard.",
        "If the password was changed, enter the new one.",
        f"Test the account on the cluster's own page, `{failure.page}`.",
    ]
    if is_locked:
        causes = [f"{account} is locked after too many failed sign-ins."]
        checks = ["Wait until the lock ends. Each failed sign-in can extend it."]
        remedies = (Remedy("Use another account", "credentials.username"), START_AGAIN)
    return Explanation(
        title="The cluster refused the credentials",
        meaning=f"{failure.node} reached {reached} and tried to sign in {means}. The cluster refused the credentials. "
        f"{failure.result}{failure.closing_sentences('node')}",
        causes=tuple(causes),
        checks=tuple(checks),
        part=part,
        remedies=remedies,
        figures=(
            Figure("Account", user or "the client certificate", "locked" if is_locked else f"refused by {reached}"),
        ),
    )


def _explain_rejected_by_node(failure: BootstrapFailure) -> Explanation:
    user = failure.requested("credentials.username") or "this account"
    part, remedies = _credentials_to_change(failure)
    return Explanation(
        title="The node refused the credentials",
        meaning=f"{failure.node} started to {failure.verb} {failure.cluster} with {user} as administrator, but "
        f"refused the credentials. {failure.result}{failure.closing_sentences()}",
        causes=(
            "This software version does not accept the format of the user name or of the password.",
            "The node is not freshly installed: it still belongs to a cluster and expects an account of that cluster.",
        ),
        checks=(
            "Use an e-mail address as the user name.",
            "Use a password of at least 8 characters, with upper case, lower case, a digit and a special character.",
            "On the node, `rladmin status` should say that the node is not part of a cluster.",
        ),
        part=part,
        remedies=remedies,
        figures=(Figure("Account", user, needed="an account that the node accepts"),),
    )


def _explain_rejected_by_file(failure: BootstrapFailure) -> Explanation:
    user = failure.requested("credentials.username")
    part, remedies = _credentials_to_change(failure)
    return Explanation(
        title="Credentials do not match the file",
        meaning=f"{failure.node} read the recovery file of {failure.cluster}. No administrator in it has the "
        f"credentials{f' of {user}' if user else ''} that you entered. {failure.result}{failure.closing_sentences()}",
        causes=(
            "The password is mistyped, or is not the cluster's password at the time of the file.",
            f"{user or 'The account'} is not an account of the lost cluster, but of this wizard or of the machine.",
            "The file belongs to another cluster.",
        ),
        checks=(
            "Use the account that was created with the cluster, with its last password.",
            "A recovery creates no new account. Without an account of the lost cluster it is not possible.",
            "Compare the dates of all copies of the file. An old copy has old passwords.",
        ),
        part=part,
        remedies=(*remedies, Remedy("Enter another file", "recovery_filename")),
        figures=(Figure("Account", user or "the entered one", "not in the file"),),
    )


def explain_time_not_sync(failure: BootstrapFailure) -> Explanation:
    """Say how far the clocks differ and how to set the wrong one: nothing in the request is wrong."""
    skew, limit = _clock_skew(failure), failure.number("tolerance_seconds")
    members = failure.members_in_words
    by = f"differ: this node's is {skew}" if skew else "differ too much"
    tolerated = f" (at most {limit:,.10g} s are tolerated)" if limit is not None else ""
    return Explanation(
        title="Clocks are out of sync",
        meaning=f"{failure.node} was asked to {failure.verb} {failure.cluster}, but their clocks {by}{tolerated}. "
        f"{failure.result} Your entries are correct. Fix the clock of the node or of the cluster."
        f"{failure.closing_sentences(*_SKEWS, 'tolerance_seconds')}",
        causes=(
            "No time service runs on the node, or it cannot reach its time servers.",
            "The node and the cluster use different time servers.",
            "The machine was paused or restored from a snapshot, and its clock is behind.",
        ),
        checks=(
            f"On the node and on {members}, `chronyc tracking` should show the same source and “Leap status: Normal”.",
            "On the one whose clock is wrong, `sudo chronyc makestep` corrects it at once.",
            "Without chrony, `sudo timedatectl set-ntp true` starts the time service of the system.",
            "On both, `date -u` at the same moment should print the same second.",
        ),
        remedies=(START_AGAIN,),
        figures=(
            Figure(
                "Clock", skew or "differs", needed=f"within {limit:,.10g} s" if limit is not None else "the same time"
            ),
        ),
    )


_SKEWS = ("difference_seconds", "offset_seconds", "skew_seconds", "clock_skew", "time_difference", "offset", "skew")


def _clock_skew(failure: BootstrapFailure) -> str:
    """Give how far the node's clock is from the cluster's: "3,600 s ahead"; "" when the node does not say."""
    key = next((key for key in _SKEWS if failure.signed_number(key) is not None), "")
    found = failure.signed_number(key)
    if found is None and (named := _SECONDS.search(failure.message)):
        found = float(named[1])
    if found is None:
        return ""
    words = re.search(r"\b(ahead|behind)\b", failure.message)
    by_sign = "ahead" if found > 0 else "behind"
    # which way a sign points is only known for the first key
    direction = words[1] if words else by_sign if key == _SKEWS[0] else "off"
    return f"{_round(abs(found)):,.10g} s {direction}"


def _round(seconds: float) -> float:
    """Leave out fractions of a second that say nothing."""
    return round(seconds) if seconds >= _WHOLE_SECONDS else seconds


_WHOLE_SECONDS = 100
_SECONDS = re.compile(r"(?<![\w.])(\d{1,9}(?:\.\d{1,3})?) ?s(?:ec|econds?)?\b")


def _credentials_to_change(failure: BootstrapFailure) -> tuple[str, tuple[Remedy, ...]]:
    if failure.requested("credentials.client_cert") and not failure.requested("credentials.username"):
        part = "credentials.client_cert"
        return part, (Remedy("Enter the client certificate again", part),)
    part = "credentials.password"
    return part, (Remedy("Enter the password again", part), Remedy("Change the user name", "credentials.username"))


def _is_address(text: str) -> bool:
    try:
        check_address(text)
    except RuleError:
        return False
    return True
