"""`manage.py pulse PART`: the health check of the supervisor or the worker, for the service manager."""

from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils import timezone
from redis import RedisError

from setup_wizard.attempts.redis_client import make_client
from setup_wizard.monitoring.heartbeats import SUPERVISOR
from setup_wizard.monitoring.models import Heartbeat

WORKER: Final = "worker"
# longer than for the banner: not everything that is reported needs a restart
LATEST: Final = {SUPERVISOR: timedelta(seconds=20), WORKER: timedelta(seconds=30)}
QUEUE_SECONDS = 2


class Command(BaseCommand):
    """Check the last heartbeat of a part: a running process may still be stuck."""

    help = "Exit with 0 if the part has a recent heartbeat, otherwise with 1 and the reason"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=sorted(LATEST))

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        part: str = options["part"]
        try:
            beat = Heartbeat.objects.filter(part=part).first()
        except Error as error:
            raise CommandError("the database cannot be reached") from error
        if beat is None and part == WORKER:
            reach_queue()  # a worker writes its first heartbeat with its first task
        elif beat is None or timezone.now() - beat.at > LATEST[part]:
            raise CommandError(f"no heartbeat of the {part} within {LATEST[part].total_seconds():g} s")


def reach_queue() -> None:
    """Check that the queue answers.

    Raises:
        CommandError: it does not.
    """
    queue = make_client(QUEUE_SECONDS)
    try:
        queue.ping()
    except RedisError as error:
        raise CommandError("the queue cannot be reached") from error
    finally:
        queue.close()
