"""How commands, fingerprints, times and counts are shown on the pages of attempts."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access import audit
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.choices import choices_of
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.attempts.templatetags.typography import elapsed, fingerprint, with_code
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db

FINGERPRINT = ":".join(f"{number:02X}" for number in range(32))
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@pytest.fixture
def ada(db):
    return assign(User.objects.create_user("ada"), Role.ADMINISTRATOR)


@pytest.fixture
def read(client, ada):
    """Read a page as text, without tags and their attributes; with `tags=True` as HTML without scripts and styles."""
    client.force_login(ada)

    def get(url, *, tags=False):
        answer = client.get(url)
        assert answer.status_code == 200
        page = answer.content.decode()
        page = re.sub(r"<(script|style|head)\b.*?</\1>", "", page, flags=re.DOTALL)
        return page if tags else re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))

    return get


def urls(attempt):
    yield reverse("live:detail", args=[attempt.pk])
    yield reverse("admin:attempts_attempt_change", args=[attempt.pk])


def test_events_of_another_day_show_their_date(read, maria):
    today, yesterday = add_attempt(maria, minutes_ago=0), add_attempt(maria, minutes_ago=24 * 60)
    texts = {}
    for attempt in (today, yesterday):
        page = read(reverse("live:detail", args=[attempt.pk]), tags=True)
        texts[attempt] = re.search(r"<time [^>]+ data-clock>([^<]+)</time>", page)[1]

    assert texts[today] == f"{today.created_at:%H:%M:%S}"
    assert texts[yesterday].replace("\xa0", " ") == f"{yesterday.created_at:%-d %b %Y, %H:%M:%S}"


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.NONE])
def test_no_reason_is_shown_with_backticks(read, maria, reason):
    state = State.NEEDS_OPERATOR if choices_of(reason) else State.FAILED
    attempt = add_attempt(maria, state=state, reason=reason, error_code="path_error")

    assert [url for url in urls(attempt) if "`" in read(url)] == []


@pytest.mark.parametrize("code", ErrorCode)
def test_no_code_is_shown_with_backticks(read, maria, code):
    attempt = add_attempt(maria, state=State.FAILED, reason=Reason.NODE_ERROR, error_code=code, action="join_cluster")

    assert [url for url in urls(attempt) if "`" in read(url)] == []


def test_the_description_of_the_api_is_shown_without_backticks(read):
    assert "`" not in read("/api/v1/docs")
    assert re.search(r"<td>[^<]+<code>", read("/api/v1/docs", tags=True))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("On a node: `rladmin status`.", "On a node: <code>rladmin status</code>."),
        ("`a` and `b`", "<code>a</code> and <code>b</code>"),
        ("a single ` is left", "a single ` is left"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
    ],
)
def test_a_command_between_backticks_becomes_code(text, shown):
    assert with_code(text) == shown


def test_a_fingerprint_breaks_between_bytes_only(read, maria):
    shown = {"fingerprint": FINGERPRINT, "subject": "CN=node", "not_after": "2027-11-23T14:02:04+00:00"}
    attempt = add_attempt(maria, state=State.NEEDS_OPERATOR, reason=Reason.TRUST, seen_certificate=shown)
    Attempt.objects.filter(pk=attempt.pk).update(fingerprint=FINGERPRINT)

    for url in urls(attempt):
        page = read(url, tags=True)
        codes = re.findall(r'<code class="fingerprint">(.*?)</code>', page)
        assert codes
        assert all(code == fingerprint(FINGERPRINT) for code in codes)
        # elsewhere a browser could break it anywhere; only scripts to copy have it as one word
        prose = re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
        assert FINGERPRINT not in re.sub(r"<[^>]+>", "", prose.replace("<wbr>", " "))


def test_no_time_is_shown_in_iso_format(read, maria):
    shown = {"fingerprint": FINGERPRINT, "not_after": "2027-11-23T14:02:04+00:00"}
    attempt = add_attempt(maria, state=State.NEEDS_OPERATOR, reason=Reason.TRUST, seen_certificate=shown)

    assert "23 Nov 2027, 14:02:04 UTC" in read(next(urls(attempt)))
    assert [url for url in [*urls(attempt), "/attempts/", "/setup/"] if ISO.search(read(url))] == []


@pytest.mark.parametrize("url", ["/attempts/", "/setup/", "detail"])
def test_seconds_are_shown_before_a_script_counts_them(read, maria, url):
    attempt = add_attempt(maria, state=State.IN_PROGRESS, minutes_ago=0.2)
    url = next(urls(attempt)) if url == "detail" else url

    text = read(url)

    assert re.search(r"(?<!\d)1[23] s\b", text)
    assert "0 minutes" not in text


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (59, "59 s"), (184, "3 min 4 s"), (7320, "2 h 2 min")])
def test_elapsed_time_reads_as_in_the_script(seconds, said):
    assert elapsed(timezone.now() - timedelta(seconds=seconds, milliseconds=200)) == said


def test_a_time_in_the_future_has_not_elapsed():
    assert (elapsed(timezone.now() + timedelta(hours=1)), elapsed(None)) == ("0 s", "")


def test_the_audit_log_counts_its_entries(read, ada):
    audit.record(AccessAudit.SIGN_IN, by=ada, target=audit.Target("user", "1", "ada"))

    text = read("/admin/access/auditevent/")

    assert re.search(r"\d+ audit entr(y|ies)\b", text)
    assert "1 audit log" not in text
