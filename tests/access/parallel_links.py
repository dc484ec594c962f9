"""Open one sign-in link in 20 browsers at the same moment and print the statuses, on the database of DATABASE_URL.

A process of its own, because the database of the other tests lives in memory and lets one thread in at a time. It is
run by `manage.py shell`, which sets Django up first.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.core.management import call_command
from django.db import connections
from django.test import Client

from setup_wizard.access.sign_in_links import create_link

BROWSERS = 20


def main():
    call_command("migrate", verbosity=0)
    link = create_link()
    together = Barrier(BROWSERS)

    def open_link(_):
        together.wait(timeout=30)
        try:
            return Client().get(link, headers={"host": "127.0.0.1"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(BROWSERS) as pool:
        print(json.dumps(sorted(pool.map(open_link, range(BROWSERS)))))
