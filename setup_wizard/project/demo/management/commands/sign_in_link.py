"""Print a one-time sign-in link."""

import http.client
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from setup_wizard.project.demo.sign_in_links import create_link

TIMEOUT_SECONDS = 120.0
PAUSE_SECONDS = 0.2
REQUEST_TIMEOUT_SECONDS = 3


class Command(BaseCommand):
    """Print a new one-time sign-in link, for the demo."""

    help = "Print the path of a link that signs in once, within 30 minutes"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base", default="", metavar="URL", help='print "Open", this and the path')
        parser.add_argument("--await-port", type=int, metavar="PORT", help="wait first until the pages respond there")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        base: str = options["base"].rstrip("/")
        link = wait_for_link(options["await_port"]) if options["await_port"] else create_link()
        self.stdout.write(f"Open {base}{link}" if base else link)


def wait_for_link(port: int) -> str:
    """Create a link as soon as the pages respond on a local port and the database accepts it.

    Raises:
        CommandError: it took too long.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            if _pages_respond(port):
                return create_link()
        except OperationalError:
            pass  # the database is starting
        time.sleep(PAUSE_SECONDS)
    raise CommandError("no sign-in link: the pages or the database do not respond")


def _pages_respond(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
