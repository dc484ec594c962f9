"""The Celery application: the supervisor enqueues tasks, the worker runs them."""

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
def configure_logging(**_: Any) -> None:
    """Log as all other processes do, warnings included."""
    from django.conf import settings  # noqa: PLC0415 - the settings load this module first

    dictConfig(settings.LOGGING)
    logging.captureWarnings(capture=True)


@celeryd_init.connect
def run_checks(**_: Any) -> None:
    """Exit with what manage.py would refuse."""
    from django.core.management import call_command  # noqa: PLC0415 - the settings load this module first
    from django.core.management.base import SystemCheckError  # noqa: PLC0415 - likewise

    try:
        call_command("check", stdout=StringIO())
    except SystemCheckError as error:
        raise SystemExit(str(error)) from None  # any other exception in a signal would only be logged


@celeryd_init.connect
def limit_lock_wait(**_: Any) -> None:
    """Wait for a locked database for less time than a lease lasts."""
    from django.conf import settings  # noqa: PLC0415 - the settings load this module first

    from setup_wizard.project.databases import set_worker_lock_timeout  # noqa: PLC0415 - likewise

    set_worker_lock_timeout(settings.DATABASES["default"])


@worker_ready.connect
def start_histograms(**_: Any) -> None:
    """Write measurements to the database from now on."""
    from setup_wizard.monitoring import histograms  # noqa: PLC0415 - likewise

    histograms.start()


@worker_shutdown.connect
def flush_histograms(**_: Any) -> None:
    """Write the last measurements."""
    from django.db import Error  # noqa: PLC0415 - likewise

    from setup_wizard.monitoring import histograms  # noqa: PLC0415 - likewise

    with suppress(Error):
        histograms.flush()


@worker_ready.connect
def start_watchdog(**_: Any) -> None:
    """End this worker when a tick hangs."""
    from setup_wizard.worker import watchdog  # noqa: PLC0415 - likewise

    watchdog.start()
