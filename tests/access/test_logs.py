import io
import json
import logging

import pytest
from django.urls import reverse

from setup_wizard.access.logs import RedactSignInLinks
from setup_wizard.access.sign_in_links import create_link

TOKEN = "Xq3-token_Zz0123456789"
LINK = f"/sign-in/{TOKEN}/"


def record(message, *args):
    return logging.makeLogRecord({"msg": message, "args": args[0] if args and isinstance(args[0], dict) else args})


def test_the_access_log_keeps_its_five_arguments_without_the_link():
    line = record('%s - "%s %s HTTP/%s" %d', "127.0.0.1:50000", "GET", LINK, "1.1", 302)

    RedactSignInLinks().filter(line)

    assert line.args == ("127.0.0.1:50000", "GET", "/sign-in/…/", "1.1", 302)


@pytest.mark.parametrize(
    "line",
    [
        record(f"Open http://127.0.0.1:8000{LINK}"),
        record("Gone: %s", LINK),
        record("%(path)s", {"path": LINK}),
        record("%s", ValueError(f"no view for {LINK}")),
        record(f"/sign-in/?next=%2Fsign-in%2F{TOKEN}%2F"),
        record("%s", [LINK, LINK]),
        record(f"GET /Sign-In/{TOKEN}"),
        record(ValueError(LINK)),
    ],
)
def test_no_log_record_contains_a_link(line):
    passed = RedactSignInLinks().filter(line)

    assert passed
    assert TOKEN not in line.getMessage()
    assert "…" in line.getMessage()


@pytest.mark.parametrize(
    "message", ["GET /sign-in/ 200", "/sign-in/?next=/setup/", "/attempts/5/ is done", "no arguments: 100 %"]
)
def test_other_records_pass_unchanged(message):
    line = record(message)

    RedactSignInLinks().filter(line)

    assert line.getMessage() == message


@pytest.fixture
def everything_logged():
    """The output of the product's log handler at level DEBUG."""
    root = logging.getLogger()
    (handler,) = [one for one in root.handlers if any(isinstance(each, RedactSignInLinks) for each in one.filters)]
    names = ["", "django", "django.request", "django.db.backends"]
    levels = {name: logging.getLogger(name).level for name in names}
    written = io.StringIO()
    before = handler.setStream(written)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield written
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    handler.setStream(before)


@pytest.mark.django_db
def test_a_link_is_in_no_log_whether_it_works_or_not(client, demo, everything_logged, settings):
    link = create_link()
    token = link.split("/")[2]
    client.get(link)
    client.post(reverse("access:sign-out"))

    client.get(link)
    client.head(link)
    settings.SETUP_WIZARD_DEMO = False
    client.get(link)

    log = everything_logged.getvalue()
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert "Gone: /sign-in/…/" in events
    assert "Not Found: /sign-in/…/" in events
    assert token not in log
