"""The Celery application: a doorbell between the supervisor and the worker, nothing more."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

app = Celery("setup_wizard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
