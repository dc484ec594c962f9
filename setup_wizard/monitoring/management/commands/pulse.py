"""`manage.py pulse PART`: say whether the supervisor or the worker does its work, for whatever keeps them running."""

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
# more patient than the banner: what is told at once need not be restarted at once
LATEST: Final = {SUPERVISOR: timedelta(seconds=20), WORKER: timedelta(seconds=30)}
QUEUE_SECONDS = 2


class Command(BaseCommand):
    """Judge a part by the heartbeat that its work leaves in the database: a process that is up may still do nothing."""

    help = "End with 0 when the part's last heartbeat is young enough, else with 1 and the reason"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the part's name."""
        parser.add_argument("part", choices=sorted(LATEST))

    def handle(self, *args: Any, **options: Any) -> None:
        """Look once.

        Raises:
            CommandError: the part does not work, or nobody can tell.
        """
        del args
        part: str = options["part"]
        try:
            beat = Heartbeat.objects.filter(part=part).first()
        except Error as error:
            raise CommandError("the database cannot be asked") from error
        if beat is None and part == WORKER:
            reach_queue()  # it leaves its first heartbeat when it is first rung for
        elif beat is None or timezone.now() - beat.at > LATEST[part]:
            raise CommandError(f"no heartbeat of the {part} within {LATEST[part].total_seconds():g} s")


def reach_queue() -> None:
    """Ask the server that rings the worker.

    Raises:
        CommandError: it does not answer.
    """
    queue = make_client(QUEUE_SECONDS)
    try:
        queue.ping()
    except RedisError as error:
        raise CommandError("the queue cannot be reached") from error
    finally:
        queue.close()
