"""The JSON API against real nodes: what it answers, what it refuses and how, and that it shows no secret."""

import json
import logging
import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from setup_wizard.access import tokens
from setup_wizard.access.permissions import Permission
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.api.urls import CALLS
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from tests.attempts.conftest import PASSWORD, follow, kinds, tick
from tests.nodes.servers import Server
from tests.reference_node.running import start_node

NOBODY = "00000000-0000-4000-8000-000000000000"
WRONG = ":".join(["AB"] * 32)


@pytest.fixture(autouse=True)
def _forget_limits():
    cache.clear()


class Caller:
    """A program with a token, or without one."""

    def __init__(self, token=""):
        self.client = Client(
            raise_request_exception=False, headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        self.heard = ""

    def get(self, path, **query):
        return self._note(self.client.get(f"/api/v1{path}", query))

    def post(self, path, document=None, **options):
        body = json.dumps(document) if document is not None else ""
        return self._note(self.client.post(f"/api/v1{path}", body, content_type="application/json", **options))

    def _note(self, answer):
        self.heard += answer.text + str(answer.headers)
        return answer


@pytest.fixture
def api(maria):
    return Caller(tokens.issue(maria))


@pytest.fixture
def member(tmp_path, maria):
    """The only node of redis-prod.example.com."""
    with start_node(tmp_path / "member", bind="127.0.0.2", pace=0.02) as node:
        api = Caller(tokens.issue(maria))
        api.post("/attempts", creating(node))
        follow(Attempt.objects.get())
        assert Attempt.objects.get().status is State.SUCCEEDED
        yield node


def shown_by(node):
    return probe(Address.parse(node.address)).certificate.fingerprint


def creating(node, **changes):
    return {
        "address": node.address,
        "fingerprint": shown_by(node),
        "accept_new_certificate": True,
        "bootstrap": {
            "action": "create_cluster",
            "cluster": {"name": "redis-prod.example.com", "nodes": []},
            "node": {"identity": {"addr": node.bind}},
            "credentials": {"username": "admin@example.com", "password": PASSWORD},
        },
        **changes,
    }


def joining(node, member, password=PASSWORD, **changes):
    return {
        "address": node.address,
        "fingerprint": shown_by(node),
        "member_fingerprint": shown_by(member),
        "bootstrap": {
            "action": "join_cluster",
            "cluster": {"nodes": [member.bind]},
            "cnm_https_port": member.port,
            "node": {"identity": {"addr": node.bind}},
            "credentials": {"username": "admin@example.com", "password": password},
        },
        **changes,
    }


def assert_problem(answer, status, error, *fields):
    document = answer.json()
    assert (answer.status_code, document["error"]) == (status, error), document
    assert set(document) == {"error", "message", "fields"}
    assert sorted(document["fields"]) == sorted(fields)
    assert document["message"]
    assert all(texts and all(texts) for texts in document["fields"].values())


# -- who may come in -------------------------------------------------------------------------------------------------


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
def test_without_a_working_token_one_learns_only_that(db, header, path):
    answer = Client(headers=header).get(f"/api/v1/{path}")

    assert_problem(answer, 401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_call_wants_a_token(db):
    paths = {re.sub("<.+>", NOBODY, str(call.pattern)) for call in CALLS}

    assert len(paths) == 12
    for path in paths:
        for method in ("get", "post"):
            assert_problem(getattr(Client(), method)(f"/api/v1/{path}"), 401, "unauthorised")


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_token_may_what_its_user_may(db, role, method):
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


def test_a_browser_that_is_signed_in_is_nobody_here(client, maria):
    client.force_login(maria)

    assert_problem(client.get("/api/v1/attempts"), 401, "unauthorised")
    assert_problem(client.post("/api/v1/attempts", "{}", content_type="application/json"), 401, "unauthorised")


def test_a_token_needs_no_csrf_token(maria):
    strict = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {tokens.issue(maria)}"})

    answer = strict.post(f"/api/v1/attempts/{NOBODY}/cancel", content_type="application/json")

    assert_problem(answer, 404, "not_found")


# -- probe -----------------------------------------------------------------------------------------------------------


def test_a_probe_tells_who_the_node_is(api, fresh_node):
    answer = api.post("/probe", {"address": fresh_node.address})

    said = answer.json()
    assert answer.status_code == 200
    assert set(said) == {"address", "fingerprint", "certificate", "state", "node"}
    assert (said["address"], said["state"]) == (fresh_node.address, "idle")
    assert said["fingerprint"] == shown_by(fresh_node)
    assert set(said["certificate"]) == {"subject", "issuer", "not_before", "not_after", "self_signed"}
    assert said["certificate"]["self_signed"] is True
    assert said["node"]["software_version"]
    assert {"address", "format", "if_name", "private"} <= set(said["node"]["addresses"][0])


def test_a_probe_of_a_member_says_that_it_is_in_a_cluster(api, member):
    said = api.post("/probe", {"address": member.address}).json()

    assert said["state"] == "completed"
    assert said["node"]["uid"] is None


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("https://10.0.0.5:9443/", "address_invalid"),
        ("10.0.0.5 ", "address_forbidden"),
        ("169.254.169.254:9443", "address_forbidden"),
        ("8.8.8.8", "address_forbidden"),
        ("127.0.0.1:1", "node_unreachable"),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_with_the_reason(api, settings, address, error):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = []

    answer = api.post("/probe", {"address": address})

    assert_problem(answer, 422, error, "address")


def test_what_is_no_node_is_told(api):
    server = Server(lambda peer: peer.read_request() and peer.answer(200, {"hello": "world"}))

    answer = api.post("/probe", {"address": str(server.address)})

    server.stop()
    assert_problem(answer, 422, "not_a_node", "address")


def test_strangers_are_probed_so_often_and_no_more(api, settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 2

    *within, over = [api.post("/probe", {"address": "127.0.0.1:1"}) for _ in range(3)]

    assert {answer.json()["error"] for answer in within} == {"node_unreachable"}
    assert_problem(over, 429, "too_many_requests")
    assert 1 <= int(over.headers["Retry-After"]) <= 60


# -- start -----------------------------------------------------------------------------------------------------------


def test_a_create_is_started_followed_and_listed(api, maria, fresh_node):
    answer = api.post("/attempts", creating(fresh_node))

    started = answer.json()
    assert answer.status_code == 201
    assert set(started) == {"id", "state", "url"}
    assert started["state"] == "queued"
    assert started["url"] == answer.headers["Location"] == f"/api/v1/attempts/{started['id']}"

    attempt = follow(Attempt.objects.get())

    seen = api.get(f"/attempts/{started['id']}").json()
    assert set(seen) == {
        "id", "address", "action", "cluster", "state", "reason", "choices", "node_state", "error_code",
        "error_details", "explanation", "requested_by", "created_at", "started_at", "ended_at",
    }  # fmt: skip
    assert (seen["id"], seen["state"], seen["explanation"], seen["choices"]) == (str(attempt.pk), "succeeded", None, [])
    assert (seen["action"], seen["cluster"]) == ("create_cluster", "redis-prod.example.com")
    assert (seen["address"], seen["requested_by"]) == (fresh_node.address, "maria")
    assert seen["created_at"] <= seen["started_at"] <= seen["ended_at"]
    assert len(fresh_node.accepted()) == 1
    assert api.get("/attempts").json() == {"results": [seen], "next": None, "count": 1}


def test_naming_the_fingerprint_is_the_approval(api, maria, fresh_node):
    api.post("/attempts", creating(fresh_node))

    approval = TrustedCertificate.objects.get()
    assert (approval.address, approval.fingerprint) == (fresh_node.address, shown_by(fresh_node))
    assert approval.approved_by == maria


def test_a_fingerprint_may_be_spelt_as_tools_print_it(api, fresh_node):
    plain = shown_by(fresh_node).replace(":", "").lower()

    answer = api.post("/attempts", creating(fresh_node, fingerprint=plain))

    assert answer.status_code == 201


def test_another_fingerprint_than_the_one_shown_starts_nothing(api, fresh_node):
    answer = api.post("/attempts", creating(fresh_node, fingerprint=WRONG))

    assert_problem(answer, 422, "preflight_failed", "fingerprint")
    assert not TrustedCertificate.objects.exists()
    assert not Attempt.objects.exists()
    assert not SealedCredentials.objects.exists()


def test_a_join_is_started_and_succeeds(api, member, fresh_node):
    answer = api.post("/attempts", joining(fresh_node, member))

    attempt = follow(Attempt.objects.get(pk=answer.json()["id"]))
    assert attempt.status is State.SUCCEEDED
    assert api.get(f"/attempts/{attempt.pk}").json()["cluster"] == "redis-prod.example.com"


def test_a_refused_join_is_explained(api, member, fresh_node):
    started = api.post("/attempts", joining(fresh_node, member, password="Wrong-horse-8")).json()
    follow(Attempt.objects.get(pk=started["id"]))

    seen = api.get(f"/attempts/{started['id']}").json()

    assert (seen["state"], seen["reason"], seen["error_code"]) == ("failed", "validation", "access_denied")
    assert set(seen["explanation"]) == {"title", "meaning", "causes", "checks", "part"}
    assert seen["explanation"]["title"] == "The cluster refused the sign-in"
    assert seen["explanation"]["part"].startswith("credentials")
    assert "Wrong-horse-8" not in api.heard


def test_a_join_without_the_members_fingerprint_needs_an_earlier_approval(api, member, maria, fresh_node):
    TrustedCertificate.objects.all().delete()

    refused = api.post("/attempts", joining(fresh_node, member, member_fingerprint=None))
    seen = probe(Address.parse(member.address))
    trust.approve(seen.endpoint, seen.certificate, by=maria)
    accepted = api.post("/attempts", joining(fresh_node, member, member_fingerprint=None))

    assert_problem(refused, 422, "certificate_not_approved", "member_fingerprint")
    assert accepted.status_code == 201


def test_a_join_with_another_fingerprint_of_the_member_starts_nothing(api, member, fresh_node):
    answer = api.post("/attempts", joining(fresh_node, member, member_fingerprint=WRONG))

    assert_problem(answer, 422, "preflight_failed", "member_fingerprint")
    assert Attempt.objects.count() == 1


def test_a_join_asks_the_next_member_when_the_first_is_silent(api, member, fresh_node):
    document = joining(fresh_node, member)
    document["bootstrap"]["cluster"]["nodes"] = ["127.0.0.9", member.bind]

    answer = api.post("/attempts", document)

    assert answer.status_code == 201
    assert Attempt.objects.get(pk=answer.json()["id"]).member_address == member.address


def test_a_join_through_nobody_says_why_for_each(api, fresh_node):
    document = joining(fresh_node, fresh_node)
    document["bootstrap"] |= {"cluster": {"nodes": ["127.0.0.9"]}, "cnm_https_port": 1}

    answer = api.post("/attempts", document)

    assert_problem(answer, 422, "member_unreachable", "bootstrap.cluster.nodes")
    assert "127.0.0.9" in answer.json()["fields"]["bootstrap.cluster.nodes"][0]


def test_a_join_through_a_node_that_is_in_no_cluster_is_refused(api, tmp_path, fresh_node):
    with start_node(tmp_path / "other", bind="127.0.0.2") as other:
        answer = api.post("/attempts", joining(fresh_node, other))

    assert_problem(answer, 422, "preflight_failed", "bootstrap.cluster.nodes")


def test_a_node_that_is_in_a_cluster_already_is_refused(api, member):
    answer = api.post("/attempts", creating(member))

    assert_problem(answer, 422, "preflight_failed", "address")


def test_a_node_with_an_open_attempt_is_busy(api, fresh_node):
    first = api.post("/attempts", creating(fresh_node)).json()

    answer = api.post("/attempts", creating(fresh_node))

    assert_problem(answer, 409, "node_busy", "address")
    assert answer.headers["Location"] == first["url"]
    assert "maria" in answer.json()["message"]
    assert SealedCredentials.objects.count() == 1


def test_a_node_whose_bootstrap_runs_is_busy_too(api, fresh_node):
    api.post("/attempts", creating(fresh_node))
    follow(Attempt.objects.get(), until=lambda attempt: attempt.status is State.IN_PROGRESS)

    assert_problem(api.post("/attempts", creating(fresh_node)), 409, "node_busy", "address")


def test_a_forbidden_address_starts_nothing(api, fresh_node):
    answer = api.post("/attempts", creating(fresh_node, address="169.254.169.254"))

    assert_problem(answer, 422, "address_forbidden", "address")


def test_every_mistake_is_named_with_its_path(api, fresh_node):
    document = creating(fresh_node)
    document["bootstrap"] |= {
        "cluster": {"name": "redis", "nodes": []},
        "node": {"paths": {"persistent_path": "persist"}, "identity": {"rack": "a"}},
        "credentials": {"username": "admin@example.com"},
    }

    answer = api.post("/attempts", document)

    assert_problem(
        answer,
        422,
        "invalid",
        "bootstrap.cluster.name",
        "bootstrap.credentials.password",
        "bootstrap.node.identity.rack",
        "bootstrap.node.paths.persistent_path",
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fingerprint": "X" * 64}, "fingerprint"),
        ({"fingerprint": 7}, "fingerprint"),
        ({"member_fingerprint": WRONG}, "member_fingerprint"),
        ({"accept_new_certificate": "yes"}, "accept_new_certificate"),
        ({"overrides": ["certificate"]}, "overrides"),
        ({"overrides": ["weather"]}, "overrides"),
        ({"overrides": "all"}, "overrides"),
        ({"addres": "10.0.0.5"}, "addres"),
        ({"address": ""}, "address"),
        ({"bootstrap": []}, "bootstrap"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field(api, fresh_node, changes, field):
    if changes.get("overrides") == ["certificate"]:
        changes = {**changes, "fingerprint": WRONG}

    assert_problem(api.post("/attempts", creating(fresh_node, **changes)), 422, "invalid", field)
    assert not Attempt.objects.exists()


def test_a_check_that_only_warns_may_be_named(api, fresh_node):
    document = creating(fresh_node, accept_new_certificate=False, overrides=["new_certificate"])

    assert api.post("/attempts", document).status_code == 201


def test_a_sign_in_by_certificate_is_refused(api, fresh_node):
    document = creating(fresh_node)
    pem = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"
    credentials = {"client_cert": pem.format("CERTIFICATE"), "client_key": pem.format("PRIVATE KEY")}
    document["bootstrap"]["credentials"] = credentials

    assert_problem(api.post("/attempts", document), 422, "invalid", "bootstrap.credentials")


def recovering(node, **changes):
    document = creating(node)
    credentials = document["bootstrap"]["credentials"]
    recovery = {"action": "recover_cluster", "recovery_filename": "/mnt/old/ccs/ccs-redis.rdb", "cluster": {}}
    return document | {"bootstrap": {**recovery, "credentials": credentials, **changes}}


def test_a_recovery_is_begun_from_its_file(api, fresh_node):
    answer = api.post("/attempts", recovering(fresh_node))

    assert answer.status_code == 201
    attempt = Attempt.objects.get()
    assert (attempt.action, attempt.accept_new_certificate) == ("recover_cluster", True)
    assert attempt.request["recovery_filename"] == "/mnt/old/ccs/ccs-redis.rdb"
    shown = api.get(f"/attempts/{attempt.pk}").json()
    assert (shown["action"], shown["cluster"]) == ("recover_cluster", "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recovery_filename": ""}, "bootstrap.recovery_filename"),
        ({"recovery_filename": "ccs/ccs-redis.rdb"}, "bootstrap.recovery_filename"),
        ({"credentials": {}}, "bootstrap.credentials"),
    ],
)
def test_a_recovery_needs_its_file_and_the_old_sign_in(api, fresh_node, changes, field):
    assert_problem(api.post("/attempts", recovering(fresh_node, **changes)), 422, "invalid", field)


def test_a_recovery_goes_through_no_member(api, fresh_node):
    document = recovering(fresh_node) | {"member_fingerprint": shown_by(fresh_node)}

    assert_problem(api.post("/attempts", document), 422, "invalid", "member_fingerprint")


def test_one_person_starts_so_often_a_minute_and_no_more(api, settings, fresh_node):
    settings.SETUP_WIZARD_STARTS_PER_MINUTE = 1
    api.post("/attempts", creating(fresh_node))

    over = api.post("/attempts", creating(fresh_node))

    assert_problem(over, 429, "too_many_requests")
    assert 1 <= int(over.headers["Retry-After"]) <= 60


# -- what is carried in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["{", "", "\xff", '{"address": NaN}', "[" * 100_000])
def test_a_body_that_is_not_json_is_refused(api, body):
    answer = api.client.post("/api/v1/probe", body.encode("latin-1"), content_type="application/json")

    expected = (400, "malformed_json") if body else (422, "invalid", "body")
    assert_problem(answer, *expected)


def test_a_form_is_refused(api):
    answer = api.client.post("/api/v1/probe", {"address": "10.0.0.5"})

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 422), (1024 * 1024 + 1, 413)])
def test_a_body_may_have_a_megabyte(api, size, status):
    body = json.dumps({"address": "10.0.0.5", "x": ""})
    padded = body.replace('""', f'"{"x" * (size - len(body))}"')
    assert len(padded) == size

    answer = api.client.post("/api/v1/probe", padded, content_type="application/json")

    assert answer.status_code == status
    assert answer.json()["error"] == ("too_large" if status == 413 else "invalid")


def test_a_method_that_is_none_is_refused_with_those_that_are(api):
    answer = api.client.delete("/api/v1/attempts")

    assert_problem(answer, 405, "method_not_allowed")
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "POST"]


@pytest.mark.parametrize("path", ["/nowhere", f"/attempts/{NOBODY}", "/attempts/7", f"/attempts/{NOBODY}/events", "/"])
def test_what_is_not_there_is_said_in_json(api, path):
    assert_problem(api.get(path), 404, "not_found")


def test_what_breaks_is_told_without_how(api, monkeypatch, caplog):
    def burst(*_args, **_options):
        raise RuntimeError("the table attempts_attempt is on fire")

    monkeypatch.setattr("setup_wizard.attempts.api.calls.search", burst)

    answer = api.get("/attempts")

    assert_problem(answer, 500, "internal_error")
    assert "fire" not in answer.text
    assert "on fire" in caplog.text


def test_a_database_that_is_away_is_said(api, monkeypatch):
    def burst(*_args, **_options):
        raise OperationalError("could not connect to server at 10.0.0.9")

    monkeypatch.setattr("setup_wizard.attempts.api.calls.search", burst)

    answer = api.get("/attempts")

    assert_problem(answer, 503, "unavailable")
    assert "10.0.0.9" not in answer.text
    assert int(answer.headers["Retry-After"]) > 0


# -- the list --------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(maria):
    def make(number, **fields):
        now = timezone.now()
        return Attempt.objects.bulk_create(
            Attempt(
                requested_by=maria,
                host=f"redis-{index}.example.com",
                address=f"10.0.{index // 250}.{index % 250}:9443",
                request={},
                fingerprint=WRONG,
                ended_at=now,
                **{"action": "create_cluster", "cluster_name": "redis-prod.example.com", "state": State.SUCCEEDED}
                | fields,
            )
            for index in range(number)
        )

    return make


def test_the_list_comes_in_pages_that_lead_on(api, many):
    many(120)

    pages, path = [], "/attempts"
    while path:
        pages.append(api.get(path).json())
        path = (pages[-1]["next"] or "").removeprefix("/api/v1")

    assert [len(page["results"]) for page in pages] == [50, 50, 20]
    assert {page["count"] for page in pages} == {120}
    assert len({row["id"] for page in pages for row in page["results"]}) == 120


def test_the_list_costs_the_same_few_queries_whatever_is_in_it(api, many, django_assert_max_num_queries):
    many(60)

    with django_assert_max_num_queries(6):
        api.get("/attempts")


def test_the_list_is_narrowed(api, many):
    many(2)
    many(3, action="join_cluster", state=State.FAILED, cluster_name="", error_code="time_not_sync")

    def count(**query):
        return api.get("/attempts", **query).json()["count"]

    assert count(state="", action="", q="", page="") == 5
    assert count(state="failed") == count(action="join_cluster") == count(q="TIME_NOT") == 3
    assert count(q="redis-prod") == 2
    assert count(q="redis-1.example") == 2
    assert count(q="10.0.0.2:") == 1
    assert count(q="a\0b") == 0
    assert count(state="failed", action="create_cluster") == 0


def test_the_way_to_the_next_page_keeps_what_was_asked(api, many):
    many(51)

    following = api.get("/attempts", state="succeeded", q="redis-prod & more", page=1).json()["next"]
    kept = api.get("/attempts", state="succeeded", q="redis-prod").json()["next"]

    assert following is None
    assert kept == "/api/v1/attempts?state=succeeded&q=redis-prod&page=2"


def test_the_count_is_exact_up_to_ten_thousand_and_then_unknown(api, many):
    many(10_000)
    exact = api.get("/attempts").json()["count"]

    many(1)

    assert exact == 10_000
    assert api.get("/attempts").json()["count"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"state": "done"},
        {"action": "leave_cluster"},
        {"page": "0"},
        {"page": "two"},
        {"q": "x" * 201},
        {"stat": "failed"},
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(api, query):
    assert_problem(api.get("/attempts", **query), 422, "invalid", *query)


# -- events and choices ----------------------------------------------------------------------------------------------


def test_events_come_in_order_and_after_the_one_that_is_known(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    attempt = follow(Attempt.objects.get())

    every = api.get(f"/attempts/{started['id']}/events").json()["events"]
    later = api.get(f"/attempts/{started['id']}/events", after=every[2]["seq"]).json()["events"]
    none = api.get(f"/attempts/{started['id']}/events", after=every[-1]["seq"]).json()["events"]

    assert [event["kind"] for event in every] == kinds(attempt)
    assert set(every[0]) == {"seq", "at", "kind", "message", "data"}
    assert [event["seq"] for event in every] == list(range(1, len(every) + 1))
    assert later == every[3:]
    assert none == []


def test_after_has_to_be_a_number(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()

    answers = [api.get(f"/attempts/{started['id']}/events", after=word) for word in ("-1", "first", "9" * 30)]

    for answer in answers:
        assert_problem(answer, 422, "invalid", "after")


def test_an_attempt_that_waits_can_be_cancelled(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    offered = api.get(f"/attempts/{started['id']}").json()["choices"]

    answer = api.post(offered[0]["url"].removeprefix("/api/v1"))

    assert offered == [{"name": "cancel", "url": f"{started['url']}/cancel"}]
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert fresh_node.accepted() == []
    assert not SealedCredentials.objects.exists()


def test_after_the_intent_there_is_no_cancel_but_one_can_stop_watching(api, fresh_node):
    started = api.post("/attempts", creating(fresh_node)).json()
    follow(Attempt.objects.get(), until=lambda attempt: attempt.has_sent)

    refused = api.post(f"/attempts/{started['id']}/cancel")
    stopped = api.post(f"/attempts/{started['id']}/stop-watching")

    assert_problem(refused, 409, "already_sent")
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["reason"]) == (200, "cancelled", "stopped")


@pytest.mark.parametrize("choice", ["cancel", "stop-watching", "keep-watching", "send-again"])
def test_a_choice_that_is_not_offered_is_a_conflict(api, many, choice):
    [ended] = many(1)

    assert_problem(api.post(f"/attempts/{ended.pk}/{choice}"), 409, "not_offered")


@pytest.mark.parametrize(
    ("choice", "document"),
    [
        ("cancel", None),
        ("send-again", None),
        ("approve-certificate", {"fingerprint": WRONG}),
        ("credentials", {"username": "admin@example.com", "password": PASSWORD}),
    ],
)
def test_a_choice_about_an_attempt_that_is_not_there_is_not_found(api, choice, document):
    assert_problem(api.post(f"/attempts/{NOBODY}/{choice}", document), 404, "not_found")


def test_a_choice_that_nobody_knows_is_not_found(api, many):
    [ended] = many(1)

    assert_problem(api.post(f"/attempts/{ended.pk}/pray"), 404, "not_found")


@pytest.fixture
def resting(api, fresh_node):
    """An attempt that was begun over the API and rests for a reason, as the engine would leave it."""
    api.post("/attempts", creating(fresh_node))
    attempt = Attempt.objects.get()
    tick(attempt)

    def rest(reason, *, submits=1, **fields):
        Attempt.objects.filter(pk=attempt.pk).update(
            state=State.NEEDS_OPERATOR, reason=reason, rested_from=State.IN_PROGRESS, submits=submits, **fields
        )
        return attempt.pk

    return rest


@pytest.mark.parametrize(
    ("reason", "choice", "kind"),
    [(Reason.LOST_CONTACT, "keep-watching", "keep_watching"), (Reason.NOT_ACCEPTED, "send-again", "send_again")],
)
def test_a_resting_attempt_goes_on_as_it_is_told(api, resting, reason, choice, kind):
    pk = resting(reason)

    answer = api.post(f"/attempts/{pk}/{choice}")

    assert answer.status_code == 200
    assert answer.json()["state"] in {"in_progress", "checking"}
    assert kinds(Attempt.objects.get())[-1] == kind


def test_a_new_certificate_is_approved_by_its_fingerprint(api, maria, resting):
    pk = resting(Reason.TRUST, seen_certificate={"fingerprint": WRONG})
    other = ":".join(["CD"] * 32)

    refused = api.post(f"/attempts/{pk}/approve-certificate", {"fingerprint": other})
    malformed = api.post(f"/attempts/{pk}/approve-certificate", {"fingerprint": "Z" * 64})
    approved = api.post(f"/attempts/{pk}/approve-certificate", {"fingerprint": WRONG.lower().replace(":", "")})

    assert_problem(refused, 409, "another_certificate")
    assert_problem(malformed, 422, "invalid", "fingerprint")
    assert (approved.status_code, approved.json()["state"]) == (200, "in_progress")
    assert TrustedCertificate.objects.get(fingerprint=WRONG).approved_by == maria


def test_the_sign_in_is_entered_again(api, resting):
    pk = resting(Reason.CREDENTIALS_REFUSED)

    wrong = api.post(f"/attempts/{pk}/credentials", {"username": "", "password": ""})
    unknown = api.post(f"/attempts/{pk}/credentials", {"username": "admin@example.com", "pasword": PASSWORD})
    right = api.post(f"/attempts/{pk}/credentials", {"username": "admin@example.com", "password": PASSWORD})

    assert_problem(wrong, 422, "invalid", "username", "password")
    assert_problem(unknown, 422, "invalid", "password", "pasword")
    assert (right.status_code, right.json()["state"]) == (200, "in_progress")
    assert SealedCredentials.objects.filter(owner=pk).exists()


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_the_password_is_in_no_answer_and_no_log(api, maria, member, fresh_node, caplog):
    caplog.set_level(logging.DEBUG)
    document = joining(fresh_node, member)
    wrongly_placed = [
        {**document, "password": PASSWORD},
        {**document, "fingerprint": PASSWORD * 4},
        {**document, "accept_new_certificate": PASSWORD},
        {**document, "overrides": [[PASSWORD]]},
        {**document, "bootstrap": {**document["bootstrap"], "credentials": {"username": 7, "password": [PASSWORD]}}},
        {**document, "bootstrap": {**document["bootstrap"], "credentials": PASSWORD}},
        {**document, "bootstrap": PASSWORD},
    ]

    refused = [api.post("/attempts", wrong).status_code for wrong in wrongly_placed]
    started = api.post("/attempts", document).json()
    api.post("/attempts", document)
    follow(Attempt.objects.get(pk=started["id"]))
    api.get(f"/attempts/{started['id']}")
    api.get(f"/attempts/{started['id']}/events")
    api.get("/attempts")

    assert refused == [422] * len(wrongly_placed)
    assert PASSWORD not in api.heard
    assert json.dumps(PASSWORD)[1:-1] not in api.heard
    assert PASSWORD not in caplog.text
