"""A value of the request that the node rejected."""

import re
from typing import Final

from setup_wizard.bootstrap.error_catalogue.cluster import address_figures, use_addresses
from setup_wizard.bootstrap.error_catalogue.explanation import Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, join_words, read_word

_FILE: Final = "recovery_filename"
_ADDRESS: Final = "node.identity.addr"
_RACK: Final = "node.identity.rack_id"
_OVERRIDE: Final = "node.identity.override_rack_id"
_UID: Final = "node.identity.uid"
_MAX_BUTTONS: Final = 3
# the longer names first: "name" is part of several
_PATTERNS: Final = (
    (r"recovery_?file|\.rdb\b", _FILE),
    (r"rack_?id|\brack\b", _RACK),
    (r"external_?addr", "node.identity.external_addr"),
    (r"persistent_?path|persistent storage", "node.paths.persistent_path"),
    (r"ephemeral_?path|ephemeral storage", "node.paths.ephemeral_path"),
    (r"bigstore|flash", "node.paths.bigstore_path"),
    (r"user_?name|e-?mail", "credentials.username"),
    (r"password|credentials", "credentials.password"),
    (r"licen[sc]e", "license"),
    (r"dns_?suffix", "dns_suffixes"),
    (r"cluster\.?_?\s?name|fqdn", "cluster.name"),
    (r"cnm_?https_?port", "cnm_https_port"),
    (r"cluster\.?_?\s?nodes|members?\b", "cluster.nodes"),
    (r"\baddr(ess)?\b|\bip\b", _ADDRESS),
    (r"\bnode_?uid\b|identity\.uid|\bno node \d", _UID),
)
KEYWORDS: Final = tuple(pattern for pattern, _ in _PATTERNS)
"""What is searched for in a node's message."""
_NAMES: Final = {
    _FILE: "the recovery file",
    _RACK: "the rack",
    _UID: "the node ID",
    "node.identity.external_addr": "the addresses for clients",
    "node.paths.persistent_path": "the persistent path",
    "node.paths.ephemeral_path": "the ephemeral path",
    "node.paths.bigstore_path": "the flash path",
    "credentials.username": "the user name",
    "credentials.password": "the password",
    "license": "the license",
    "dns_suffixes": "the DNS suffixes",
    "cluster.name": "the cluster name",
    "cnm_https_port": "the port",
    "cluster.nodes": "the members",
    _ADDRESS: "the address",
}
FIELDS: Final = frozenset(_NAMES)


def explain_config_error(failure: BootstrapFailure) -> Explanation:
    """Point to the field that the node's message names, or else offer the most likely ones."""
    usual = "cluster.nodes" if failure.joins else _FILE if failure.recovers else "cluster.name"
    named = _find_field(failure)
    likely = named or (_ADDRESS if failure.foreign_address else usual)
    name = _NAMES[likely]
    causes = [
        f"The node does not accept the value of the field “{name.removeprefix('the ')}”.",
        "A setting belongs to another software version. The flash storage settings, for example, were renamed.",
    ]
    if likely == _FILE:
        causes = [
            "The file is not from a cluster, is another kind of backup, or was cut off when it was copied.",
            "A newer software version wrote the file.",
            "The file does not contain the node ID that you entered.",
        ]
    if failure.foreign_address:
        own = join_words(failure.own_addresses)
        causes.insert(0, f"{failure.foreign_address} is not an address of the node, which lists {own}.")
        del causes[1 if likely == _ADDRESS else 3 :]
    figures = _rejected_value(likely, failure)
    what = " ".join([name, *(each.here for each in figures[:1])]).strip() if named else "a value in it"
    remedies = [*_values_for(likely, failure), Remedy(f"Change {name}", likely)]
    if not named and likely != _ADDRESS:
        remedies.append(Remedy("Change the address", _ADDRESS))
    return Explanation(
        title="The node rejected a setting",
        meaning=f"{failure.node} read the request to {failure.verb} {failure.cluster} and rejected {what}. "
        f"It stopped there and accepts a new request."
        f"{failure.closing_sentences('field', 'available_addresses', 'rack_id', 'failed_nodes', 'uids')}",
        causes=tuple(causes),
        checks=(
            "The node message above usually names the field."
            if failure.message
            else "Compare every field with the review page. The node did not name one.",
            *(["On the node, `ip -brief address` lists its addresses."] if likely == _ADDRESS else []),
            "On the node, `sudo tail -n 50 /var/opt/redislabs/log/cnm_http.log` shows how it read the request.",
        ),
        part=likely,
        remedies=tuple(remedies),
        figures=figures,
    )


def _values_for(part: str, failure: BootstrapFailure) -> list[Remedy]:
    """Offer the values that the node or the cluster would accept for this field."""
    if part == _ADDRESS:
        return use_addresses(failure)
    if part == _RACK:
        given = failure.requested(_RACK).lower()
        racks = [rack for rack in failure.racks("rack_id") if rack.lower() != given]
        override = [Remedy(f"Override with {failure.requested(_RACK)}", _OVERRIDE, {_OVERRIDE: True})]
        can_override = bool(racks and given) and failure.replaces is not None
        return [Remedy(f"Use {rack}", _RACK, {_RACK: rack}) for rack in racks] + (override if can_override else [])
    if part != _UID:
        return []
    verb = "Recover as" if failure.recovers else "Replace"
    others = [uid for uid in failure.replaceable if uid != failure.replaces]
    return [Remedy(f"{verb} node {uid}", _UID, {_UID: uid}) for uid in others[:_MAX_BUTTONS]]


def _rejected_value(part: str, failure: BootstrapFailure) -> tuple[Figure, ...]:
    """Show the rejected value beside those that are accepted."""
    if part == _ADDRESS:
        return address_figures(failure)
    if part == _UID:
        given, known = failure.replaces, join_words(map(str, failure.replaceable), "or")
        owner = "the file" if failure.recovers else "the cluster"
        return (Figure("Node ID", "none" if given is None else str(given), needed=known or f"one of {owner}"),)
    given_text = failure.requested(part)
    needed = join_words(failure.racks("rack_id"), "or") if part == _RACK else ""
    name = _NAMES[part].removeprefix("the ")
    return (
        (Figure(name[:1].upper() + name[1:], given_text, needed=needed),) if given_text and not _is_secret(part) else ()
    )


def _is_secret(part: str) -> bool:
    return part == "license" or part.startswith("credentials.")


def _find_field(failure: BootstrapFailure) -> str:
    """Find the field that the node's message or details name."""
    named = read_word(failure.details.get("field"))
    if named in _NAMES:
        return named
    text = f"{named} {failure.message}".lower()
    return next((part for pattern, part in _PATTERNS if re.search(pattern, text)), "")
