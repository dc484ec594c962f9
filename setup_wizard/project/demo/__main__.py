"""`python -m setup_wizard.project.demo`, and the same with `reset`."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import DemoError, RunsAlreadyError
from setup_wizard.project.demo.opening import Demo, make_link
from setup_wizard.project.demo.parts import Parts
from setup_wizard.project.demo.ports import Address, Addresses, choose_addresses, claim_addresses
from setup_wizard.project.demo.runner import Runner


def main() -> int:
    """Run the demo until it is stopped, or forget it."""
    options = argparse.ArgumentParser(prog="python -m setup_wizard.project.demo", description=__doc__)
    options.add_argument("command", nargs="?", choices=["run", "reset"], default="run")
    command = {"run": run, "reset": reset}[options.parse_args().command]
    os.umask(0o077)
    try:
        command()
    except DemoError as failure:
        say(str(failure))
        if command is run and isinstance(failure, RunsAlreadyError):
            offer_link(failure)
        return 1
    return 0


def run() -> None:
    """Start everything, print the link, and keep it running until Ctrl-C.

    Raises:
        DemoError: it cannot start, or runs already.
    """
    directory = Directory()
    addresses = choose_addresses(os.environ)
    with directory.lock(addresses.web.port):
        claim_addresses(addresses)
        directory.prepare()
        directory.roll_logs()
        asyncio.run(keep(Demo(directory, Parts(directory, addresses, os.environ), say)))


def reset() -> None:
    """Forget all data of the demo.

    Raises:
        RunsAlreadyError: it runs.
    """
    directory = Directory()
    if directory.path.exists():
        with directory.lock():
            directory.remove()
    say("The demo has forgotten everything; `make demo` starts afresh.")


async def keep(demo: Demo) -> None:
    """Open the demo and keep it until somebody wants it to stop.

    Raises:
        CannotStartError: a part does not come up.
    """
    stop = asyncio.Event()
    watch_signals(stop, demo.runner)
    watch_parent(stop)
    say("Starting the demo in var/demo/ …")
    opening = asyncio.create_task(demo.open())
    stopped = asyncio.create_task(stop.wait())
    tasks: list[asyncio.Task[Any]] = [opening]
    try:
        await asyncio.wait([opening, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            say(f"\nOpen {opening.result()}\n")
            say("The link signs in once, within 30 minutes; `make demo` in another terminal makes a new one.")
            say("Ctrl-C stops the demo and keeps its data; `make demo-reset` forgets it.")
            tasks.append(asyncio.create_task(demo.serve()))
            await stopped
        say("\nStopping …")
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, DemoError):
                await task
        await demo.runner.stop()
    say("Stopped.")


def watch_signals(stop: asyncio.Event, runner: Runner) -> None:
    """Stop on Ctrl-C, on `kill` and with the terminal; a second time at once."""

    def asked() -> None:
        if stop.is_set():
            runner.hurry()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup wants the demo to outlive its terminal
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, asked)


def watch_parent(stop: asyncio.Event) -> None:
    """Stop when make, which started us, was killed: its terminal's Ctrl-C would no longer reach us."""
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            stop.set()
        else:
            asyncio.get_running_loop().call_later(1, look)

    if "MAKELEVEL" in os.environ:
        look()


def offer_link(running: RunsAlreadyError) -> None:
    """Print a new link to the demo that runs already, if its database is ready to make one."""
    directory = Directory()
    if running.port is None or not directory.database.exists():
        return
    addresses = Addresses(Address("127.0.0.1", running.port), choose_addresses(os.environ).nodes)
    parts = Parts(directory, addresses, os.environ)
    with suppress(DemoError):
        runner = Runner(directory, say, lambda: None)
        say(f"Open {asyncio.run(make_link(runner, parts.sign_in_link(), addresses.web))}")


def say(text: str) -> None:
    """Tell the person at the terminal; the demo goes on when there is none any more."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
