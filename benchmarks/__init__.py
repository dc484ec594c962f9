"""What the product promises of its speed, measured beside the usual way of doing the same. `make bench` runs it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
