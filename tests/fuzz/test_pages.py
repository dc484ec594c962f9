"""Every page, those of the admin site included, answers whatever is drawn as its parameters without a fault."""

import re
from itertools import cycle
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setup_wizard.attempts.states import State
from setup_wizard.clusters import inventory, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import Cluster, Run
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.request_mapping import step_data
from tests.attempts.attempt_rows import REQUEST, add_attempt

EXAMPLES = 8  # for each address and method; lists of the admin site, which take most parameters, get ten times that
HUGE = "9" * 30
LIST = "/admin/[a-z]+/[a-z]+/"
OUTSIDE = ("api/", "static/", "healthz", "readyz", "metrics")
STREAMS = {"/attempts/<uuid:attempt_id>/stream", "/stream"}  # need the loop of a server: tests/live/test_stream.py

PAGES = [
    *("q", "page", "sort", "state", "action", "user", "after", "shown", "next", "address", "node", "version"),
    *("username", "password", "confirmed", "fingerprint", "addr", "external_addr", "rack_id", "name", "token"),
    *("old_password", "seen", "file"),
]
ADMINISTRATION = [
    *("q", "p", "o", "all", "e", "_popup", "_to_field", "_facets", "_changelist_filters", "_selected_action", "index"),
    *("action", "select_across", "post", "username", "groups", "permissions", "name", "note", "mark", "date_joined_0"),
    *("error_code", "reviewed", "is_active__exact", "groups__id__exact", "requested_by__id__exact"),
    *("created_at__year", "state__exact", "created_at__month", "created_at__day", "at__year", "approved_at__year"),
    *("term", "model_name"),
]
FIELDS = ["id", "pk", "created_at", "at", "approved_at", "state", "error_code", "requested_by__id", "action", "groups"]
LOOKUPS = ["", "__exact", "__regex", "__range", "__in", "__isnull", "__year", "__iso_year", "__contains", "__gte", "__"]
VALUES = [
    *("0", "1", "-1", "1e999", "NaN", "true", "{}", "[1]", "()", "(", "%00", "^(.+)+!$", "%", "_00", "9999", "12"),
    *("31", "9999-12-31", "http://[::1", "//evil.example", "/attempts/", "https://10.0.0.5:9443/ui", "10.0.0.5:9443"),
    *("[::1]:9443", "-when", "delete_selected", "export_csv", "mark_reviewed", "yes", "create_cluster"),
    *("join_cluster", "recover_cluster"),
    *("", "\0", "a\0b", HUGE, f"-{HUGE}", "9" * 5000, "'", '"', "\\", "a " * 1000, "x" * 5000, "\u202e\ufffe"),
]
values = st.sampled_from(VALUES) | st.text(max_size=40)
lookups = st.tuples(st.sampled_from(FIELDS), st.sampled_from(LOOKUPS)).map("".join) | st.text(max_size=20)
headers = st.dictionaries(
    st.sampled_from(["HX-Request", "HX-Current-URL", "HX-Target", "Referer", "Origin", "Sec-Fetch-Site", "Accept"]),
    st.sampled_from(["true", "http://[::1", "http://testserver/attempts/", "\0", "cross-site", "é", "*/*;q=x"]),
    max_size=2,
)

FINGERPRINT = ":".join(["AB"] * 32)
PROBE = {
    "address": "10.0.0.5:9443",
    "ip": "10.0.0.5",
    "certificate": {"fingerprint": FINGERPRINT},
    "answer": {"bootstrap_status": {"state": "idle"}, "node": {"uid": "1", "cores": 4}},
    "member": False,
}

pytestmark = [pytest.mark.django_db, pytest.mark.untraced]


def routes(patterns=None, prefix=""):
    """Every address that the product answers at, as it is declared."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif not route.startswith(OUTSIDE):
            yield f"/{route}"


def parameters(route):
    known = st.sampled_from(ADMINISTRATION if route.startswith("/admin/") else PAGES)
    return st.lists(st.tuples(known | lookups, values), min_size=1, max_size=3)


@pytest.fixture
def signed_in(db):
    signed_in = Client(raise_request_exception=False)
    signed_in.force_login(User.objects.create_superuser("root"))
    return signed_in


@pytest.fixture
def parts(signed_in):
    """What each part of an address may be: usually a row that exists, otherwise anything."""
    root = User.objects.get()
    attempt = add_attempt(root, state=State.NEEDS_OPERATOR, reason="lost_contact", resume_state="in_progress").pk
    draft = Draft(owner=root, action="create_cluster", address="10.0.0.5:9443", probe=PROBE, fingerprint=FINGERPRINT)
    draft.data = {"action": {"action": draft.action}} | step_data(draft, REQUEST)
    draft.step_versions = dict.fromkeys(["action", *draft.data], 1)
    draft.save()
    plan = plans.add(read_document({"nodes": [{"address": "10.0.0.5:9443"}]}), by=root)
    run = Run.objects.create(plan=plans.add(plan.content, by=root), started_by=root)
    add_attempt(root, "10.0.0.6:9443", node_uid="1")  # through this node, its cluster can be asked
    inventory.add_attempts()
    odd = ["_00", HUGE, "x", "\0", "é"]
    return {
        "attempt": cycle([attempt]),
        "attempt_id": cycle([attempt]),
        "draft": cycle([draft.pk]),
        "plan": cycle([plan.pk, run.pk]),
        "cluster": cycle([Cluster.objects.get().pk]),
        "object_id": cycle([attempt, root.pk, root.groups.first() or 1, *odd]),
        "id": cycle([root.pk, *odd]),
        "name": cycle(["action", "node", "cluster", "review", "nothing"]),
        "field": cycle(["address", "addr", "name", "nothing"]),
        "choice": cycle(["cancel", "keep-watching", "ours", "credentials", "approve-certificate", "stop-watching"]),
        "token": cycle(["x", "\0", "x" * 500]),
        "url": cycle(odd),
        "app_label": cycle(["auth", "nodes"]),
    }


@pytest.fixture(autouse=True)
def _nothing_is_in_reach(settings):
    settings.SETUP_WIZARD_ALLOWED_PORTS = []
    settings.SETUP_WIZARD_PLAN_PROBES_PER_MINUTE = 100_000
    settings.SETUP_WIZARD_POSTS_PER_MINUTE = settings.SETUP_WIZARD_PROBES_PER_MINUTE = 100_000


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("route", sorted({*routes()} - STREAMS))
def test_no_parameter_makes_a_page_fail(signed_in, parts, route, method):
    def fill(found):
        return quote(str(next(parts[found[1]])))

    @settings(
        max_examples=EXAMPLES * (10 if re.fullmatch(LIST, route) else 1),
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(asked=parameters(route), told=headers)
    def ask(asked, told):
        path = re.sub(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)", lambda it: fill((0, it[1] or it[2])), route).strip("^$")
        words = urlencode(
            [(each.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for each, value in asked]
        )
        if method == "GET":
            answer = signed_in.get(f"{path}?{words}", headers=told)
        else:
            answer = signed_in.post(
                f"{path}?{words[:200]}", words, content_type="application/x-www-form-urlencoded", headers=told
            )
        assert answer.status_code < 500, (path, asked, told)

    ask()
