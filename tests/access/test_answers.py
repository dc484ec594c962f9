import asyncio

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.test import Client
from django.urls import include, path, reverse

from setup_wizard.access.middleware import ResponseHeaders

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}


@login_not_required
def fail(request):
    raise RuntimeError("the key is hunter2")


urlpatterns = [path("fail/", fail), path("", include("setup_wizard.access.urls"))]


def policy_of(answer):
    return {directive.strip() for directive in answer.headers["Content-Security-Policy"].split(";")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 302),
        ("/sign-in/", 200),
        ("/sign-in/made-up/", 410),
        ("/sign-out/", 405),
        ("/nowhere/", 404),
        ("/attempts/", 302),
        (static("app.js"), 200),
        ("/healthz", 200),
    ],
)
def test_every_anonymous_response_has_the_content_policy(client, address, status):
    answer = client.get(address)
    answer.close()  # a static file would stay open

    assert answer.status_code == status
    assert policy_of(answer) == POLICY
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "clipboard-write=(self)" in answer.headers["Permissions-Policy"]


@pytest.mark.parametrize("view", ["wizard:home", "history:list"])
def test_every_page_has_the_content_policy_and_is_not_cached(browser_of_maria, view):
    answer = browser_of_maria.get(reverse(view))

    assert answer.status_code == 200
    assert policy_of(answer) == POLICY
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_missing_page_is_not_cached(browser_of_maria):
    answer = browser_of_maria.get("/nowhere/")

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Page not found" in answer.text


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_server_error_reveals_nothing():
    answer = Client(raise_request_exception=False).get("/fail/")

    assert answer.status_code == 500
    assert policy_of(answer) == POLICY
    assert "because of a server error" in answer.text
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text


def test_a_response_keeps_its_own_cache_control():
    def tell(request):
        return HttpResponse("news", headers={"Cache-Control": "no-cache, no-transform"})

    answer = ResponseHeaders(tell)(HttpRequest())

    assert answer.headers["Cache-Control"] == "no-cache, no-transform"


def test_an_asynchronous_response_is_not_cached():
    async def tell(request):
        return HttpResponse("news")

    answer = asyncio.run(ResponseHeaders(tell)(HttpRequest()))

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_static_files_may_be_cached(client):
    answer = client.get(static("app.js"))
    answer.close()

    assert "no-store" not in answer.headers["Cache-Control"]
