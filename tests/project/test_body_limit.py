"""A form can have 64 KiB, 200 fields and no file; a larger one is refused and changes nothing."""

import asyncio
from itertools import chain
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.asgi import ASGIHandler
from django.test import Client

from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.api.auth import BODY_BYTES
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.project.body_limit import MAX_BYTES, limit_bodies
from setup_wizard.wizard.models import Draft
from tests.attempts.attempt_rows import add_attempt

KIB_64 = 64 * 1024
FORM = "application/x-www-form-urlencoded"
PASSWORD = "seven quiet otters"

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria():
    return assign(User.objects.create_user("maria", password=PASSWORD), Role.ADMINISTRATOR)


@pytest.fixture
def browser(maria):
    """As htmx does: the token is in a header, but Django also looks for it in the form."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maria)
    browser.get("/password/")
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.cookies["csrftoken"].value
    return browser


@pytest.fixture
def draft(maria):
    return Draft.objects.create(owner=maria, action="create_cluster", address="10.0.0.5:9443")


@pytest.fixture
def attempt(maria):
    return add_attempt(maria, state=State.NEEDS_OPERATOR, reason="lost_contact", resume_state="in_progress")


def padded(fields, size):
    """A form of exactly this many bytes; no view uses its last field."""
    text = urlencode({**fields, "padding": ""})
    return text + "x" * (size - len(text))


def with_fields(fields, count):
    return urlencode({**fields, **{f"field-{number}": "" for number in range(count - len(fields))}})


# every kind of view with a form
CHANGE = {"old_password": PASSWORD, "new_password1": "eleven calm herons", "new_password2": "eleven calm herons"}
FORMS = {
    "sign-in": ("/sign-in/", {"username": "maria", "password": PASSWORD}),
    "password": ("/password/", CHANGE),
    "begin": ("/setup/", {"address": "10.0.0.6:9443"}),
    "step": ("/setup/{draft}/action/", {"action": "create_cluster", "version": "1"}),
    "discard": ("/setup/{draft}/discard/", {}),
    "choice": ("/attempts/{attempt}/stop-watching/", {"sure": "on"}),
    "user": ("/admin/auth/user/add/", {"username": "ben", "password1": PASSWORD, "password2": PASSWORD}),
    "note": ("/admin/attempts/attempt/{attempt}/change/", {"note": "It was a typo", "mark": "on"}),
}


def everything():
    """The rows of accounts, drafts, attempts and the audit log."""
    tables = (User.objects, Draft.objects, Attempt.objects, AuditEvent.objects)
    return [list(table.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("make", [lambda fields: padded(fields, KIB_64 + 1), lambda fields: with_fields(fields, 201)])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_over_a_limit_is_refused_and_changes_nothing(browser, draft, attempt, form, make):
    address, fields = FORMS[form]
    before = everything()

    answer = browser.post(address.format(draft=draft.pk, attempt=attempt.pk), make(fields), content_type=FORM)

    assert answer.status_code == 413
    assert "at most 64 KiB and 200 fields" in answer.text
    assert "Nothing was changed" in answer.text
    assert everything() == before


@pytest.mark.parametrize("make", [lambda fields: padded(fields, KIB_64), lambda fields: with_fields(fields, 200)])
def test_a_form_at_the_limit_is_accepted(maria, client, make):
    address, fields = FORMS["sign-in"]

    answer = client.post(address, make(fields), content_type=FORM)

    assert answer.status_code == 302


def test_more_files_than_a_page_asks_for_are_refused(browser):
    before = everything()
    files = {f"file{number}": SimpleUploadedFile("notes.txt", b"x") for number in range(4)}

    answer = browser.post("/setup/", {"address": "10.0.0.6:9443", **files})

    assert answer.status_code == 413
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"padding": "x" * KIB_64}, 413), ({f"f{number}": "" for number in range(201)}, 413), ({"padding": "x"}, 302)],
)
def test_a_multipart_form_has_the_same_limits(browser, fields, status):
    assert browser.post("/setup/", {"address": "10.0.0.6:9443", **fields}).status_code == status


def test_a_body_that_is_no_form_gets_another_message(client):
    answer = client.post("/sign-in/", b"x", content_type="multipart/form-data")

    assert answer.status_code == 400
    assert "could not read" in answer.text


class Sender:
    """Sends a body in parts without Content-Length, as an ASGI server passes them on."""

    def __init__(self, parts):
        self.parts, self.taken, self.answered = chain(parts, [b""]), 0, []

    def ask(self, application, path="/sign-in/"):
        headers = [(b"host", b"testserver"), (b"content-type", FORM.encode()), (b"cookie", b"csrftoken=" + b"a" * 32)]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        async_to_sync(application)(scope, self.receive, self.send)
        body = b"".join(message.get("body", b"") for message in self.answered)
        return self.answered[0]["status"], body.decode()

    async def receive(self):
        if (part := next(self.parts, None)) is None:
            return await asyncio.Event().wait()  # until the response is sent
        self.taken += len(part)
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    async def send(self, message):
        self.answered.append(message)


def test_a_body_without_content_length_is_limited():
    status, page = Sender([b"x" * 1024] * 65).ask(limit_bodies(ASGIHandler()))

    assert (status, "at most 64 KiB" in page) == (413, True)


def test_a_body_over_every_limit_is_not_read_to_its_end():
    sender = Sender(iter(lambda: b"x" * KIB_64, None))  # endless

    status, words = sender.ask(limit_bodies(ASGIHandler()))

    assert (status, "Nothing was changed" in words) == (413, True)
    assert sender.taken <= MAX_BYTES + KIB_64
    assert dict(sender.answered[0]["headers"])[b"connection"] == b"close"


def test_a_body_within_the_limit_of_the_api_passes():
    assert BODY_BYTES < MAX_BYTES
    status, words = Sender([b"x" * KIB_64] * 17).ask(limit_bodies(ASGIHandler()), "/api/v1/probe")

    assert (status, "token" in words) == (401, True)
