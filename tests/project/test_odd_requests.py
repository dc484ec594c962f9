"""Requests that no page sends get 400 or 404, on every database, and cause no server error."""

import json
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from setup_wizard.access import tokens
from setup_wizard.access.admin_site import StrictModelAdmin
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.states import State
from setup_wizard.wizard.models import Draft
from tests.attempts.attempt_rows import REQUEST, add_attempt

ATTEMPTS = "/admin/attempts/attempt/"
USERS = "/admin/auth/user/"
LISTS = {
    ATTEMPTS: "created_at",
    "/admin/access/auditevent/": "at",
    "/admin/nodes/trustedcertificate/": "approved_at",
    USERS: "last_login",
    "/admin/auth/group/": "id",
}
HUGE = "9" * 30

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return User.objects.create_superuser("root", password="seven quiet otters")


@pytest.fixture
def signed_in(root):
    signed_in = Client(raise_request_exception=False)
    signed_in.force_login(root)
    return signed_in


@pytest.fixture
def attempt(root):
    return add_attempt(root, state=State.NEEDS_OPERATOR, reason="lost_contact", resume_state="in_progress")


@pytest.fixture
def draft(root):
    return Draft.objects.create(owner=root, action="create_cluster", address="10.0.0.5:9443")


@pytest.mark.parametrize(
    "query",
    [
        "fingerprint__regex=^(.%2B)%2B!$",
        "state__regex=^(.%2B)%2B!$",
        "error_code__iregex=(",
        "username__regex=(",
        "id__range=1",
        "pk__in=x",
        "id__contains={}",
        "request__contains={}",
        "password__startswith=argon2",
        "requested_by__password__startswith=argon2",
        "groups__permissions__codename=x",
        "{date}__iso_year=0",
        "{date}__gte=x",
        "{date}__month=2",
        "{date}__isnull=True",
        "no_such_field=1",
        "__=1",
    ],
)
@pytest.mark.parametrize("path", LISTS)
def test_a_list_refuses_a_lookup_that_it_does_not_offer(signed_in, path, query):
    assert signed_in.get(f"{path}?{query.replace('{date}', LISTS[path])}").status_code == 400


def test_a_list_accepts_every_filter_that_it_offers(signed_in, root):
    add_attempt(root, error_code="access_denied")
    group = assign(root, Role.OPERATOR).groups.get().pk
    for query in (
        "state__exact=succeeded&action__exact=create_cluster",
        "state__isnull=False",
        f"user={root.username}&reviewed=no&error_code=access_denied",
        "created_at__gte=2026-01-01+00:00:00%2B00:00&created_at__lt=2026-02-01+00:00:00%2B00:00",
        "q=10.0.0&o=-1&p=1&all=",
    ):
        assert signed_in.get(f"{ATTEMPTS}?{query}").status_code == 200, query
    assert (
        signed_in.get(f"{USERS}?is_active__exact=1&is_superuser__exact=0&groups__id__exact={group}").status_code == 200
    )
    audit = "/admin/access/auditevent/?action=start&outcome__exact=done&at__year=2026"
    assert signed_in.get(audit).status_code == 200
    assert signed_in.get("/admin/nodes/trustedcertificate/?origin__exact=operator").status_code == 200


@pytest.mark.parametrize("model", admin.site._registry.values(), ids=str)
def test_every_list_of_the_administration_offers_its_lookups(model):
    assert isinstance(model, StrictModelAdmin)


@pytest.mark.parametrize(
    "date",
    [
        f"{{0}}__year={HUGE}",
        "{0}__year=0",
        "{0}__year=x",
        "{0}__year=9999",
        "{0}__year=9999&{0}__month=12",
        "{0}__year=9999&{0}__month=12&{0}__day=31",
        "{0}__year=2026&{0}__month=13",
        "{0}__year=2026&{0}__month=2&{0}__day=30",
    ],
)
@pytest.mark.parametrize("path", [ATTEMPTS, "/admin/access/auditevent/", "/admin/nodes/trustedcertificate/"])
def test_an_impossible_date_is_refused(signed_in, path, date):
    assert signed_in.get(f"{path}?{date.format(LISTS[path])}").status_code == 400


@pytest.mark.parametrize("words", ["a " * 1000, "x" * 5000, '"' * 201, "a b c d e f g h i j k"])
@pytest.mark.parametrize("path", LISTS)
def test_a_search_over_the_limit_is_refused_with_the_limit(signed_in, path, words):
    answer = signed_in.get(path, {"q": words})

    searches = path != "/admin/auth/group/" or "q" in answer.text
    assert answer.status_code == 400
    assert not searches or "The limits are 10 words and 200 characters" in answer.text


def test_a_search_over_the_limit_selects_no_row_for_an_action(signed_in, attempt):
    posted = {"action": "export_csv", "_selected_action": str(attempt.pk), "select_across": "1"}

    assert signed_in.post(f"{ATTEMPTS}?q={'a+' * 1000}", posted).status_code == 400
    assert not AuditEvent.objects.filter(action="export").exists()


@pytest.mark.parametrize("key", ["1", "x", "_00", HUGE, "00000000-0000-0000-0000-000000000000"])
def test_there_is_no_redirect_to_an_objects_own_page(signed_in, key):
    for kind in [*ContentType.objects.values_list("pk", flat=True), HUGE, "x"]:
        assert signed_in.get(f"/admin/r/{kind}/{key}/").status_code == 404


@pytest.mark.parametrize("key", ["x", HUGE, "_00", "-1"])
@pytest.mark.parametrize("page", ["change", "history", "delete", "password"])
def test_the_page_of_an_impossible_row_causes_no_error(signed_in, page, key):
    for path in LISTS:
        assert signed_in.get(f"{path}{key}/{page}/").status_code in {302, 403, 404}


@pytest.mark.parametrize("chosen", ["x", HUGE, "", "1' OR '1'='1", "{}"])
@pytest.mark.parametrize("action", ["delete_selected", "mark_reviewed", "export_csv", "export_json"])
@pytest.mark.parametrize("path", [ATTEMPTS, USERS, "/admin/auth/group/"])
def test_an_action_on_an_impossible_row_is_refused(signed_in, path, action, chosen):
    posted = {"action": action, "_selected_action": chosen, "post": "yes"}

    assert signed_in.post(path, posted).status_code == 400
    assert User.objects.count() == 1


@pytest.mark.parametrize("groups", [[HUGE], ["x"], ["1", HUGE]])
def test_an_impossible_group_of_an_account_is_refused(signed_in, root, groups):
    posted = {"username": "ben", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00", "groups": groups}

    answer = signed_in.post(f"{USERS}{root.pk}/change/", posted)

    assert answer.status_code == 200
    assert "is not one of the available choices" in answer.text or "not a valid value" in answer.text
    assert User.objects.get().username == "root"


@pytest.mark.parametrize("permissions", [[HUGE], ["x"]])
def test_an_impossible_permission_of_a_group_is_refused(signed_in, permissions):
    assert signed_in.post("/admin/auth/group/add/", {"name": "guests", "permissions": permissions}).status_code == 200
    assert not Group.objects.filter(name="guests").exists()


ADDRESSES = [
    "/",
    "/setup/",
    "/setup/{draft}/node/",
    "/attempts/",
    "/attempts/{attempt}/",
    "/sign-in/",
    ATTEMPTS,
    "/nope/",
]


IN_PATHS = ["/%00", "/attempts/%00/", f"{USERS}%00/change/", "/static/%00.css", "/api/v1/%00"]


@pytest.mark.parametrize("path", [*ADDRESSES, "/static/base.css", "/api/v1/attempts", "/healthz", *IN_PATHS])
def test_a_nul_in_the_path_or_the_query_is_refused(signed_in, draft, attempt, path):
    path = path.format(draft=draft.pk, attempt=attempt.pk)
    for query in ("q=%00", "user=a%00b", "%00=1", "next=%00") if path not in IN_PATHS else ("",):
        assert signed_in.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("form", [{"note": "a\0b"}, {"a\0b": "1"}, {"note": ["fine", "\0"]}])
@pytest.mark.parametrize("path", [*ADDRESSES[:-1], "/password/", "/sign-out/", f"{USERS}add/"])
def test_a_nul_in_a_form_is_refused(signed_in, draft, attempt, path, form):
    path = path.format(draft=draft.pk, attempt=attempt.pk)

    in_parts = signed_in.post(path, form)
    encoded = signed_in.post(path, urlencode(form, doseq=True), content_type="application/x-www-form-urlencoded")

    assert (in_parts.status_code, encoded.status_code) == (400, 400)


HEADERS = dict.fromkeys(["X-Request-ID", "Authorization", "HX-Current-URL", "X-Forwarded-For", "User-Agent"], "a\0b")
COOKIES = [("Cookie", cookie) for cookie in ('sessionid="a\\000b"', 'csrftoken="\\000"', 'messages="\\000"')]


@pytest.mark.parametrize(("header", "value"), [*HEADERS.items(), *COOKIES])
def test_a_nul_in_a_header_or_a_cookie_is_refused(header, value):
    stranger = Client(raise_request_exception=False)

    assert stranger.get("/attempts/", headers={header: value}).status_code == 400


@pytest.mark.parametrize("address", ["http://[::1", "http://[", "//["])
@pytest.mark.parametrize("path", ["/", "/setup/", "/attempts/", "/sign-in/", ATTEMPTS])
def test_an_invalid_page_address_is_refused(path, address):
    stranger = Client(raise_request_exception=False)

    answer = stranger.get(path, headers={"HX-Request": "true", "HX-Current-URL": address})

    assert answer.status_code == 400


def test_the_api_reports_a_malformed_request_as_json(root):
    asked = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {tokens.issue(root)}"})

    answer = asked.get("/api/v1/attempts?q=%00")

    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"
    assert "NUL" in answer.json()["message"]
    assert answer.json()["fields"] == {}


ODD_TEXTS = ["\0", "a\0b", "\ud800", "x\udfff", "\u202e", "9" * 5000, "", " ", "http://[::1", "\ufffe"]
ODD_VALUES = [*ODD_TEXTS, 10**400, -1, [], {}, None]


def with_one_changed(value, odd):
    """The same document with one of its values, at any depth, changed for another; one after the other."""
    yield odd
    if isinstance(value, dict):
        yield value | {"odd": odd}
        yield from (value | {name: each} for name, old in value.items() for each in with_one_changed(old, odd))
    if isinstance(value, list):
        yield from ([each] for old in value for each in with_one_changed(old, odd))


@pytest.mark.parametrize("odd", ODD_VALUES, ids=range(len(ODD_VALUES)))
def test_odd_text_in_json_causes_no_error(root, attempt, settings, odd):
    settings.SETUP_WIZARD_ALLOWED_PORTS = []
    asked = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {tokens.issue(root)}"})
    at, fingerprint = f"attempts/{attempt.pk}", ":".join(["AB"] * 32)
    whole = {"address": "10.0.0.5:9443", "fingerprint": fingerprint, "bootstrap": REQUEST, "member_fingerprint": None}
    documents = {
        "probe": {"address": "10.0.0.5:9443"},
        "attempts": whole | {"overrides": [{"name": "certificate", "reason": "known"}]},
        f"{at}/credentials": {"username": "admin@example.com", "password": "seven quiet otters", "seq": 1},
        f"{at}/approve-certificate": {"fingerprint": fingerprint, "seq": 1},
        f"{at}/ours": {"seq": 1},
        f"{at}/keep-watching": {},
    }
    for call, body in ((call, body) for call, whole in documents.items() for body in with_one_changed(whole, odd)):
        answer = asked.post(f"/api/v1/{call}", json.dumps(body), content_type="application/json")

        assert answer.status_code < 500, (call, body)
        assert answer.status_code < 300 or {"error", "message", "fields"} <= set(answer.json())
