"""The tool: ``python -m setup_wizard.reference_node.license make|read``."""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from setup_wizard.reference_node.errors import LicenseUnreadable
from setup_wizard.reference_node.license import License, read_license, write_license
from setup_wizard.reference_node.lifecycle import format_time


def main(arguments: list[str] | None = None) -> int:
    """Make or read a license; returns the exit code (2: wrong options, 1: not a license)."""
    options = read_options(arguments)
    if options.command == "make":
        sys.stdout.write(write_license(make_license(options)) + "\n")
        return 0
    try:
        text = sys.stdin.read() if options.file is None else options.file.read_text()
        document = read_license(text).document(time.time())
    except (LicenseUnreadable, OSError, UnicodeError) as error:
        sys.stderr.write(f"license: {error}\n")
        return 1
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options; exits with code 2 and a message when one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m setup_wizard.reference_node.license",
        description="Make and read practice licenses: for reference nodes only, worth nothing on a real cluster.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="write a license to standard output", allow_abbrev=False)
    dates = "2027-01-31 or 2027-01-31T12:00:00Z, in UTC"
    for name, read_value, default, metavar, text in (
        ("cluster", str, None, "NAME", "name of the cluster"),
        ("shards", _count, None, "N", "shards of all databases"),
        ("expires", _date, None, "DATE", dates),
        ("activates", _date, 0, "DATE", "default: valid from the start"),
        ("flash-shards", _count, 0, "N", "default: %(default)s, no flash"),
        ("nodes", _count, None, "N", "default: any number"),
        ("owner", str, "", "TEXT", "default: none"),
    ):
        required = name in {"cluster", "shards", "expires"}
        make.add_argument(f"--{name}", type=read_value, default=default, required=required, metavar=metavar, help=text)
    read = commands.add_parser("read", help="show the terms of a license as JSON", allow_abbrev=False)
    read.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: standard input")
    return parser.parse_args(arguments)


def make_license(options: argparse.Namespace) -> License:
    """Take the terms from the options."""
    return License(**{name: value for name, value in vars(options).items() if name != "command"})


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _date(text: str) -> int:
    try:
        date = datetime.fromisoformat(text)
        seconds = int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
        format_time(seconds)  # raises when it cannot be written
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31") from None
    return seconds


if __name__ == "__main__":
    sys.exit(main())
