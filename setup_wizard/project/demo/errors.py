"""Why the demo cannot start.

DemoError
├── CannotStartError    said to the person at the terminal, nothing is left running
└── RunsAlreadyError    this clone's demo is up: hand out a new link to it
"""


class DemoError(Exception):
    """The demo does not start; the message is for the person at the terminal."""


class CannotStartError(DemoError):
    """Something is missing, taken or broken."""


class RunsAlreadyError(DemoError):
    """Another process keeps the demo of this clone."""

    def __init__(self, pid: int | None, port: int | None) -> None:
        self.pid = pid
        self.port = port
        where = f" at http://127.0.0.1:{port}/" if port else ""
        who = f" (process {pid})" if pid else ""
        super().__init__(f"The demo of this clone is running already{where}{who}. Ctrl-C in its terminal stops it.")
