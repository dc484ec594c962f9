"""What a node is said to be, where one machine cannot be it for real, and the options of the command line for that."""

import argparse
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.mounts import SYSTEM_TABLE

VENDOR_POLICY = LockoutPolicy()


class Dialect(StrEnum):
    """Whose spelling and types a node speaks: the published page's, or those that real nodes were seen to use."""

    SEED = "seed"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Traits:
    """One node as it was started; None stands for the machine's true value.

    Sizes are bytes, `clock_offset` is the seconds by which the node's clock is ahead of the machine's, `mounts` a
    table of what is mounted in the form of /proc/self/mountinfo.
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
    strict: bool = False
    lockout: LockoutPolicy = VENDOR_POLICY


def add_node_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for what a node is said to be."""
    default = Traits()
    options = parser.add_argument_group("what the node is said to be, where this machine cannot be it")
    options.add_argument("--memory-bytes", type=_size, metavar="N", help="default: this machine's")
    options.add_argument("--flash-bytes", type=_size, metavar="N", help="default: the disk of the flash path")
    options.add_argument(
        "--clock-offset", type=_offset, default=default.clock_offset, metavar="SECONDS", help="ahead of this machine's"
    )
    for name, what in (
        ("socket-directory", default.socket_directory),
        ("install-dir", default.install_dir),
        ("config-dir", default.config_dir),
    ):
        options.add_argument(f"--{name}", type=_absolute, default=what, metavar="PATH", help="default: %(default)s")
    options.add_argument("--os-user", type=_word, default=default.os_user, metavar="NAME", help="default: %(default)s")
    options.add_argument(
        "--software-version", type=_word, default=default.software_version, metavar="TEXT", help="default: %(default)s"
    )
    options.add_argument(
        "--mounts", type=_readable, default=default.mounts, metavar="FILE", help="what is mounted; default: %(default)s"
    )
    options.add_argument(
        "--dialect",
        choices=[dialect.value for dialect in Dialect],
        default=default.dialect.value,
        help="spelling and types of the published page, or those seen on real nodes; default: %(default)s",
    )
    options.add_argument(
        "--no-validate", action="store_true", help="answer 404 to /v1/bootstrap/validate/…, as older nodes do"
    )
    options.add_argument(
        "--lockout-threshold",
        type=_whole,
        default=default.lockout.threshold,
        metavar="N",
        help="refused sign-ins after which a new cluster locks the account; 0: never; default: %(default)s",
    )
    options.add_argument(
        "--lockout-reset-after",
        type=_whole,
        default=default.lockout.reset_after,
        metavar="SECONDS",
        help="after which a refused sign-in no longer counts with the next; default: %(default)s",
    )
    options.add_argument(
        "--lockout-duration",
        type=_whole,
        default=default.lockout.duration,
        metavar="SECONDS",
        help="for which an account is locked; 0: for ever; default: %(default)s",
    )
    options.add_argument(
        "--strict", action="store_true", help="refuse requests with keys that no node knows, instead of ignoring them"
    )


def read_traits(options: argparse.Namespace) -> Traits:
    """Take what `add_node_options` added."""
    return Traits(
        memory=options.memory_bytes,
        flash=options.flash_bytes,
        clock_offset=options.clock_offset,
        socket_directory=options.socket_directory,
        install_dir=options.install_dir,
        config_dir=options.config_dir,
        os_user=options.os_user,
        software_version=options.software_version,
        mounts=options.mounts,
        dialect=Dialect(options.dialect),
        validates=not options.no_validate,
        strict=options.strict,
        lockout=LockoutPolicy(options.lockout_threshold, options.lockout_reset_after, options.lockout_duration),
    )


def _size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _offset(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    # beyond some centuries a time can no longer be written as nodes write it
    if not abs(seconds) < 1e10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an absolute path")
    return text


def _word(text: str) -> str:
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not a name")
    return text


def _readable(text: str) -> Path:
    path = Path(text)
    try:
        path.read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror}") from None
    return path.absolute()
