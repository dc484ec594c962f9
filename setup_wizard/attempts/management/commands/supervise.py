"""`manage.py supervise`: ring the worker for what is due, keep deadlines, forget secrets."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from setup_wizard.attempts.supervisor import Supervisor


class Command(BaseCommand):
    """Run the supervisor until it is told to stop."""

    help = "Ring the worker for every attempt that is due. Any number of copies may run."

    def handle(self, *_: Any, **__: Any) -> None:
        """Run until SIGTERM or Ctrl-C."""
        supervisor = Supervisor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop.set())
        supervisor.run()
