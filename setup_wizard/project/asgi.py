"""The ASGI entry point: `uvicorn setup_wizard.project.asgi:application --timeout-graceful-shutdown 5`."""

import os

from django.core.asgi import get_asgi_application

from setup_wizard.attempts.stream.threads import share_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

application = share_threads(get_asgi_application())
