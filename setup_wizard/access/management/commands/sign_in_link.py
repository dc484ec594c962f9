"""Print a link that signs in once."""

import http.client
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from setup_wizard.access.links import create_link

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.2
ASK_SECONDS = 3


class Command(BaseCommand):
    """Print a new one-time sign-in link, for the demo."""

    help = "Print the path of a link that signs in once, within 30 minutes (only when SETUP_WIZARD_DEMO is on)"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what a container needs that prints its own link."""
        parser.add_argument("--base", default="", metavar="URL", help='print "Open", this and the path')
        parser.add_argument("--await-port", type=int, metavar="PORT", help="first wait until the pages answer there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the link and print its path.

        Raises:
            CommandError: outside the demo, where such a link would lead nowhere; or the pages do not come up.
        """
        del args
        if not settings.SETUP_WIZARD_DEMO:
            raise CommandError("sign-in links exist only in the demo; use `manage.py createsuperuser` and sign in")
        base: str = options["base"].rstrip("/")
        link = wait_for_link(options["await_port"]) if options["await_port"] else create_link()
        self.stdout.write(f"Open {base}{link}" if base else link)


def wait_for_link(port: int) -> str:
    """Make a link as soon as the pages answer on a port of this machine, and the database takes it.

    Raises:
        CommandError: that took too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if pages_answer(port):
                return create_link()
        except OperationalError:
            pass  # a database that is just starting
        time.sleep(PAUSE_SECONDS)
    raise CommandError("no sign-in link: the pages do not answer, or the database does not")


def pages_answer(port: int) -> bool:
    """Tell whether the pages of this machine answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
