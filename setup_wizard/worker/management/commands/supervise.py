"""`manage.py supervise`: enqueue due ticks, enforce deadlines, delete expired credentials."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from setup_wizard.worker.schema import SchemaAhead
from setup_wizard.worker.supervisor import Supervisor


class Command(BaseCommand):
    """Run the supervisor until a signal stops it."""

    help = "Enqueue ticks that are due, enforce deadlines, delete expired credentials. Several copies may run."

    def handle(self, *_: Any, **__: Any) -> None:
        supervisor = Supervisor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        try:
            supervisor.run()
        except SchemaAhead as problem:
            raise CommandError(f"{problem}: start the newer version instead") from None
