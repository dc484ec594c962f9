"""The Celery application: a doorbell between the supervisor and the worker, nothing more."""

import logging
import os
from logging.config import dictConfig

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

app = Celery("setup_wizard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_init.connect
@signals.setup_logging.connect
def log_as_everybody_does(**_: object) -> None:
    """Keep Celery from logging in its own way, at its own level, and put warnings into the log too."""
    from django.conf import settings  # noqa: PLC0415 - the settings themselves import this module

    dictConfig(settings.LOGGING)
    logging.captureWarnings(capture=True)


@signals.worker_ready.connect
def watch_ticks(**_: object) -> None:
    """Have a worker end itself when a tick hangs."""
    from setup_wizard.attempts import watchdog  # noqa: PLC0415 - needs the settings too

    watchdog.start()
