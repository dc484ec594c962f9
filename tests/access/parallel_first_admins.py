"""Send one setup token from 20 browsers at once, and print the results; uses the database of DATABASE_URL.

Runs in its own process by `manage.py shell`, because the database of the other tests is in memory and serves one thread
at a time.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client

from setup_wizard.access import first_admin

BROWSERS = 20


def form(token, name="ada", password="seven quiet otters"):
    return {"token": token, "username": name, "password1": password, "password2": password}


def main():
    call_command("migrate", verbosity=0)
    token = first_admin.create_token()
    together = Barrier(BROWSERS)

    def send(number):
        together.wait(timeout=30)
        try:
            page = "/first-administrator/"
            return Client().post(page, form(token, f"ada-{number}"), headers={"host": "127.0.0.1"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(BROWSERS) as pool:
        statuses = sorted(pool.map(send, range(BROWSERS)))
    print(json.dumps({"statuses": statuses, "administrators": User.objects.filter(is_superuser=True).count()}))
