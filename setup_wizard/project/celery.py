"""The Celery application: a doorbell between the supervisor and the worker, nothing more."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

app = Celery("setup_wizard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def check(**_: Any) -> None:
    """Refuse to work with what manage.py would refuse to run with."""
    from django.core.management import call_command  # noqa: PLC0415 - the settings load this module first
    from django.core.management.base import SystemCheckError  # noqa: PLC0415 - likewise

    try:
        call_command("check")
    except SystemCheckError as problem:
        raise SystemExit(str(problem)) from None  # any other exception in a signal would only be logged
