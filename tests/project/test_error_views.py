"""Responses to failed requests have a request ID and, when the database is down, a time to retry."""

import asyncio
import json
import os
import re
from functools import partial

import pytest
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import InterfaceError, InternalError, OperationalError
from django.test import AsyncClient, Client
from django.urls import path
from psycopg import errors

from setup_wizard.access.roles import Role, assign
from setup_wizard.project import urls
from tests import http_requests
from tests.project import forks
from tests.project.processes import free_port, wait_until
from tests.serving import CLONE

METRICS_TOKEN = "quiet-otters-0123456789-0123456789"
handler500 = "setup_wizard.project.error_views.server_error"


@login_not_required
def break_down(request):
    raise RuntimeError("the key is hunter2")


@login_not_required
def miss_the_database(request):
    raise OperationalError("could not connect to db.example.com as maria")


@login_not_required
def lose_the_database(request):
    raise InterfaceError("connection already closed")


@login_not_required
def write_to_a_stand_by(request):
    raise InternalError("cannot execute UPDATE in a read-only transaction") from errors.ReadOnlySqlTransaction()


urlpatterns = [
    path("standby/", write_to_a_stand_by),
    path("fault/", break_down),
    path("away/", miss_the_database),
    path("closed/", lose_the_database),
    path("api/v1/fault", break_down),
    path("api/v1/away", miss_the_database),
    *urls.urlpatterns,  # error pages link to some URLs
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def stranger():
    return Client(raise_request_exception=False)


def test_a_failure_shows_the_request_id_of_the_log(stranger, caplog):
    answer = stranger.get("/fault/")

    number = answer.headers["X-Request-ID"]
    assert answer.status_code == 500
    assert re.fullmatch(r"[0-9a-f]{16}", number)
    assert f"<code>{number}</code>" in answer.text
    assert "hunter2" not in answer.text
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("address", ["/away/", "/closed/", "/standby/"])
def test_without_the_database_a_page_says_when_to_retry(stranger, address):
    answer = stranger.get(address)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert answer.headers["X-Request-ID"] in answer.text
    assert "it cannot reach its database" in answer.text
    assert "db.example.com" not in answer.text


def test_without_the_database_an_async_view_says_when_to_retry():
    answer = asyncio.run(AsyncClient(raise_request_exception=False).get("/away/"))

    assert answer.status_code == 503
    assert answer.headers["X-Request-ID"] in answer.text


@pytest.mark.parametrize(
    ("address", "status", "error"), [("fault", 500, "internal_error"), ("away", 503, "unavailable")]
)
def test_the_api_reports_failures_as_json(stranger, address, status, error):
    answer = stranger.get(f"/api/v1/{address}")

    told = answer.json()
    assert answer.status_code == status
    assert (told["error"], told["fields"]) == (error, {})
    assert answer.headers["X-Request-ID"] in told["message"]


@pytest.mark.parametrize("path", ["/setup/discard/", "/setup/retry/00000000-0000-4000-8000-000000000000/"])
def test_opening_the_address_of_a_button_explains_what_to_do(path):
    browser = Client()
    browser.force_login(assign(User.objects.create_user("maria"), Role.OPERATOR))

    response = browser.get(path)

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert "This URL only accepts POST." in response.text
    assert "use the button on the page" in response.text


def test_each_request_has_its_own_id(stranger):
    numbers = {stranger.get("/fault/").headers["X-Request-ID"] for _ in range(3)}

    assert len(numbers) == 3


def test_a_request_id_from_a_proxy_is_kept(stranger):
    given = "0b7a9c1e-5d3f-4a2b-8c6d-112233445566"

    assert stranger.get("/fault/", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "<b>12345678</b>", 'x"; "level": "info', "ümlaut-12345"])
def test_an_invalid_request_id_is_replaced(stranger, given):
    answer = stranger.get("/fault/", headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] != given
    assert not given or given not in answer.text


@pytest.fixture
def web(tmp_path):
    """The web process with a database that does not respond."""
    port, log = free_port(), tmp_path / "web.log"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "postgres://maria:hunter2@127.0.0.1:1/wizard?connect_timeout=2",
        "SETUP_WIZARD_METRICS_TOKEN": METRICS_TOKEN,
    }
    process = forks.Fork(["-m", "setup_wizard.project.web", "--port", port], cwd=CLONE, env=environment, log=log)
    wait_until(lambda: http_requests.answers(port), seconds=30)
    yield partial(http_requests.ask, port), log
    process.kill()
    process.wait(15)


@pytest.mark.slow
def test_without_the_database_web_is_healthy_but_not_ready(web):
    get, log = web

    ready = get("/readyz")
    page = get("/setup/", Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")

    assert ready.status == 503
    assert json.loads(ready.text)["checks"]["database"]["ok"] is False
    told = get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
    assert told.status == 200
    assert 'setup_wizard_up{part="database"} 0.0' in told.text
    assert "setup_wizard_attempts" not in told.text
    assert page.status == 503
    assert page.headers["Retry-After"] == "10"
    assert page.headers["X-Request-ID"] in page.text
    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    faults = [line for line in said if line.get("request_id") == page.headers["X-Request-ID"]]
    assert any("OperationalError" in line.get("exception", "") for line in faults)
    assert "hunter2" not in log.read_text()
    assert "abcdefghijklmnopqrstuvwxyz012345" not in log.read_text()
