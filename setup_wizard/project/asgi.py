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

# whitenoise reads files as it always did, and finds those of a clone without collectstatic: neither is news for a log
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
warnings.filterwarnings("ignore", message="No directory at:")

logging.captureWarnings(capture=True)

application = limit_bodies(share_threads(get_asgi_application()))
call_command("check", stdout=StringIO())  # what manage.py would refuse to run with, web refuses too

# what was loaded stays: without this each full collection walks all of it, and a thousand streams wait meanwhile
gc.collect()
gc.freeze()
