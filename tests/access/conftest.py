import os

import pytest
from django.contrib.auth.models import User
from django.test import Client

# Playwright keeps an event loop in the tests' own thread, and Django would refuse every query beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PASSWORD = "seven quiet otters"


@pytest.fixture
def password():
    return PASSWORD


@pytest.fixture
def maria(db):
    return User.objects.create_user("maria", password=PASSWORD)


@pytest.fixture
def browser_of_maria(maria):
    browser = Client()
    browser.force_login(maria)
    return browser


@pytest.fixture
def demo(settings):
    settings.SETUP_WIZARD_DEMO = True
