"""What a node pretends to be, and the command line options for it."""

import argparse
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from setup_wizard.reference_node.lockout import VENDOR_POLICY, LockoutPolicy
from setup_wizard.reference_node.storage import SYSTEM_TABLE


class Dialect(StrEnum):
    """The spelling and types of answers: the published page's, or those recorded from real nodes."""

    SEED = "seed"
    RECORDED = "recorded"


@dataclass(frozen=True)
class Traits:
    """What one node pretends to be; None stands for the machine's true value.

    Sizes are bytes, `clock_offset` is in seconds ahead of the machine's clock, `mounts` is a table of mount points in
    the form of /proc/self/mountinfo.
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
    """Add the options for what a node pretends to be."""
    default = Traits()
    options = parser.add_argument_group("what the node pretends to be")
    for name, read, value, metavar, text in (
        ("memory-bytes", _size, None, "N", "default: this machine's memory"),
        ("flash-bytes", _size, None, "N", "default: the disk of the flash path"),
        ("clock-offset", _offset, default.clock_offset, "SECONDS", "ahead of this machine's clock"),
        ("socket-directory", _absolute, default.socket_directory, "PATH", "default: %(default)s"),
        ("install-dir", _absolute, default.install_dir, "PATH", "default: %(default)s"),
        ("config-dir", _absolute, default.config_dir, "PATH", "default: %(default)s"),
        ("os-user", _word, default.os_user, "NAME", "default: %(default)s"),
        ("software-version", _word, default.software_version, "TEXT", "default: %(default)s"),
        ("mounts", _readable, default.mounts, "FILE", "table of mount points; default: %(default)s"),
        (
            "lockout-threshold",
            _whole,
            default.lockout.threshold,
            "N",
            "refused sign-ins after which a new cluster locks the account; 0: never; default: %(default)s",
        ),
        (
            "lockout-reset-after",
            _whole,
            default.lockout.reset_after,
            "SECONDS",
            "after which a refused sign-in does not count with the next; default: %(default)s",
        ),
        (
            "lockout-duration",
            _whole,
            default.lockout.duration,
            "SECONDS",
            "for which an account is locked; 0: for ever; default: %(default)s",
        ),
    ):
        options.add_argument(f"--{name}", type=read, default=value, metavar=metavar, help=text)
    options.add_argument(
        "--dialect",
        choices=[dialect.value for dialect in Dialect],
        default=default.dialect.value,
        help="answers as on the published page, or as recorded from real nodes; default: %(default)s",
    )
    options.add_argument(
        "--no-validate", action="store_true", help="answer 404 to /v1/bootstrap/validate/…, as older nodes do"
    )
    options.add_argument("--strict", action="store_true", help="refuse unknown keys in requests, not ignore them")


def read_traits(options: argparse.Namespace) -> Traits:
    """Read what `add_node_options` added."""
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
    # farther times cannot be written as nodes write them
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
