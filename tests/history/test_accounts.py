"""Accounts and groups in the admin site."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from setup_wizard.access.roles import Role, assign

from .texts import text_of


@pytest.fixture
def ada(db):
    return assign(User.objects.create_user("ada"), Role.ADMINISTRATOR)


@pytest.fixture
def desk(ada):
    browser = Client()
    browser.force_login(ada)
    return browser


def form_of(user, **changes):
    stamps = {"last_login_0": "", "last_login_1": ""}
    groups = list(user.groups.values_list("pk", flat=True))  # without them the user would lose the role
    return {"username": user.username, "is_active": "on", "groups": groups, **stamps, **changes}


def test_an_administrator_cannot_become_a_superuser_or_touch_one(desk, ada):
    root = User.objects.create_superuser("root", password="three loud otters")
    password = reverse("admin:auth_user_password_change", args=[root.pk])

    desk.post(reverse("admin:auth_user_change", args=[ada.pk]), form_of(ada, is_superuser="on"))
    refused = desk.post(password, {"password1": "nine quiet otters", "password2": "nine quiet otters"})

    ada.refresh_from_db()
    root.refresh_from_db()
    assert not ada.is_superuser
    assert refused.status_code == 403
    assert root.check_password("three loud otters")


def test_a_group_is_offered_the_four_permissions_and_no_others(desk):
    group = assign(User.objects.create_user("olaf"), Role.OPERATOR).groups.get()

    page = text_of(desk.get(reverse("admin:auth_group_change", args=[group.pk])))

    offered = re.findall(r'type="checkbox" name="permissions"[^>]*>\s*([^<]+?)\s*<', page)
    assert len(offered) == 4
    assert "May read attempts" in offered
