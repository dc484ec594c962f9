"""The ASGI application that `python -m setup_wizard.project.web` serves."""

import gc
import logging
import os
import warnings
from io import StringIO

from django.core.asgi import get_asgi_application
from django.core.management import call_command

from setup_wizard.live.stream.threads import share_threads
from setup_wizard.project.body_limit import limit_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "setup_wizard.project.settings")

# whitenoise serves files synchronously, and in a checkout it needs no collectstatic
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
warnings.filterwarnings("ignore", message="No directory at:")

logging.captureWarnings(capture=True)

application = limit_bodies(share_threads(get_asgi_application()))
call_command("check", stdout=StringIO())  # exits with what manage.py would refuse

# without this, each full garbage collection visits all loaded modules, while a thousand streams wait
gc.collect()
gc.freeze()
