"""What a cluster answers about itself: its name and settings, license, modules, and when it locks an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import read_flag, read_text

MAX_NAME_LENGTH: Final = 255
MAX_MODULES: Final = 200
_MAX_COUNT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What a cluster says about itself; None where it does not say."""

    name: str
    rack_aware: bool | None = None
    upgrade_mode: bool | None = None
    upgrade_in_progress: bool | None = None
    cnm_https_port: int | None = None
    basic_authentication: bool | None = None

    @property
    def is_upgrading(self) -> bool:
        """Whether it says that an upgrade is under way."""
        return bool(self.upgrade_mode or self.upgrade_in_progress)


def parse_cluster(document: object) -> ClusterFacts:
    """Read the body of `GET /v1/cluster`.

    Raises:
        UnreadableAnswer: it has no name.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/cluster/; `upgrade_in_progress` was
    seen on a real node, and `control_plane_basic_authentication` is only documented for PUT.
    """
    name = read_text(document.get("name"), MAX_NAME_LENGTH) if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not name:
        raise UnreadableAnswer("the answer has no cluster name")
    port = _count(document.get("cnm_https_port"))
    return ClusterFacts(
        name=name,
        rack_aware=read_flag(document.get("rack_aware")),
        upgrade_mode=read_flag(document.get("upgrade_mode")),
        upgrade_in_progress=read_flag(document.get("upgrade_in_progress")),
        cnm_https_port=port if port and port < 2**16 else None,
        basic_authentication=read_flag(document.get("control_plane_basic_authentication")),
    )


@dataclass(frozen=True, slots=True)
class Lockout:
    """When a cluster locks an account: after `threshold` failed sign-ins within `window` seconds; 0 is never.

    None means that the cluster does not say.
    """

    threshold: int | None
    window: int | None


def parse_lockout(document: object) -> Lockout:
    """Read the lockout out of the body of `GET /v1/cluster/policy`.

    Raises:
        UnreadableAnswer: there is none.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/cluster/policy/
    """
    if not isinstance(document, Mapping) or (threshold := _count(document.get("login_lockout_threshold"))) is None:
        raise UnreadableAnswer("the answer has no lockout threshold")
    return Lockout(threshold, _count(document.get("login_lockout_counter_reset_after")))


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFacts:
    """The terms of a cluster's license and what is in use; None where the cluster does not say.

    `expires` is a time as the cluster writes it.
    """

    expired: bool | None = None
    expires: str = ""
    shards_limit: int | None = None
    ram_shards_limit: int | None = None
    ram_shards_in_use: int | None = None
    flash_shards_limit: int | None = None
    flash_shards_in_use: int | None = None

    @property
    def shards_in_use(self) -> int | None:
        """The shards of both kinds, None when the cluster names neither."""
        used = [count for count in (self.ram_shards_in_use, self.flash_shards_in_use) if count is not None]
        return sum(used) if used else None


def parse_license(document: object) -> LicenseFacts:
    """Read the body of `GET /v1/license`.

    Raises:
        UnreadableAnswer: it is not an object.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/license/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer is not a license")
    return LicenseFacts(
        expired=read_flag(document.get("expired")),
        expires=read_text(document.get("expiration_date"), 60) or "",
        shards_limit=_count(document.get("shards_limit")),
        ram_shards_limit=_count(document.get("ram_shards_limit")),
        ram_shards_in_use=_count(document.get("ram_shards_in_use")),
        flash_shards_limit=_count(document.get("flash_shards_limit")),
        flash_shards_in_use=_count(document.get("flash_shards_in_use")),
    )


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a cluster; `is_bundled` is None when the cluster does not say whether it came with the software."""

    name: str
    version: str = ""
    is_bundled: bool | None = None

    @property
    def label(self) -> str:
        """The module in words: "search 2.10.5"."""
        return f"{self.name} {self.version}".rstrip()


def parse_modules(document: object) -> tuple[Module, ...]:
    """Read the body of `GET /v1/modules`; entries without a name are left out.

    Raises:
        UnreadableAnswer: it is not a list.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/module/
    """
    if not isinstance(document, list):
        raise UnreadableAnswer("the answer is not a list of modules")
    return tuple(module for entry in document[:MAX_MODULES] if (module := _module(entry)))


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are the same in DNS, which ignores case and a final dot."""
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def _module(entry: object) -> Module | None:
    if not isinstance(entry, Mapping) or not (name := read_text(entry.get("module_name"), 60)):
        return None
    number = _count(entry.get("version"))
    version = read_text(entry.get("semantic_version"), 40) or ("" if number is None else str(number))
    return Module(name, version, read_flag(entry.get("is_bundled")))


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return min(value, _MAX_COUNT)
