"""Who may open what: every URL, with each role, without a role, and without signing in."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from setup_wizard.access.models import ApiToken
from setup_wizard.access.permissions import SIGNED_IN, Permission
from setup_wizard.access.roles import Role, assign, create_groups
from setup_wizard.attempts.states import State
from tests.attempts.attempt_rows import add_attempt

DRAFT = ATTEMPT = "0b0e7a52-6d3c-4f0e-9f0b-6a3f6c1f1c11"
PLAN, CLUSTER = DRAFT, DRAFT
STRANGER, NOBODY, SUPERUSER = "a stranger", "nobody's member", "superuser"
PEOPLE = [STRANGER, NOBODY, *Role, SUPERUSER]

# What a URL requires: nothing, a sign-in, a permission; or it is closed to everybody.
OPEN = None
READ, OPERATE, REVIEW, ADMINISTER = Permission.READ, Permission.OPERATE, Permission.REVIEW, Permission.ADMINISTER
NEVER = "nobody at all"

# Every route by its full pattern, with an example URL and what it requires. A missing route fails the test.
ROUTES = {
    # project
    "": ("/", READ),
    "stream": ("/stream?topic=attempts", READ),
    "healthz": ("/healthz", OPEN),
    "readyz": ("/readyz", OPEN),
    "help/": ("/help/", OPEN),
    "help/<slug:name>/": ("/help/operations/", OPEN),
    "metrics": ("/metrics", OPEN),  # does not use sessions: tests/monitoring/test_metrics.py
    # access
    "sign-in/": ("/sign-in/", OPEN),
    "sign-in/<str:token>/": ("/sign-in/made-up/", OPEN),
    "sign-out/": ("/sign-out/", OPEN),
    "password/": ("/password/", SIGNED_IN),
    "account/": ("/account/", SIGNED_IN),
    "account/time-zone/": ("/account/time-zone/", SIGNED_IN),
    "account/tokens/": ("/account/tokens/", SIGNED_IN),
    "account/tokens/<int:token>/revoke/": ("/account/tokens/1/revoke/", SIGNED_IN),
    "theme/": ("/theme/", SIGNED_IN),
    "first-administrator/": ("/first-administrator/", OPEN),
    # wizard
    "setup/": ("/setup/", OPERATE),
    "setup/available/": ("/setup/available/", OPERATE),
    "setup/retry/<uuid:attempt>/": (f"/setup/retry/{ATTEMPT}/", OPERATE),
    "setup/join/<uuid:attempt>/": (f"/setup/join/{ATTEMPT}/", OPERATE),
    "setup/open/": ("/setup/open/", OPERATE),
    "setup/import/": ("/setup/import/", OPERATE),
    "setup/discard/": ("/setup/discard/", OPERATE),
    "setup/new/": ("/setup/new/", OPERATE),
    "setup/new/probe/": ("/setup/new/probe/", OPERATE),
    "setup/new/check/<slug:field>/": ("/setup/new/check/address/", OPERATE),
    "setup/<uuid:draft>/review/": (f"/setup/{DRAFT}/review/", OPERATE),
    "setup/<uuid:draft>/checks/": (f"/setup/{DRAFT}/checks/", OPERATE),
    "setup/<uuid:draft>/delegation/": (f"/setup/{DRAFT}/delegation/", OPERATE),
    "setup/<uuid:draft>/checks/again/": (f"/setup/{DRAFT}/checks/again/", OPERATE),
    "setup/<uuid:draft>/remedy/": (f"/setup/{DRAFT}/remedy/", OPERATE),
    "setup/<uuid:draft>/discard/": (f"/setup/{DRAFT}/discard/", OPERATE),
    "setup/<uuid:draft>/<slug:name>/": (f"/setup/{DRAFT}/node/", OPERATE),
    "setup/<uuid:draft>/<slug:name>/probe/": (f"/setup/{DRAFT}/action/probe/", OPERATE),
    "setup/<uuid:draft>/<slug:name>/check/<slug:field>/": (f"/setup/{DRAFT}/node/check/addr/", OPERATE),
    # clusters, their plans and runs
    "clusters/": ("/clusters/", READ),
    "clusters/open/": ("/clusters/open/", READ),
    "clusters/<uuid:cluster>/": (f"/clusters/{CLUSTER}/", READ),
    "clusters/<uuid:cluster>/panel/": (f"/clusters/{CLUSTER}/panel/", READ),
    "clusters/<uuid:cluster>/check/": (f"/clusters/{CLUSTER}/check/", OPERATE),
    "clusters/<uuid:cluster>/dns/": (f"/clusters/{CLUSTER}/dns/", OPERATE),
    "clusters/<uuid:cluster>/add-nodes/": (f"/clusters/{CLUSTER}/add-nodes/", OPERATE),
    "plans/new/": ("/plans/new/", OPERATE),
    "plans/<uuid:plan>/": (f"/plans/{PLAN}/", READ),
    "plans/<uuid:plan>/panel/": (f"/plans/{PLAN}/panel/", READ),
    "plans/<uuid:plan>/nodes/": (f"/plans/{PLAN}/nodes/", OPERATE),
    "plans/<uuid:plan>/nodes/rows/": (f"/plans/{PLAN}/nodes/rows/", OPERATE),
    "plans/<uuid:plan>/cluster/": (f"/plans/{PLAN}/cluster/", OPERATE),
    "plans/<uuid:plan>/cluster/check/<str:field>/": (f"/plans/{PLAN}/cluster/check/name/", OPERATE),
    "plans/<uuid:plan>/review/": (f"/plans/{PLAN}/review/", OPERATE),
    "plans/<uuid:plan>/checks/": (f"/plans/{PLAN}/checks/", OPERATE),
    "plans/<uuid:plan>/check-again/": (f"/plans/{PLAN}/check-again/", OPERATE),
    "plans/<uuid:plan>/delegation/": (f"/plans/{PLAN}/delegation/", OPERATE),
    "plans/<uuid:plan>/discard/": (f"/plans/{PLAN}/discard/", OPERATE),
    "plans/import/": ("/plans/import/", OPERATE),
    "plans/<uuid:plan>/export/": (f"/plans/{PLAN}/export/", READ),
    "plans/<uuid:plan>/rack-awareness/": (f"/plans/{PLAN}/rack-awareness/", OPERATE),
    "plans/<uuid:plan>/report/": (f"/plans/{PLAN}/report/", READ),
    "plans/<uuid:plan>/report.json": (f"/plans/{PLAN}/report.json", READ),
    "plans/<uuid:plan>/credentials/": (f"/plans/{PLAN}/credentials/", OPERATE),
    "plans/<uuid:plan>/retry/": (f"/plans/{PLAN}/retry/", OPERATE),
    "plans/<uuid:plan>/<slug:choice>/": (f"/plans/{PLAN}/pause/", OPERATE),
    # notifications
    "notifications/": ("/notifications/", READ),
    "notifications/test-email/": ("/notifications/test-email/", READ),
    "notifications/news/": ("/notifications/news/", READ),
    "notifications/webhooks/": ("/notifications/webhooks/", ADMINISTER),
    "notifications/webhooks/new/": ("/notifications/webhooks/new/", ADMINISTER),
    "notifications/webhooks/<uuid:webhook_id>/": (f"/notifications/webhooks/{PLAN}/", ADMINISTER),
    "notifications/webhooks/<uuid:webhook_id>/change/": (f"/notifications/webhooks/{PLAN}/change/", ADMINISTER),
    "notifications/webhooks/<uuid:webhook_id>/key/": (f"/notifications/webhooks/{PLAN}/key/", ADMINISTER),
    "notifications/webhooks/<uuid:webhook_id>/test/": (f"/notifications/webhooks/{PLAN}/test/", ADMINISTER),
    "notifications/webhooks/<uuid:webhook_id>/delete/": (f"/notifications/webhooks/{PLAN}/delete/", ADMINISTER),
    "notifications/deliveries/<uuid:delivery_id>/again/": (f"/notifications/deliveries/{PLAN}/again/", ADMINISTER),
    # the demo
    "demo/nodes/": ("/demo/nodes/", OPERATE),
    "demo/nodes/reset/": ("/demo/nodes/reset/", OPERATE),
    # attempts
    "attempts/": ("/attempts/", READ),
    "attempts/rows/": ("/attempts/rows/", READ),
    "attempts/compare/": ("/attempts/compare/", READ),
    "attempts/figures/": ("/attempts/figures/", READ),
    "attempts/export.csv": ("/attempts/export.csv", REVIEW),
    "attempts/export.json": ("/attempts/export.json", REVIEW),
    "attempts/<uuid:attempt_id>/review/": (f"/attempts/{ATTEMPT}/review/", REVIEW),
    "attempts/<uuid:attempt_id>/report/": (f"/attempts/{ATTEMPT}/report/", READ),
    "attempts/<uuid:attempt_id>/report.json": (f"/attempts/{ATTEMPT}/report.json", READ),
    "banner/": ("/banner/", OPEN),
    "attempts/action-needed/": ("/attempts/action-needed/", READ),
    "attempts/<uuid:attempt_id>/": (f"/attempts/{ATTEMPT}/", READ),
    "attempts/<uuid:attempt_id>/panel/": (f"/attempts/{ATTEMPT}/panel/", READ),
    "attempts/<uuid:attempt_id>/stream": (f"/attempts/{ATTEMPT}/stream", READ),
    "attempts/<uuid:attempt_id>/cluster/": (f"/attempts/{ATTEMPT}/cluster/", OPERATE),
    "attempts/<uuid:attempt_id>/<choice:choice>/": (f"/attempts/{ATTEMPT}/cancel/", OPERATE),
    # the API; its calls are open to sessions of every kind because none counts there: a token decides, and
    # tests/api/test_entry.py tries each call with each role's
    "api/v1/openapi.json": ("/api/v1/openapi.json", OPEN),
    "api/v1/docs": ("/api/v1/docs", READ),
    "api/v1/": ("/api/v1/", OPEN),
    "api/v1/probe": ("/api/v1/probe", OPEN),
    "api/v1/preflight": ("/api/v1/preflight", OPEN),
    "api/v1/render": ("/api/v1/render", OPEN),
    "api/v1/attempts": ("/api/v1/attempts", OPEN),
    "api/v1/attempts/<uuidstr:attempt_id>": (f"/api/v1/attempts/{ATTEMPT}", OPEN),
}
CALLS = [
    "events", "cancel", "stop-watching", "keep-watching", "ours", "not-ours", "send-again", "approve-certificate",
    "credentials",
]  # fmt: skip
ROUTES |= {"api/v1/plans": ("/api/v1/plans", OPEN), "api/v1/plans/preflight": ("/api/v1/plans/preflight", OPEN)} | {
    f"api/v1/plans/<uuidstr:plan_id>{call}": (f"/api/v1/plans/{PLAN}{call}", OPEN)
    for call in ("", "/report", "/rack-awareness", "/pause", "/resume", "/retry", "/skip", "/stop")
}
ROUTES |= {"api/v1/clusters": ("/api/v1/clusters", OPEN)} | {
    f"api/v1/clusters/<uuidstr:cluster_id>{call}": (f"/api/v1/clusters/{PLAN}{call}", OPEN) for call in ("", "/dns")
}
ROUTES |= {
    f"api/v1/attempts/<uuidstr:attempt_id>/{call}": (f"/api/v1/attempts/{ATTEMPT}/{call}", OPEN) for call in CALLS
}
ADMINISTRATION = {
    "": ("", REVIEW),
    "login/": ("login/", NEVER),  # redirects to the sign-in page
    "logout/": ("logout/", REVIEW),
    "password_change/": ("password_change/", REVIEW),
    "password_change/done/": ("password_change/done/", REVIEW),
    "autocomplete/": ("autocomplete/", REVIEW),
    "jsi18n/": ("jsi18n/", REVIEW),
    "<app_label>/": ("nodes/", REVIEW),
    "(?P<url>.*)$": ("nowhere/at/all", REVIEW),
    "auth/user/<id>/password/": ("auth/user/1/password/", ADMINISTER),
}
# what each model requires: to be read, and to be added, changed or deleted
KINDS = {
    "attempts/attempt/": (REVIEW, NEVER),
    "nodes/trustedcertificate/": (REVIEW, NEVER),
    "access/auditevent/": (REVIEW, NEVER),
    "access/apitoken/": (ADMINISTER, NEVER),
    "auth/user/": (ADMINISTER, ADMINISTER),
    "auth/group/": (ADMINISTER, ADMINISTER),
}
for kind, (reading, changing) in KINDS.items():
    ADMINISTRATION |= {
        kind: (kind, reading),
        f"{kind}add/": (f"{kind}add/", changing),
        f"{kind}<path:object_id>/history/": (f"{kind}1/history/", reading),
        f"{kind}<path:object_id>/delete/": (f"{kind}1/delete/", changing),
        f"{kind}<path:object_id>/change/": (f"{kind}1/change/", reading),
        f"{kind}<path:object_id>/": (f"{kind}1/", REVIEW),  # redirects to the one above
    }
ADMINISTRATION["access/apitoken/add/"] = ("access/apitoken/add/", ADMINISTER)
ADMINISTRATION["health/"] = ("health/", REVIEW)
ROUTES |= {f"admin/{route}": (f"/admin/{address}", takes) for route, (address, takes) in ADMINISTRATION.items()}


def routes(patterns=None, before=""):
    """Every route as (pattern, view)."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        pattern = before + re.sub(r"\^\(\?P<app_label>.*", "<app_label>/", str(entry.pattern))
        if isinstance(entry, URLPattern):
            yield pattern, entry.callback
        else:
            yield from routes(entry.url_patterns, pattern)


def permissions_of(who):
    match who:
        case "superuser":
            return {SIGNED_IN, *Permission}
        case Role():
            return {SIGNED_IN, *who.permissions}
        case "a stranger":
            return set()
        case _:
            return {SIGNED_IN}


@pytest.fixture
def browser_of(db):
    def come(who):
        browser = Client(raise_request_exception=False)
        if who != STRANGER:
            user = User.objects.create_user("somebody", is_superuser=who == SUPERUSER)
            browser.force_login(assign(user, who) if isinstance(who, Role) else user)
        return browser

    return come


def is_admitted(answer):
    """Whether the view admitted the user, whatever it then answered."""
    refused = answer.status_code == 403
    sent_away = answer.status_code == 302 and answer.url.startswith(("/sign-in/", "/admin/login/"))
    return not (refused or sent_away)


def test_the_table_lists_exactly_the_routes():
    assert sorted({pattern for pattern, _ in routes()}) == sorted(ROUTES)


def test_every_view_declares_its_permission():
    declared = {
        pattern: getattr(view, "permission", OPEN if not getattr(view, "login_required", True) else "nothing declared")
        for pattern, view in routes()
        if not pattern.startswith("admin/")  # declared once, for the whole site
    }

    # the sign-in view is Django's class, which is public by itself
    expected = {pattern: takes for pattern, (_, takes) in ROUTES.items() if not pattern.startswith("admin/")}
    # reads at least; each choice has a permission of its own, this one operating
    expected["attempts/<uuid:attempt_id>/<choice:choice>/"] = Permission.READ
    assert declared == expected


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_each_url_admits_the_right_roles(browser_of, who, method):
    browser = browser_of(who)
    somebody = User.objects.first() or User.objects.create_user("somebody")
    some_token = f"/access/apitoken/{ApiToken.objects.create(user=somebody).pk}/"
    some_group = f"/auth/group/{Group.objects.first().pk}/"
    held = permissions_of(who)
    wrong = {}
    for pattern, (address, takes) in ROUTES.items():
        if (who, address) in SESSION_ENDS and method == "post":
            continue
        allowed = (takes is OPEN or takes in held) and (method, pattern) not in CLOSED
        # what is there: nothing more is asked where there is nothing, and only some databases begin with 1
        place = address.replace("/auth/user/1/", f"/auth/user/{somebody.pk}/").replace("/auth/group/1/", some_group)
        place = place.replace("/access/apitoken/1/", some_token)
        if is_admitted(getattr(browser, method)(place)) != allowed:
            wrong[pattern] = f"should be {'open' if allowed else 'closed'}"

    assert wrong == {}
    assert len(ROUTES) > 40


# Closed to everybody by one method: rows that are only read, and a helper for fields of a kind that we do not have.
CLOSED = {
    ("post", "admin/nodes/trustedcertificate/<path:object_id>/change/"),
    ("post", "admin/access/auditevent/<path:object_id>/change/"),
    ("post", "admin/access/apitoken/<path:object_id>/change/"),
    ("get", "admin/autocomplete/"),
}
# Signing out would change the user of the URLs after it.
SESSION_ENDS = {(who, address) for who in PEOPLE for address in ("/sign-out/", "/admin/logout/")}


def test_an_anonymous_user_signs_in_and_returns_to_the_page(client, db):
    answer = client.get("/admin/attempts/attempt/", follow=True)

    assert answer.redirect_chain[-1] == (f"{reverse('access:sign-in')}?next=/admin/attempts/attempt/", 302)


@pytest.mark.parametrize("address", ["/", "/attempts/", "/setup/", "/admin/"])
def test_a_user_without_a_role_reads_who_can_grant_one(browser_of, address):
    assign(User.objects.create_user("ada", first_name="Ada", last_name="Ng"), Role.ADMINISTRATOR)
    assign(User.objects.create_user("olaf"), Role.OPERATOR)
    User.objects.create_superuser("gone", is_active=False)

    answer = browser_of(NOBODY).get(address)

    assert answer.status_code == 403
    assert "Your account has no role yet" in answer.text
    assert "Ada Ng" in answer.text
    assert "olaf" not in answer.text
    assert "gone" not in answer.text
    assert "Attempts</a>" not in answer.text


def test_an_insufficient_role_gets_the_forbidden_page(browser_of):
    answer = browser_of(Role.VIEWER).get("/setup/")

    assert answer.status_code == 403
    assert "Your account is not allowed to do this" in answer.text


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        (Role.VIEWER, {"Clusters", "Attempts"}),
        (Role.OPERATOR, {"Clusters", "Set up", "Attempts"}),
        (Role.REVIEWER, {"Clusters", "Attempts", "Admin"}),
        (Role.ADMINISTRATOR, {"Clusters", "Set up", "Attempts", "Admin"}),
    ],
)
def test_the_bar_links_what_the_role_may_open(browser_of, who, offered):
    page = browser_of(who).get("/attempts/").text

    assert {name for name in ("Clusters", "Set up", "Attempts", "Admin") if f">{name}</a>" in page} == offered


@pytest.mark.parametrize("who", [Role.VIEWER, Role.REVIEWER, Role.OPERATOR])
def test_the_home_page_shows_the_clusters(browser_of, who):
    assert browser_of(who).get("/").url == "/clusters/"


@pytest.mark.parametrize("who", [Role.VIEWER, Role.REVIEWER])
def test_who_may_not_set_up_sees_no_buttons_but_the_review_and_those_of_the_browser(browser_of, maria, who):
    browser = browser_of(who)
    attempts = [add_attempt(maria, f"10.0.0.{number}:9443", **fields) for number, fields in STATES]
    addresses = [reverse("live:detail", args=[attempt.pk]) for attempt in attempts]

    for address in addresses:
        main = browser.get(address).text.partition("<main")[2]
        main, reviews = re.subn(r'<form method="post" action="[^"]*/review/">.*?</form>', "", main, flags=re.DOTALL)

        assert reviews == (who is Role.REVIEWER)
        assert "<form" not in main
        assert [tag for tag in re.findall(r"<button[^>]*>", main) if not re.search("data-(copy|notify)", tag)] == []


def test_an_operator_sees_the_buttons(browser_of, maria):
    browser = browser_of(Role.OPERATOR)
    for number, fields in STATES:
        address = reverse("live:detail", args=[add_attempt(maria, f"10.0.0.{number}:9443", **fields).pk])

        assert "<button" in browser.get(address).text.partition("<main")[2]


STATES = [
    (1, {}),
    (2, {"state": State.IN_PROGRESS}),
    (3, {"state": State.NEEDS_OPERATOR, "reason": "lost_contact", "resume_state": "in_progress"}),
    (4, {"state": State.FAILED, "reason": "node_error", "error_code": "path_error"}),
]


class TestGroups:
    def test_each_role_is_a_group_with_its_permissions(self, db):
        held = {
            group.name: {f"access.{row.codename}" for row in group.permissions.all()} for group in Group.objects.all()
        }

        assert held == {role: set(role.permissions) for role in Role}

    def test_the_documents_explain_each_role_with_the_same_sentence(self):
        page = (settings.BASE_DIR / "docs" / "operations.md").read_text()

        assert [role for role in Role if f"| *{role}* | {role.sentence} |" not in page] == []

    def test_creating_groups_keeps_changed_permissions(self, db):
        viewers = Group.objects.get(name=Role.VIEWER)
        viewers.permissions.clear()
        Group.objects.get(name=Role.OPERATOR).delete()

        create_groups()
        create_groups()

        assert viewers.permissions.count() == 0
        assert Group.objects.get(name=Role.OPERATOR).permissions.count() == 2
        assert Group.objects.count() == len(Role)

    @pytest.mark.django_db(transaction=True)
    def test_a_flushed_database_gets_the_groups_again(self):
        call_command("flush", interactive=False, verbosity=0)

        assert sorted(Group.objects.values_list("name", flat=True)) == sorted(Role)

    @pytest.mark.django_db
    def test_a_deactivated_user_has_no_permissions(self):
        user = assign(User.objects.create_user("ada", is_active=False), Role.ADMINISTRATOR)

        assert not any(user.has_perm(permission) for permission in Permission)
