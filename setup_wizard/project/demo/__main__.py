"""Run the demo (`python -m setup_wizard.project.demo`), or delete its data (with `reset`)."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import AlreadyRunningError, DemoError
from setup_wizard.project.demo.launcher import Launcher, create_link
from setup_wizard.project.demo.ports import Address, Addresses, check_free, choose_addresses
from setup_wizard.project.demo.programs import Programs
from setup_wizard.project.demo.runner import Runner


def main() -> int:
    """Run the demo until it is stopped, or delete its data."""
    options = argparse.ArgumentParser(prog="python -m setup_wizard.project.demo", description=__doc__)
    options.add_argument("command", nargs="?", choices=["run", "reset"], default="run")
    command = {"run": run, "reset": reset}[options.parse_args().command]
    os.umask(0o077)
    try:
        command()
    except DemoError as failure:
        say(str(failure))
        if command is run and isinstance(failure, AlreadyRunningError) and print_new_link(failure):
            return 0
        return 1
    return 0


def run() -> None:
    """Start everything, print the link, and keep it running until Ctrl-C.

    Raises:
        DemoError: it cannot start, or is already running.
    """
    directory = Directory()
    addresses = choose_addresses(os.environ)
    with directory.lock(addresses.web.port):
        check_free(addresses)
        directory.prepare()
        directory.roll_logs()
        asyncio.run(keep_running(Launcher(directory, Programs(directory, addresses, os.environ), say)))


def reset() -> None:
    """Delete all data of the demo.

    Raises:
        AlreadyRunningError: it is running.
    """
    directory = Directory()
    if directory.path.exists():
        with directory.lock():
            directory.remove()
    say("All data of the demo is deleted.")


async def keep_running(launcher: Launcher) -> None:
    """Start the demo and keep it running until it is asked to stop.

    Raises:
        CannotStartError: a program does not start.
    """
    stop = asyncio.Event()
    watch_signals(stop, launcher.runner)
    watch_parent(stop)
    say("Starting the demo in var/demo/ …")
    starting = asyncio.create_task(launcher.start())
    stopped = asyncio.create_task(stop.wait())
    tasks: list[asyncio.Task[Any]] = [starting]
    try:
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            say(f"\nOpen {starting.result()}\n")
            say("The link signs in once, within 30 minutes. `make demo` in another terminal prints a new one.")
            say("Ctrl-C stops the demo and keeps its data. `make demo-reset` deletes the data.")
            tasks.append(asyncio.create_task(launcher.serve_resets()))
            await stopped
        say("\nStopping …")
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, DemoError):
                await task
        await launcher.runner.stop()
    say("Stopped.")


def watch_signals(stop: asyncio.Event, runner: Runner) -> None:
    """Stop on Ctrl-C, SIGTERM and a closed terminal; the second time without waiting."""

    def request_stop() -> None:
        if stop.is_set():
            runner.kill_all()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # with nohup the demo outlives its terminal
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, request_stop)


def watch_parent(stop: asyncio.Event) -> None:
    """Stop when make was killed, because Ctrl-C in its terminal no longer reaches this process."""
    parent = os.getppid()

    def check() -> None:
        if os.getppid() != parent:
            stop.set()
        else:
            asyncio.get_running_loop().call_later(1, check)

    if "MAKELEVEL" in os.environ:
        check()


def print_new_link(running: AlreadyRunningError) -> bool:
    """Print a new link to the running demo; False if it has no database yet, or the link cannot be made."""
    directory = Directory()
    if running.port is None or not directory.database.exists():
        return False
    addresses = Addresses(Address("127.0.0.1", running.port), choose_addresses(os.environ).nodes)
    programs = Programs(directory, addresses, os.environ)
    with suppress(DemoError):
        runner = Runner(directory, say, lambda: None)
        say(f"Open {asyncio.run(create_link(runner, programs.sign_in_link(), addresses.web))}")
        return True
    return False


def say(text: str) -> None:
    """Print a line; the demo keeps running when its terminal is gone."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
