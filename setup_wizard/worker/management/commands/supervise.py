"""`manage.py supervise`: ring the worker for what is due, keep deadlines, forget secrets."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from setup_wizard.worker.schema import SchemaAhead
from setup_wizard.worker.supervisor import Supervisor


class Command(BaseCommand):
    """Run the supervisor until it is told to stop."""

    help = "Ring the worker for every attempt that is due. Any number of copies may run."

    def handle(self, *_: Any, **__: Any) -> None:
        """Run until SIGTERM or Ctrl-C.

        Raises:
            CommandError: the database belongs to a newer version.
        """
        supervisor = Supervisor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop.set())
        try:
            supervisor.run()
        except SchemaAhead as problem:
            raise CommandError(f"{problem}: start the newer version instead") from None
