"""The command line: ``python -m setup_wizard.reference_node``."""

import argparse
import asyncio
import copy
import ipaddress
import logging
import math
import os
import sys
from pathlib import Path

from setup_wizard.reference_node.errors import NodeError
from setup_wizard.reference_node.faults import Fault, describe_faults, parse_fault
from setup_wizard.reference_node.hosting import INDEX, NodeConfig, allow_open_files, plan_nodes, run_nodes
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import add_node_options, number, read_traits, whole_number


def main(arguments: list[str] | None = None) -> int:
    """Run nodes until a signal stops them; returns the exit code (2: wrong options, 1: they cannot run)."""
    options = read_options(arguments)
    logging.basicConfig(level=logging.ERROR, format="reference node: %(message)s")
    traits = read_traits(options)

    def make_node(config: NodeConfig) -> Node:
        faults = copy.deepcopy(options.fault)  # some faults count, each node for itself
        return Node(config.directory, config.bind, pace=options.pace, faults=faults, traits=traits)

    try:
        configs = plan_nodes(options.bind, options.port, options.count, options.data)
        allow_open_files(len(configs))
        asyncio.run(run_nodes(configs, make_node, options.data / INDEX, options.control))
    except (NodeError, OSError) as error:
        sys.stderr.write(f"reference node: {error}\n")
        return 1
    return 0


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options; exits with code 2 and a message when one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m setup_wizard.reference_node",
        description="Stands in for a Redis Enterprise node that has not been set up.",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"faults, with the words that select the requests they affect:\n{describe_faults()}",
    )
    count = whole_number(1, 65535, "a number of nodes: use 1 or more")
    pace = number(0, math.inf, "a number of seconds")
    for name, read, default, metavar, text in (
        ("bind", _address, "127.0.0.1", "ADDRESS", "default: %(default)s"),
        ("port", _port, 9443, "PORT", "default: %(default)s; 0: any that is free"),
        ("data", Path, Path("var/reference_node"), "DIR", "default: %(default)s; its files, /var/opt/redislabs too"),
        ("count", count, 1, "N", "nodes in this process, on successive loopback addresses or ports, in DIR/node-1, …"),
        ("pace", pace, 3.0, "SECONDS", "duration of one stage; default: %(default)s"),
        ("control", _control, None, "[ADDRESS:]PORT", "change faults and read the journal there; loopback only"),
    ):
        parser.add_argument(f"--{name}", type=read, default=default, metavar=metavar, help=text)
    parser.add_argument("--light", action="store_true", help="without effect; kept for older scripts")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[=VALUE][:WORD]",
        help="what goes wrong, see below; repeatable",
    )
    add_node_options(parser)
    return parser.parse_args(arguments)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IPv4 or IPv6 address") from None


_port = whole_number(0, 65535, "a port: use 1 to 65535, or 0 for any that is free")


def _control(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    bind = _address(address.strip("[]") or "127.0.0.1")
    if not ipaddress.ip_address(bind).is_loopback:
        raise argparse.ArgumentTypeError(
            f"{bind} is not a loopback address: the control port is for this machine alone"
        )
    return bind, _port(port)


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # everything is on the disk; a hanging name look-up in a thread must not keep the process alive
    os._exit(code)
