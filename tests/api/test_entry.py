"""Tokens and permissions of API requests."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access import tokens
from setup_wizard.access.permissions import Permission
from setup_wizard.access.roles import Role, assign
from setup_wizard.api.urls import CALLS
from tests.api.conftest import NOBODY, assert_problem


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer sw_nobody-has-ever-had-this-one-0123456789"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic bWFyaWE6c2VjcmV0"},
        {"Authorization": "sw_nobody-has-ever-had-this-one-0123456789"},
    ],
    ids=["nothing", "unknown", "empty", "basic", "bare"],
)
@pytest.mark.parametrize("path", ["attempts", f"attempts/{NOBODY}", "nowhere", ""])
def test_without_a_working_token_every_url_is_a_401(db, header, path):
    answer = Client(headers=header).get(f"/api/v1/{path}")

    assert_problem(answer, 401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_call_needs_a_token(db):
    paths = {re.sub("<.+>", NOBODY, str(call.pattern)) for call in CALLS}

    assert len(paths) == 27
    for path in paths:
        for method in ("get", "post"):
            assert_problem(getattr(Client(), method)(f"/api/v1/{path}"), 401, "unauthorised")


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_token_has_the_permissions_of_its_user(db, role, method):
    user = User.objects.create_user("somebody")
    if role:
        assign(user, role)
    caller = Client(headers={"Authorization": f"Bearer {tokens.issue(user)}"})
    needed = Permission.READ if method == "get" else Permission.OPERATE

    for path in sorted({re.sub("<.+>", NOBODY, str(call.pattern)) for call in CALLS}):
        answer = getattr(caller, method)(f"/api/v1/{path}", content_type="application/json")
        if role and needed in role.permissions:
            assert answer.status_code not in {401, 403}, path
        else:
            assert_problem(answer, 403, "forbidden")


def test_a_session_cookie_is_no_token(client, maria):
    client.force_login(maria)

    assert_problem(client.get("/api/v1/attempts"), 401, "unauthorised")
    assert_problem(client.post("/api/v1/attempts", "{}", content_type="application/json"), 401, "unauthorised")


def test_a_token_needs_no_csrf_token(maria):
    strict = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {tokens.issue(maria)}"})

    answer = strict.post(f"/api/v1/attempts/{NOBODY}/cancel", content_type="application/json")

    assert_problem(answer, 404, "not_found")
