"""The Celery application: a doorbell between the supervisor and the worker, nothing more."""

import logging
import os
from contextlib import suppress
from io import StringIO
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_ready, worker_shutdown

from setup_wizard.project import celery_transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")
celery_transport.install()

app = Celery("setup_wizard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@setup_logging.connect
def log_as_everybody_does(**_: Any) -> None:
    """Keep Celery from logging in its own way and at its own level, and put warnings into the log too."""
    from django.conf import settings  # noqa: PLC0415 - the settings load this module first

    dictConfig(settings.LOGGING)
    logging.captureWarnings(capture=True)


@celeryd_init.connect
def check(**_: Any) -> None:
    """Refuse to work with what manage.py would refuse to run with."""
    from django.core.management import call_command  # noqa: PLC0415 - the settings load this module first
    from django.core.management.base import SystemCheckError  # noqa: PLC0415 - likewise

    try:
        call_command("check", stdout=StringIO())
    except SystemCheckError as problem:
        raise SystemExit(str(problem)) from None  # any other exception in a signal would only be logged


@celeryd_init.connect
def give_up_within_a_lease(**_: Any) -> None:
    """Have a worker wait for a locked database no longer than its lease allows."""
    from django.conf import settings  # noqa: PLC0415 - the settings load this module first

    from setup_wizard.project.databases import hurry  # noqa: PLC0415 - likewise

    hurry(settings.DATABASES["default"])


@worker_ready.connect
def measure(**_: Any) -> None:
    """Have a worker add what it measures to the rows."""
    from setup_wizard.monitoring import histograms  # noqa: PLC0415 - needs the settings too

    histograms.start()


@worker_shutdown.connect
def write_what_was_measured(**_: Any) -> None:
    """Have a worker that ends add the rest."""
    from django.db import Error  # noqa: PLC0415 - needs the settings too

    from setup_wizard.monitoring import histograms  # noqa: PLC0415 - likewise

    with suppress(Error):
        histograms.flush()


@worker_ready.connect
def watch_ticks(**_: Any) -> None:
    """Have a worker end itself when a tick hangs."""
    from setup_wizard.worker import watchdog  # noqa: PLC0415 - needs the settings too

    watchdog.start()
