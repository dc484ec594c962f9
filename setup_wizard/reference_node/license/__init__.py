"""Practice licenses: plain terms in the envelope of real licenses, worth nothing on a real cluster.

Between two marker lines there are a line for people and the terms as JSON. They are not signed: tests of a client need
licenses of every kind. The tool is ``python -m setup_wizard.reference_node.license``.
"""

import json
from dataclasses import dataclass

from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import BootstrapFailed, LicenseUnreadable
from setup_wizard.reference_node.lifecycle import format_time

START = "----- LICENSE START -----"
END = "----- LICENSE END -----"
MARK = "Practice-License: for reference nodes only, worth nothing on a real cluster"
DAY_SECONDS = 24 * 60 * 60
TRIAL_DAYS = 30
TRIAL_SHARDS = 4


@dataclass(frozen=True)
class License:
    """The terms; times are whole seconds since 1970, `nodes` is None for any number."""

    cluster: str
    expires: int
    shards: int
    flash_shards: int = 0
    nodes: int | None = None
    activates: int = 0
    owner: str = ""
    trial: bool = False

    def document(self, now: float) -> dict[str, object]:
        """As the tool shows it."""
        return {**self._common(now), "nodes_limit": self.nodes, "trial": self.trial, "practice": True}

    def answer(self, now: float, shards: int) -> dict[str, object]:
        """The terms in `GET /v1/license` of a cluster whose databases have so many shards."""
        return {
            **self._common(now),
            "features": ["bigstore"] if self.flash_shards else [],
            "ram_shards_limit": self.shards,
            "ram_shards_in_use": shards,
            "flash_shards_in_use": 0,
        }

    def _common(self, now: float) -> dict[str, object]:
        return {
            "cluster_name": self.cluster,
            "owner": self.owner,
            "activation_date": format_time(self.activates),
            "expiration_date": format_time(self.expires),
            "expired": now >= self.expires,
            "shards_limit": self.shards,
            "flash_shards_limit": self.flash_shards,
        }


@dataclass(frozen=True)
class Use:
    """What a cluster uses of what a license limits; `shards` are those of its databases."""

    nodes: int
    shards: int = 0
    flash: bool = False


def write_license(terms: License) -> str:
    """Write the terms as text, with both marker lines."""
    return "\n".join([START, MARK, json.dumps(write_document(terms), indent=0), END])


def read_license(text: str) -> License:
    """Read a license; raises LicenseUnreadable."""
    before, start, rest = text.partition(START)
    body, end, after = rest.partition(END)
    if not start or not end or before.strip() or after.strip():
        raise LicenseUnreadable(f"A license begins with {START} and ends with {END}.")
    try:
        terms = read_document(License, json.loads(body.strip().removeprefix(MARK)))
        # terms that cannot be written as text would fail in an answer
        f"{terms.cluster}{terms.owner}{format_time(terms.expires)}{format_time(terms.activates)}".encode()
    except (ValueError, OverflowError, OSError, RecursionError):
        raise LicenseUnreadable("The text between the marker lines does not hold the terms of a license.") from None
    return terms


def find_license(text: str, cluster: str, created: int) -> License:
    """The license of a cluster, or its trial without one; raises BootstrapFailed (`invalid_license`)."""
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
    """Check what a cluster uses; raises BootstrapFailed (`invalid_license`, with a `violation_code`)."""

    def violated(violation: str, message: str, **details: object) -> BootstrapFailed:
        expires = format_time(terms.expires)
        return BootstrapFailed("invalid_license", message, violation_code=violation, expiration_date=expires, **details)

    if now < terms.activates:
        raise violated("license_not_yet_valid", f"The license begins on {format_time(terms.activates)}")
    if now >= terms.expires:
        name = "trial" if terms.trial else "license"
        raise violated("license_expired", f"The {name} expired on {format_time(terms.expires)}")
    if terms.cluster.lower() != cluster.lower():
        raise violated("cluster_name_mismatch", f"The license is for {terms.cluster}, not for {cluster}")
    if terms.nodes is not None and use.nodes > terms.nodes:
        message = f"The license allows {terms.nodes} nodes, and this would be number {use.nodes}"
        raise violated("nodes_limit_exceeded", message, nodes_limit=terms.nodes)
    if use.shards > terms.shards:
        message = f"The license allows {terms.shards} shards, and the databases have {use.shards}"
        raise violated("shards_limit_exceeded", message, shards_limit=terms.shards, shards_used=use.shards)
    if use.flash and not terms.flash_shards:
        raise violated("flash_not_allowed", "The license does not allow flash storage", flash_shards_limit=0)
