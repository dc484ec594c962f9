"""Failures of the request itself: a rejected value, or the license."""

import re
from typing import Final

from setup_wizard.bootstrap.error_catalogue.explanation import Explanation, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, join_words, read_word

_FILE: Final = "recovery_filename"
_ADDRESS: Final = "node.identity.addr"
_MAX_ADDRESSES: Final = 3
# the longer names first: "name" is part of several
_PATTERNS: Final = (
    (r"recovery_?file|\.rdb\b", _FILE),
    (r"rack_?id|\brack\b", "node.identity.rack_id"),
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
    (r"\baddr(ess)?\b|\bip\b", "node.identity.addr"),
)
KEYWORDS: Final = tuple(pattern for pattern, _ in _PATTERNS)
"""What is searched for in a node's message."""
_NAMES: Final = {
    _FILE: "the recovery file",
    "node.identity.rack_id": "the rack",
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
    "node.identity.addr": "the address",
}
FIELDS: Final = frozenset(_NAMES)


def explain_config_error(failure: BootstrapFailure) -> Explanation:
    """Point to the field that the node's message names, or else offer the most likely ones."""
    address = failure.requested(_ADDRESS)
    own = failure.own_addresses
    is_foreign = bool(own and address) and address not in own
    usual = "cluster.nodes" if failure.joins else _FILE if failure.recovers else "cluster.name"
    named = _find_field(failure)
    likely = named or (_ADDRESS if is_foreign else usual)
    name = _NAMES[likely]
    causes = [
        f"{name[:1].upper()}{name[1:]} {'have' if likely in _PLURAL else 'has'} a value that the node does not accept.",
        "A setting belongs to another software version. The flash storage settings, for example, were renamed.",
    ]
    if likely == _FILE:
        causes = [
            "The file is not from a cluster, is another kind of backup, or was cut off when it was copied.",
            "A newer software version wrote the file.",
            "The file does not contain the node ID that you entered.",
        ]
    if is_foreign:
        causes.insert(0, f"{address} is not an address of the node, which lists {join_words(own)}.")
    remedies = [Remedy(f"Change {name}", likely)]
    if likely == _ADDRESS:
        usable = [each for each in own if each != address and each not in failure.bridge_addresses]
        remedies[:0] = [Remedy(f"Use {each}", _ADDRESS, {_ADDRESS: each}) for each in usable[:_MAX_ADDRESSES]]
    elif not named:
        remedies.append(Remedy("Change the address", _ADDRESS))
    return Explanation(
        title="The node rejected a setting",
        meaning=f"{failure.node} read the request to {failure.verb} {failure.cluster} and rejected a value in it. "
        f"It stopped there and accepts a new request.{failure.closing_sentences('field')}",
        causes=tuple(causes),
        checks=(
            "The node message above usually names the field."
            if failure.message
            else "Compare every field with the review page. The node did not name one.",
            "On the node, `sudo tail -n 50 /var/opt/redislabs/log/cnm_http.log` shows how it read the request.",
        ),
        part=likely,
        remedies=tuple(remedies),
    )


def explain_invalid_license(failure: BootstrapFailure) -> Explanation:
    """Tell a license that cannot be read from a license that does not cover this cluster."""
    cluster = failure.requested("cluster.name")
    violation = next((text for key in _VIOLATIONS if (text := read_word(failure.details.get(key)))), "")
    if violation:
        title = "License does not cover this cluster"
        problem = f"read the license, but its terms do not allow {failure.cluster} (violation: {violation})"
        causes: tuple[str, ...] = (
            f"The license is for another cluster{f' than {cluster}' if cluster else ''}.",
            "The license has expired, or is not valid yet.",
            "The license covers fewer shards or nodes than you need.",
        )
    else:
        title = "The license cannot be read"
        problem = "could not read the license"
        causes = (
            "A line was lost or changed when the license was copied. Mail programs can break or join lines.",
            "It is another text, such as a license key or an order confirmation.",
        )
    remedies = [Remedy("Paste the license again", "license")]
    if re.search(r"cluster|name", violation):
        remedies.append(Remedy("Change the cluster name", "cluster.name"))
    if failure.requested("license") and not failure.joins and not failure.recovers:
        remedies.append(Remedy("Use the 30-day trial", "license", {"license": ""}))
    return Explanation(
        title=title,
        meaning=f"{failure.node} {problem}. {failure.result}{failure.closing_sentences(*_VIOLATIONS)}",
        causes=causes,
        checks=(
            "Paste everything from `----- LICENSE START -----` to `----- LICENSE END -----`, with both lines.",
            f"The cluster name in the license must be exactly {cluster or 'the name that you entered'}.",
            "Without a license the cluster runs as a trial: 30 days, 4 shards. You can add a license at any time.",
        ),
        part="license",
        remedies=tuple(remedies),
    )


_VIOLATIONS: Final = ("violation_code", "violation", "violations", "code")
_PLURAL: Final = {"cluster.nodes", "dns_suffixes", "node.identity.external_addr"}


def _find_field(failure: BootstrapFailure) -> str:
    """Find the field that the node's message or details name."""
    named = read_word(failure.details.get("field"))
    if named in _NAMES:
        return named
    text = f"{named} {failure.message}".lower()
    return next((part for pattern, part in _PATTERNS if re.search(pattern, text)), "")
