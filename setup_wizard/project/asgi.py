"""The ASGI entry point: `uvicorn setup_wizard.project.asgi:application --timeout-graceful-shutdown 5`."""

import os
import warnings

from django.core.asgi import get_asgi_application
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

# whitenoise reads files as it always did, and finds those of a clone without collectstatic: neither is news for a log
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
warnings.filterwarnings("ignore", message="No directory at:", module="whitenoise")

application = get_asgi_application()
call_command("check")  # what manage.py would refuse to run with, web refuses too
