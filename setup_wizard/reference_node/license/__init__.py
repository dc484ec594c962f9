"""Practice licenses: the envelope of real ones around plain terms, worth nothing on a real cluster.

A license is what stands between two marker lines: a line for people, and the terms as JSON. It is not signed, since
tests of a client need licenses of every kind, and no real node takes one. The tool is
``python -m setup_wizard.reference_node.license``.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from setup_wizard.reference_node.errors import BootstrapFailed, LicenseUnreadable
from setup_wizard.reference_node.lifecycle import format_time

START = "----- LICENSE START -----"
END = "----- LICENSE END -----"
MARK = "Practice-License: for reference nodes only, worth nothing on a real cluster"
DAY_SECONDS = 24 * 60 * 60
TRIAL_DAYS = 30
TRIAL_SHARDS = 4


class Violation(StrEnum):
    """Which term of a license that can be read is violated: the `violation_code` of the error's details."""

    EXPIRED = "license_expired"
    NOT_YET = "license_not_yet_valid"
    CLUSTER = "cluster_name_mismatch"
    NODES = "nodes_limit_exceeded"
    SHARDS = "shards_limit_exceeded"
    FLASH = "flash_not_allowed"


@dataclass(frozen=True)
class License:
    """The terms; times are whole seconds since 1970, `nodes` is None where any number may join."""

    cluster: str
    expires: int
    shards: int
    flash_shards: int = 0
    nodes: int | None = None
    activates: int = 0
    owner: str = ""
    trial: bool = False

    def document(self, now: float) -> dict[str, object]:
        """The form in which the tool shows it."""
        return {
            "cluster_name": self.cluster,
            "owner": self.owner,
            "activation_date": format_time(self.activates),
            "expiration_date": format_time(self.expires),
            "expired": now >= self.expires,
            "shards_limit": self.shards,
            "flash_shards_limit": self.flash_shards,
            "nodes_limit": self.nodes,
            "trial": self.trial,
            "practice": True,
        }

    def answer(self, now: float, shards: int) -> dict[str, object]:
        """The terms in `GET /v1/license` of a cluster whose databases have so many shards."""
        return {
            "cluster_name": self.cluster,
            "owner": self.owner,
            "activation_date": format_time(self.activates),
            "expiration_date": format_time(self.expires),
            "expired": now >= self.expires,
            "features": ["bigstore"] if self.flash_shards else [],
            "shards_limit": self.shards,
            "ram_shards_limit": self.shards,
            "ram_shards_in_use": shards,
            "flash_shards_limit": self.flash_shards,
            "flash_shards_in_use": 0,
        }


@dataclass(frozen=True)
class Use:
    """What a cluster would have of what a license limits; `shards` are those of its databases."""

    nodes: int
    shards: int = 0
    flash: bool = False


def write_license(terms: License) -> str:
    """Write the terms as text, with both marker lines."""
    return "\n".join([START, MARK, json.dumps(asdict(terms), indent=0), END])


def read_license(text: str) -> License:
    """Read a license back; raises LicenseUnreadable, with what is wrong with it."""
    before, start, rest = text.partition(START)
    body, end, after = rest.partition(END)
    if not start or not end or before.strip() or after.strip():
        raise LicenseUnreadable(f"A license begins with {START} and ends with {END}.")
    try:
        return _parse(json.loads(body.strip().removeprefix(MARK)))
    except (ValueError, OverflowError, OSError, RecursionError):
        raise LicenseUnreadable("The text between the marker lines does not hold the terms of a license.") from None


def find_license(text: str, cluster: str, created: int) -> License:
    """The license of a cluster: the one that it was given, or without one the trial that began with it.

    Raises BootstrapFailed, with `invalid_license`.
    """
    if text.strip():
        try:
            return read_license(text)
        except LicenseUnreadable as unreadable:
            raise BootstrapFailed("invalid_license", f"The license cannot be read. {unreadable}") from None
    return License(
        cluster=cluster,
        expires=created + TRIAL_DAYS * DAY_SECONDS,
        shards=TRIAL_SHARDS,
        flash_shards=TRIAL_SHARDS,
        activates=created,
        owner="trial",
        trial=True,
    )


def check_terms(terms: License, cluster: str, use: Use, now: float) -> None:
    """Refuse what a license does not allow its cluster.

    Raises BootstrapFailed, with `invalid_license` and the `violation_code`.
    """
    if now < terms.activates:
        raise _violated(Violation.NOT_YET, f"The license begins on {format_time(terms.activates)}", terms)
    if now >= terms.expires:
        name = "trial" if terms.trial else "license"
        raise _violated(Violation.EXPIRED, f"The {name} expired on {format_time(terms.expires)}", terms)
    if terms.cluster.lower() != cluster.lower():
        raise _violated(Violation.CLUSTER, f"The license is for {terms.cluster}, not for {cluster}", terms)
    if terms.nodes is not None and use.nodes > terms.nodes:
        message = f"The license allows {terms.nodes} nodes, and this would be number {use.nodes}"
        raise _violated(Violation.NODES, message, terms, nodes_limit=terms.nodes)
    if use.shards > terms.shards:
        message = f"The license allows {terms.shards} shards, and the databases have {use.shards}"
        raise _violated(Violation.SHARDS, message, terms, shards_limit=terms.shards, shards_used=use.shards)
    if use.flash and not terms.flash_shards:
        raise _violated(Violation.FLASH, "The license does not allow flash storage", terms, flash_shards_limit=0)


def _violated(violation: Violation, message: str, terms: License, **details: object) -> BootstrapFailed:
    expires = format_time(terms.expires)
    return BootstrapFailed(
        "invalid_license", message, violation_code=violation.value, expiration_date=expires, **details
    )


def _parse(document: object) -> License:
    match document:
        case {
            "cluster": str(cluster),
            "expires": int(expires),
            "shards": int(shards),
            "flash_shards": int(flash_shards),
            "nodes": int() | None as nodes,
            "activates": int(activates),
            "owner": str(owner),
        }:
            # terms that cannot be written as text would fail in an answer
            f"{cluster}{owner}{format_time(expires)}{format_time(activates)}".encode()
            return License(cluster, expires, shards, flash_shards, nodes, activates, owner)
        case _:
            raise ValueError("not the terms of a license")
