"""Why the demo cannot start.

DemoError
├── CannotStartError       something is missing, taken or broken
└── AlreadyRunningError    the demo of this checkout runs: print a new link to it
"""


class DemoError(Exception):
    """The demo does not start; the message is for the person at the terminal."""


class CannotStartError(DemoError):
    """Something is missing, taken or broken."""


class AlreadyRunningError(DemoError):
    """Another process runs the demo of this checkout."""

    def __init__(self, pid: int | None, port: int | None) -> None:
        self.pid = pid
        self.port = port
        url = f" at http://127.0.0.1:{port}/" if port else ""
        process = f" (process {pid})" if pid else ""
        super().__init__(
            f"The demo of this checkout is already running{url}{process}. Press Ctrl-C in its terminal to stop it."
        )
