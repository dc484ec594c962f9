"""What was entered: the request as a whole and the license."""

import re
from typing import Final

from setup_wizard.bootstrap.catalogue.shapes import Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, listed, read_word

_FILE: Final = "recovery_filename"
_ADDRESS: Final = "node.identity.addr"
_MOST_ADDRESSES: Final = 3
# the longer names first: "name" is part of several
_MENTIONS: Final = (
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
PHRASES: Final = tuple(words for words, _ in _MENTIONS)
"""What is looked for in a node's words."""
_NAMES: Final = {
    _FILE: "the file to recover from",
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


def explain_config_error(at: Situation) -> Explanation:
    """Say which field the node's words point to, and offer the likeliest ones where they point to none."""
    address = at.asked(_ADDRESS)
    own = at.own_addresses
    is_elsewhere = bool(own and address) and address not in own
    usual = "cluster.nodes" if at.joins else _FILE if at.recovers else "cluster.name"
    suspect = _ADDRESS if is_elsewhere else usual
    named = _mentioned(at)
    likely = named or suspect
    causes = [
        f"{_sentence(_NAMES[likely])} {'have' if likely in _PLURAL else 'has'} a value that this node does not take.",
        "A setting is of another version of the software: those of flash storage changed their names, for one.",
    ]
    if likely == _FILE:
        causes = [
            "The file is none that a cluster wrote, is of another kind of backup, or was cut short when it was copied.",
            "It is of a cluster that a newer version of the software has written.",
            "The number of the old node that this one stands for is not in it.",
        ]
    if is_elsewhere:
        causes.insert(0, f"{address} is not among the addresses that the node lists: {listed(own)}.")
    remedies = [Remedy(f"Change {_NAMES[likely]}", likely)]
    if likely == _ADDRESS:
        # those of bridges lead nowhere outside the machine
        usable = [each for each in own if each != address and each not in at.bridge_addresses]
        remedies[:0] = [Remedy(f"Use {each}", _ADDRESS, {_ADDRESS: each}) for each in usable[:_MOST_ADDRESSES]]
    elif not named:
        remedies.append(Remedy("Change the address", _ADDRESS))
    return Explanation(
        title="The node could not work with what it was given",
        meaning=f"{at.node} took the request to {at.verb} {at.cluster}, read it, and found something in it that it "
        f"cannot work with. It stopped there, and takes a new request."
        f"{at.words('field')}",
        causes=tuple(causes),
        checks=(
            "The node message above usually names the field."
            if at.message
            else "Compare every field with the review: the node did not say which one it is.",
            f"On {at.node}, `sudo tail -n 50 /var/opt/redislabs/log/cnm_http.log` shows how the node read it.",
        ),
        part=likely,
        remedies=tuple(remedies),
    )


def explain_invalid_license(at: Situation) -> Explanation:
    """Tell a license that cannot be read from one whose terms do not allow this cluster."""
    violation = next((text for key in _VIOLATIONS if (text := read_word(at.details.get(key)))), "")
    if violation:
        title = "The license does not allow this cluster"
        said = f"could read the license, and its terms do not allow {at.cluster}: the violation is {violation}"
        causes: tuple[str, ...] = (
            f"The license is for another cluster: it names one, and this one is {at.cluster}.",
            "The license has expired, or its time has not begun.",
            "The license is for fewer shards or nodes than are wanted.",
        )
    else:
        title = "The license could not be read"
        said = "could not read the license"
        causes = (
            "A line was lost or changed when it was copied: a mail program may have broken or joined lines.",
            "It is another text: a license key or an order confirmation is not the license.",
        )
    remedies = [Remedy("Paste the license again", "license")]
    if re.search(r"cluster|name", violation):
        remedies.append(Remedy("Change the cluster name", "cluster.name"))
    if at.asked("license") and not at.joins and not at.recovers:
        remedies.append(Remedy("Use the 30-day trial", "license", {"license": ""}))
    return Explanation(
        title=title,
        meaning=f"{at.node} {said}. {at.unmade}{at.words(*_VIOLATIONS)}",
        causes=causes,
        checks=(
            "Paste everything from ----- LICENSE START ----- to ----- LICENSE END -----, both lines included.",
            f"The cluster name in the license has to be {at.cluster}, letter for letter.",
            "Without a license the cluster runs as a trial: 30 days, 4 shards. A license can be added at any time.",
        ),
        part="license",
        remedies=tuple(remedies),
    )


_VIOLATIONS: Final = ("violation_code", "violation", "violations", "code")
_PLURAL: Final = {"cluster.nodes", "dns_suffixes", "node.identity.external_addr"}


def _mentioned(at: Situation) -> str:
    """Find the field that the node's message or a detail speaks of."""
    named = read_word(at.details.get("field"))
    if named in _NAMES:
        return named
    said = f"{named} {at.message}".lower()
    return next((part for words, part in _MENTIONS if re.search(words, said)), "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
