import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.roles import Role, assign

PASSWORD = "seven quiet otters"


def form(token, name="ada", password=PASSWORD):
    """What the page for the first administrator sends."""
    return {"token": token, "username": name, "password1": password, "password2": password}


@pytest.fixture
def password():
    return PASSWORD


@pytest.fixture
def maria(db):
    return assign(User.objects.create_user("maria", password=PASSWORD), Role.OPERATOR)


@pytest.fixture
def browser_of_maria(maria):
    browser = Client()
    browser.force_login(maria)
    return browser
