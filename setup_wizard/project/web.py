"""Serve the pages and the API: `python -m setup_wizard.project.web [--host ADDRESS] [--port PORT] [--uds PATH]`."""

import argparse
from typing import Any, Final

import uvicorn

from setup_wizard.project.time_limits import TimedProtocol

OPTIONS: Final[dict[str, Any]] = {
    "http": TimedProtocol,
    "ws": "none",
    "lifespan": "off",
    # open streams would delay the end of the process
    "timeout_graceful_shutdown": 5,
    # Django decides which proxies to trust; uvicorn would replace the client's address before that
    "proxy_headers": False,
    # streams are many and cheap
    "limit_concurrency": None,
}


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m setup_wizard.project.web", description="Serve the pages and API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--uds", metavar="PATH", help="listen on this unix socket instead")
    chosen = parser.parse_args()
    uvicorn.run("setup_wizard.project.asgi:application", **vars(chosen), **OPTIONS)


if __name__ == "__main__":
    main()
