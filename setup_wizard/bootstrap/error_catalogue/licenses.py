"""A license that the node cannot read, or whose terms do not allow the cluster."""

import re
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.error_catalogue.explanation import START_AGAIN, Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, read_word
from setup_wizard.bootstrap.rules import RuleError, check_cluster_name

_KEYS: Final = ("violation_code", "violation", "violations", "code")
_NAME: Final = "cluster.name"
_FLASH: Final = "node.paths.bigstore_path"
_DATE: Final = re.compile(r"\b(\d{4}-\d\d-\d\d)")
_MAX_NAME_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class _Violation:
    """One term of a license that the cluster violates; `figures` are the label, and the details of use and limit."""

    pattern: str
    title: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    label: str
    used: str = ""
    limit: str = ""


# the first match counts
_VIOLATIONS: Final = (
    _Violation(
        r"not.?yet|activat|begins?",
        "The license is not valid yet",
        ("The license begins at a later date.", "The clock of the node is behind."),
        (
            "On the node, `date -u` should print the current time.",
            "Wait until the license begins, or use another one until then.",
        ),
        "License begins",
        limit="activation_date",
    ),
    _Violation(
        r"expir",
        "The license has expired",
        ("The license was valid for a limited time, and it is over.", "The clock of the node is ahead."),
        (
            "Get a new license from your account at Redis.",
            "On the node, `date -u` should print the current time.",
        ),
        "License expires",
        limit="expiration_date",
    ),
    _Violation(
        r"name|other.?cluster|cluster.?mismatch",
        "The license is for another cluster",
        ("The license was issued for another cluster name.", "The cluster name is mistyped."),
        (
            "The cluster name must be exactly the one in the license. It cannot be changed later.",
            "Or get a license for this name from your account at Redis.",
        ),
        "Cluster name",
        limit="cluster_name",
    ),
    _Violation(
        r"node",
        "The license allows too few nodes",
        ("The cluster has as many nodes as its license allows.",),
        ("Get a license for more nodes, or remove a node from the cluster first.",),
        "Nodes",
        "nodes_used",
        "nodes_limit",
    ),
    _Violation(
        r"flash|bigstore",
        "The license does not allow flash storage",
        ("The license covers memory only, and the node uses flash storage.",),
        ("Leave the flash storage out, or get a license with flash shards. Flash cannot be turned on later.",),
        "Flash shards",
        limit="flash_shards_limit",
    ),
    _Violation(
        r"shard",
        "The license allows too few shards",
        ("The databases of the cluster have more shards than the license allows.",),
        ("Get a license for at least as many shards as the databases have.",),
        "Shards",
        "shards_used",
        "shards_limit",
    ),
)
_TERMS: Final = _Violation(
    "",
    "License does not cover this cluster",
    (
        "The license is for another cluster name.",
        "The license has expired, or is not valid yet.",
        "The license covers fewer shards or nodes than you need.",
    ),
    ("Compare the terms of the license with the cluster: name, dates, shards and nodes.",),
    "",
)
_SHOWN: Final = tuple(
    name for each in _VIOLATIONS for name in (each.used, each.limit) if name
)  # fmt: skip


def explain_invalid_license(failure: BootstrapFailure) -> Explanation:
    """Tell a license that cannot be read from one whose terms do not allow the cluster, by the violated term."""
    violation = next((word for key in _KEYS if (word := read_word(failure.details.get(key)))), "")
    return _explain_violation(failure, violation) if violation else _explain_unreadable(failure)


def _explain_unreadable(failure: BootstrapFailure) -> Explanation:
    return Explanation(
        title="The license cannot be read",
        meaning=f"{failure.node} could not read the license. {failure.result}{failure.closing_sentences()}",
        causes=(
            "A line was lost or changed when the license was copied. Mail programs can break or join lines.",
            "It is another text, such as a license key or an order confirmation.",
        ),
        checks=(
            "Paste everything from `----- LICENSE START -----` to `----- LICENSE END -----`, with both lines.",
            *_ways_out(failure),
        ),
        part="" if failure.joins else "license",
        remedies=(*_license_buttons(failure), *_trial(failure)) or (START_AGAIN,),
    )


def _explain_violation(failure: BootstrapFailure, word: str) -> Explanation:
    found = next((each for each in _VIOLATIONS if re.search(each.pattern, word.lower())), _TERMS)
    name = _licensed_name(failure) if found.label == "Cluster name" else ""
    remedies = [*_license_buttons(failure)]
    if found.label == "Cluster name" and failure.creates:
        button = Remedy(f"Rename to {name}", _NAME, {_NAME: name}) if name else Remedy("Change the cluster name", _NAME)
        remedies.insert(0, button)
    if found.label == "Flash shards" and failure.uses_flash:
        remedies.append(Remedy("Leave out flash storage", _FLASH, {_FLASH: ""}))
    return Explanation(
        title=found.title,
        meaning=f"{failure.node} read the license{' of the cluster' if failure.joins else ''}, but its terms do not "
        f"allow {failure.cluster} (violation: {word}). {failure.result}{failure.closing_sentences(*_KEYS, *_SHOWN)}",
        causes=found.causes,
        checks=(*found.checks, *_ways_out(failure)),
        part="" if failure.joins else "license",
        remedies=(*remedies, *_trial(failure)) or (START_AGAIN,),
        figures=_figures(found, failure, name),
    )


def _figures(found: _Violation, failure: BootstrapFailure, name: str) -> tuple[Figure, ...]:
    used, limit = read_word(failure.details.get(found.used)), read_word(failure.details.get(found.limit))
    match found.label:
        case "Cluster name":
            given = failure.requested(_NAME)
            return (Figure("Cluster name", given, needed=name),) if given or name else ()
        case "License begins" | "License expires":
            date = _DATE.search(limit) or _DATE.search(failure.message)
            needed = "a date in the past" if found.label == "License begins" else "a date in the future"
            return (_term(failure, found.label, date[1], needed),) if date else ()
        case "Flash shards":
            return (Figure("Flash storage", failure.requested(_FLASH) or "in use", needed="none"),)
        case "":
            return ()
    return (_term(failure, found.label, used, f"at most {limit}"),) if limit else ()


def _term(failure: BootstrapFailure, label: str, value: str, needed: str) -> Figure:
    """Show what the cluster has, or what the request brings to the node."""
    return Figure(label, "", value, needed) if failure.joins else Figure(label, value, needed=needed)


def _licensed_name(failure: BootstrapFailure) -> str:
    """Give the cluster name in the license, "" when the node does not say or it cannot be a new cluster's name."""
    told = failure.text("cluster_name") or failure.text("license_cluster_name")
    named = re.search(r"\bfor ([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])", failure.message)
    word = told or (named[1] if named else "")
    try:
        name = check_cluster_name(word[:_MAX_NAME_LENGTH])
    except RuleError:
        return ""
    return name if name.lower() != failure.requested(_NAME).lower() else ""


def _license_buttons(failure: BootstrapFailure) -> tuple[Remedy, ...]:
    """Lead to the license; a node that joins has none to enter."""
    return () if failure.joins else (Remedy("Paste the license again", "license"),)


def _trial(failure: BootstrapFailure) -> tuple[Remedy, ...]:
    is_licensed = failure.creates and failure.requested("license")
    return (Remedy("Use the 30-day trial", "license", {"license": ""}),) if is_licensed else ()


def _ways_out(failure: BootstrapFailure) -> tuple[str, ...]:
    if failure.joins:
        return (
            f"Enter the new license on the cluster's own page, `{failure.page}`, under Cluster > License.",
            "Then start again: the node takes over the license of the cluster.",
        )
    if failure.recovers:
        return ("Without a license here, the cluster keeps the license in its file.",)
    return ("Without a license the cluster runs as a trial: 30 days, 4 shards. You can add a license at any time.",)
