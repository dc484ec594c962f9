"""The command line options of a node: what it pretends to be."""

import argparse
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from setup_wizard.reference_node.lockout import VENDOR_POLICY, LockoutPolicy
from setup_wizard.reference_node.storage import SYSTEM_TABLE


class Dialect(StrEnum):
    """The spelling and types of answers: the published page's, or those recorded from real nodes."""

    PUBLISHED = "published"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Traits:
    """What one node pretends to be; None stands for the machine's true value.

    Sizes are bytes, `clock_offset` is in seconds ahead of the machine's clock, `mounts` is a table of mount points in
    the form of /proc/self/mountinfo. A member accepts client certificates that `client_ca` (PEM) signed.
    """

    memory: int | None = None
    flash: int | None = None
    clock_offset: float = 0.0
    socket_directory: str = "/var/opt/redislabs/run"
    install_dir: str = "/opt/redislabs"
    config_dir: str = "/etc/opt/redislabs"
    os_user: str = "redislabs"
    software_version: str = "7.22.0-216"
    mounts: Path = SYSTEM_TABLE
    dialect: Dialect = Dialect.RECORDED
    validates: bool = True
    heeds_policy: bool = True
    strict: bool = False
    lockout: LockoutPolicy = VENDOR_POLICY
    client_ca: Path | None = None
    basic_auth: bool = True
    viewer: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, for comparisons."""
        return tuple(map(int, re.findall("[0-9]+", self.software_version)))


def add_node_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for what a node pretends to be."""
    size, whole = whole_number(1, 2**63 - 1, "a number of bytes"), whole_number(0, 10**9, "a whole number from 0 on")
    seconds = number(-1e10, 1e10, "a number of seconds")  # farther times cannot be written as nodes write them
    options = parser.add_argument_group("what the node pretends to be")
    for name, read, default, metavar, text in (
        ("memory-bytes", size, None, "N", "default: this machine's memory"),
        ("flash-bytes", size, None, "N", "default: the disk of the flash path"),
        ("clock-offset", seconds, Traits.clock_offset, "SECONDS", "ahead of this machine's clock"),
        ("socket-directory", _absolute, Traits.socket_directory, "PATH", "default: %(default)s"),
        ("install-dir", _absolute, Traits.install_dir, "PATH", "default: %(default)s"),
        ("config-dir", _absolute, Traits.config_dir, "PATH", "default: %(default)s"),
        ("os-user", _word, Traits.os_user, "NAME", "default: %(default)s"),
        ("software-version", _word, Traits.software_version, "TEXT", "default: %(default)s"),
        ("mounts", _readable, Traits.mounts, "FILE", "table of mount points; default: %(default)s"),
        ("client-ca", _readable, None, "FILE", "a member accepts client certificates signed by this (PEM)"),
        ("viewer", _account, {}, "NAME:PASSWORD", "account of a new cluster without the administrator's role"),
        ("lockout-threshold", whole, 5, "N", "refused sign-ins that lock an account; 0: never; default: %(default)s"),
        ("lockout-reset-after", whole, 900, "SECONDS", "until a refused sign-in is forgotten; default: %(default)s"),
        ("lockout-duration", whole, 1800, "SECONDS", "of a lock; 0: for ever; default: %(default)s"),
    ):
        dest = name.removesuffix("-bytes").replace("-", "_")
        options.add_argument(f"--{name}", dest=dest, type=read, default=default, metavar=metavar, help=text)
    options.add_argument(
        "--dialect", choices=list(map(str, Dialect)), default="recorded", help="of the published page, or of real nodes"
    )
    text = "answer 404 to validations, as older nodes do"
    options.add_argument("--no-validate", dest="validates", action="store_false", help=text)
    text = "ignore `policy` in requests, as newer nodes may"
    options.add_argument("--ignore-policy", dest="heeds_policy", action="store_false", help=text)
    text = "a member refuses user names and passwords"
    options.add_argument("--no-basic-auth", dest="basic_auth", action="store_false", help=text)
    options.add_argument("--strict", action="store_true", help="refuse unknown keys in requests, not ignore them")


def read_traits(options: argparse.Namespace) -> Traits:
    """Read what `add_node_options` added."""
    lockout = LockoutPolicy(options.lockout_threshold, options.lockout_reset_after, options.lockout_duration)
    values = {each.name: getattr(options, each.name) for each in fields(Traits) if each.name != "lockout"}
    return Traits(**{**values, "dialect": Dialect(options.dialect)}, lockout=lockout)


def whole_number(low: int, high: int, what: str) -> Callable[[str], int]:
    """Make a type for argparse: a whole number within limits."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return int(text)

    return read


def number(low: float, high: float, what: str) -> Callable[[str], float]:
    """Make a type for argparse: a number between limits."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value < high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return read


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an absolute path")
    return text


def _word(text: str) -> str:
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not a name")
    return text


def _account(text: str) -> dict[str, str]:
    name, _, password = text.partition(":")
    if not name or not password:
        raise argparse.ArgumentTypeError("a name, a colon and a password are needed")
    return {name: password}


def _readable(text: str) -> Path:
    path = Path(text)
    try:
        path.read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror}") from None
    return path.absolute()
