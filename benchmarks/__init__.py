"""Measure the speed that the product promises, and compare it with common alternatives. `make bench` runs it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
