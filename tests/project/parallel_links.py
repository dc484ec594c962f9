"""Open one sign-in link in 20 browsers at once, and print the status codes; uses the database of DATABASE_URL.

Runs in its own process by `manage.py shell`, because the database of the other tests is in memory and serves one thread
at a time.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.core.management import call_command
from django.db import connections
from django.test import Client

from setup_wizard.project.demo.sign_in_links import create_link

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
