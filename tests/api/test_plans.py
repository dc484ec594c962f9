"""Plans of whole clusters: start, preflight, state and choices, with real nodes."""

import pytest
from django.contrib.auth.models import User

from setup_wizard.access import tokens
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt, PreflightResult, SealedCredentials
from setup_wizard.clusters import plans
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.nodes.models import TrustedCertificate
from tests.api.conftest import NOBODY, WRONG, Caller, assert_problem, shown_by
from tests.attempts.conftest import PASSWORD
from tests.clusters.conftest import _checks_in_turn, start_nodes, three_nodes, work  # noqa: F401
from tests.clusters.test_host_facts import GOOD, PRINT
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = ["pause", "resume", "skip", "stop", "retry"]


def planning(nodes, **changes):
    return {
        "cluster": {"name": "redis-prod.example.com"},
        "credentials": {"username": "admin@example.com", "password": PASSWORD},
        "accept_new_certificate": True,
        "nodes": [
            {"address": node.address, "fingerprint": shown_by(node), "addr": node.bind, "rack_id": f"rack-{index}"}
            for index, node in enumerate(nodes)
        ],
        **changes,
    }


def begun(api, nodes, **changes):
    answer = api.post("/plans", planning(nodes, **changes))
    assert answer.status_code == 201, answer.text
    return Run.objects.get(pk=answer.json()["id"])


def paused(api, nodes, **changes):
    """A run that is paused because its first node failed."""
    run = begun(api, nodes, **changes)
    return work(run, until=lambda run: run.status is RunState.PAUSED)


@pytest.fixture
def failing(start_nodes):  # noqa: F811
    """Two nodes; the first fails once."""
    return [*start_nodes(1, faults=["answer=400:post:once"]), *start_nodes(1)]


def test_plan_brings_up_its_nodes(api, three_nodes):  # noqa: F811
    answer = api.post("/plans", planning(three_nodes))

    assert answer.status_code == 201, answer.text
    started = answer.json()
    assert started["attempts"] == []
    assert answer.headers["Location"] == started["url"] == f"/api/v1/plans/{started['id']}"
    work(Run.objects.get(), until=lambda run: run.status.is_final)
    shown = api.get(f"/plans/{started['id']}").json()
    assert shown["state"] == "succeeded"
    assert shown["choices"] == []
    assert [node["address"] for node in shown["nodes"]] == [node.address for node in three_nodes]
    assert [node["uid"] for node in shown["nodes"]] == ["1", "2", "3"]
    assert {(each["state"], *each["witnesses"].values()) for each in shown["nodes"]} == {
        ("done", "completed", "active")
    }
    assert {node["attempt"] for node in shown["nodes"]} == {
        str(pk) for pk in Attempt.objects.values_list("pk", flat=True)
    }
    assert PASSWORD not in api.received


def test_preflight_checks_every_node_and_changes_nothing(api, three_nodes):  # noqa: F811
    answer = api.post("/plans/preflight", planning(three_nodes))

    assert answer.status_code == 200, answer.text
    assert answer.json()["ready"] is True
    assert [node["address"] for node in answer.json()["nodes"]] == [node.address for node in three_nodes]
    for node in answer.json()["nodes"]:
        assert {"reachable", "certificate", "node_state"} <= {check["name"] for check in node["checks"]}
    assert not any(model.objects.exists() for model in (Plan, TrustedCertificate, PreflightResult, SealedCredentials))
    assert PASSWORD not in api.received


def test_node_that_does_not_answer_refuses_the_plan(api, three_nodes):  # noqa: F811
    plan = planning(three_nodes)
    three_nodes[1].stop()

    checked = api.post("/plans/preflight", plan).json()
    answer = api.post("/plans", plan)

    reachable = next(each for each in checked["nodes"][1]["checks"] if each["name"] == "reachable")
    assert (checked["ready"], reachable["level"], reachable["field"]) == (False, "failed", "nodes.1.address")
    assert_problem(answer, 422, "preflight_failed", "nodes.1.address")
    assert not any(model.objects.exists() for model in (Plan, TrustedCertificate, SealedCredentials))


def test_wrong_fingerprint_is_not_approved(api, three_nodes):  # noqa: F811
    plan = planning(three_nodes)
    plan["nodes"][2]["fingerprint"] = WRONG

    assert_problem(api.post("/plans", plan), 422, "preflight_failed", "nodes.2.fingerprint")
    assert not TrustedCertificate.objects.exists()
    assert not Plan.objects.exists()


def test_every_mistake_is_reported_at_its_path(api):
    node = {"address": "10.0.0.1", "fingerprint": WRONG}
    plan = {
        "cluster": {"name": "redis-prod.example.com"},
        "credentials": {"username": "admin@example.com"},
        "nodes": [
            node | {"addr": "nowhere"},
            {"address": "10.0.0.2", "fingerprint": ""},
            node | {"address": "https://10.0.0.3/", "rack": "a"},
        ],
        "colour": "red",
    }

    first = api.post("/plans", plan)
    del plan["colour"], plan["nodes"][2]["rack"], plan["nodes"][0]["addr"]
    second = api.post("/plans/preflight", plan)

    assert_problem(first, 422, "invalid", "colour", "nodes.0.addr", "nodes.2.rack")
    assert_problem(second, 422, "invalid", "credentials.password", "nodes.1.fingerprint", "nodes.2.address")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"cluster": {"rack_aware": True}}, "cluster.name"),
        ({"nodes": []}, "nodes"),
        ({"overrides": ["memory", "colour"]}, "overrides"),
        ({"overrides": [{"name": "memory", "address": "10.0.0.9"}]}, "overrides"),
        ({"member_fingerprint": WRONG}, "member_fingerprint"),
        ({"username": "somebody@example.com"}, "username"),
        ({"credentials": {"client_cert": "x", "client_key": "y"}}, "credentials.client_cert"),
    ],
)
def test_incomplete_plan_is_refused(api, changes, path):
    plan = planning([]) | {"nodes": [{"address": "10.0.0.1", "fingerprint": WRONG}]} | changes

    answer = api.post("/plans", plan)

    assert answer.status_code == 422
    assert path in answer.json()["fields"] or (path == "credentials.client_cert" and answer.json()["fields"])
    assert PASSWORD not in answer.text


def test_two_nodes_with_one_address_are_refused(api):
    twice = [{"address": text, "fingerprint": WRONG} for text in ("10.0.0.1", "10.0.0.1:9443")]

    assert_problem(api.post("/plans", planning([]) | {"nodes": twice}), 422, "invalid", "nodes.1.address")


def test_check_that_can_be_overridden_is_named_for_one_node(api, start_nodes):  # noqa: F811
    small, large = start_nodes(1, options=("--memory-bytes", "2000000000"))[0], start_nodes(1)[0]
    plan = planning([large, small])
    checks = api.post("/plans/preflight", plan).json()["nodes"][1]["checks"]
    accepted = [each["name"] for each in checks if each["can_override"]]
    assert accepted, checks

    refused = api.post("/plans", plan)
    started = api.post(
        "/plans",
        plan | {"overrides": [{"name": name, "reason": "A trial", "address": small.address} for name in accepted]},
    )

    assert refused.json()["error"] == "preflight_failed"
    assert started.status_code == 201, started.text
    assert Plan.objects.get().overrides == {small.address: [{"name": name, "reason": "A trial"} for name in accepted]}


def test_plan_extends_a_cluster_through_its_member(api, tmp_path):
    with start_node(tmp_path / "member", bind="127.0.0.2", pace=0.02) as member:
        work(begun(api, [member]), until=lambda run: run.status.is_final)
        with start_node(tmp_path / "new", bind="127.0.0.3", port=member.port, pace=0.02) as node:
            plan = planning([node], members=["127.0.0.2"], cnm_https_port=member.port)
            del plan["cluster"], plan["accept_new_certificate"]

            wrong = api.post("/plans", plan | {"credentials": {"username": "admin@example.com", "password": "wrong"}})
            run = api.post("/plans", plan | {"member_fingerprint": shown_by(member)})

            assert_problem(wrong, 422, "preflight_failed", "credentials.password")
            assert run.status_code == 201, run.text
            done = work(Run.objects.get(pk=run.json()["id"]), until=lambda run: run.status.is_final)
            assert done.status is RunState.SUCCEEDED


def test_failed_node_is_retried_with_a_changed_value(api, failing):
    run = paused(api, failing)
    shown = api.get(f"/plans/{run.pk}").json()
    assert (shown["state"], shown["reason"]) == ("paused", "attempt_failed")
    assert [choice["name"] for choice in shown["choices"]] == ["retry", "credentials", "stop"]

    answer = api.post(
        f"/plans/{run.pk}/retry", {"nodes": {failing[0].address: {"rack_id": "rack-9"}}, "all_left": True}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "running"
    assert [node["rack_id"] for node in Plan.objects.get().document["nodes"]] == ["rack-9", "rack-9"]
    assert work(run, until=lambda run: run.status.is_final).status is RunState.SUCCEEDED


def test_retry_refuses_what_is_not_in_the_plan(api, failing):
    run, address = paused(api, failing), failing[0].address

    answer = api.post(f"/plans/{run.pk}/retry", {"nodes": {"10.9.9.9": {}, address: {"colour": "red"}}})
    broken = api.post(f"/plans/{run.pk}/retry", {"nodes": {address: {"rack_id": "!"}}})
    mistrusted = api.post(f"/plans/{run.pk}/retry", {"nodes": {address: {"fingerprint": WRONG}}})

    assert_problem(answer, 422, "invalid", "nodes.10.9.9.9", f"nodes.{address}.colour")
    assert_problem(broken, 422, "invalid", f"nodes.{address}.rack_id")
    assert_problem(mistrusted, 422, "invalid", f"nodes.{address}.fingerprint")
    assert Run.objects.get().status is RunState.PAUSED


def test_run_is_paused_resumed_and_stopped(api, three_nodes):  # noqa: F811
    run = begun(api, three_nodes)

    assert api.post(f"/plans/{run.pk}/pause").status_code == 200
    assert work(run, until=lambda run: run.status is RunState.PAUSED).reason == "requested"
    assert api.post(f"/plans/{run.pk}/resume").json()["state"] == "running"
    assert api.post(f"/plans/{run.pk}/stop").json()["state"] == "stopped"
    assert_problem(api.post(f"/plans/{run.pk}/stop"), 409, "not_offered")
    assert not SealedCredentials.objects.filter(owner=run.pk).exists()


def test_failed_node_is_skipped(api, failing):
    run = paused(api, failing[::-1])

    answer = api.post(f"/plans/{run.pk}/skip")

    assert answer.status_code == 200
    assert answer.json()["nodes"][1]["state"] == "skipping"


def test_recovery_needs_the_confirmation_that_the_old_machines_are_off(api, three_nodes):  # noqa: F811
    recovery = {"recovery_filename": "/persist/ccs/ccs-redis.rdb", "cluster": {}}

    answer = api.post("/plans", planning(three_nodes, **recovery))

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["old_machines_off"]
    assert not Run.objects.exists()


def test_plan_that_is_not_started_is_a_draft(api, maria):
    plan = plans.add(read_document({"nodes": [{"address": "10.0.0.1:9443"}]}), by=maria)

    shown = api.get(f"/plans/{plan.pk}").json()

    assert (shown["state"], shown["choices"]) == ("draft", [])
    assert [(node["address"], node["state"]) for node in shown["nodes"]] == [("10.0.0.1:9443", "todo")]
    assert {api.post(f"/plans/{plan.pk}/{call}", {}).status_code for call in CALLS} == {404}


@pytest.mark.parametrize("call", ["", *(f"/{call}" for call in CALLS)])
def test_unknown_plan_is_not_found(api, call):
    answer = api.post(f"/plans/{NOBODY}{call}", {}) if call else api.get(f"/plans/{NOBODY}")

    assert_problem(answer, 404, "not_found")


def test_reader_sees_runs_and_changes_nothing(api, maria, three_nodes):  # noqa: F811
    run = begun(api, three_nodes)
    draft = plans.add(read_document({}), by=maria)
    reader = Caller(tokens.issue(assign(User.objects.create_user("ines"), Role.VIEWER)))

    assert reader.get(f"/plans/{run.pk}").status_code == 200
    assert_problem(reader.get(f"/plans/{draft.pk}"), 404, "not_found")
    calls = [f"/plans/{run.pk}/{call}" for call in CALLS]
    for call in ["/plans", "/plans/preflight", *calls]:
        assert_problem(reader.post(call, {}), 403, "forbidden")
        assert_problem(Caller().post(call, {}), 401, "unauthorised")


@pytest.mark.usefixtures("one_minute")
def test_starts_and_probes_of_plans_are_limited(api, settings, three_nodes):  # noqa: F811
    settings.SETUP_WIZARD_STARTS_PER_MINUTE = 2
    settings.SETUP_WIZARD_PLAN_PROBES_PER_MINUTE = 2

    probes = api.post("/plans/preflight", planning(three_nodes))
    within = api.post("/plans/preflight", planning(three_nodes[:2]))
    starts = api.post("/plans/preflight", planning(three_nodes[:2]))

    assert within.status_code == 200
    assert_problem(probes, 429, "too_many_requests")
    assert "different nodes" in probes.json()["message"]
    assert_problem(starts, 429, "too_many_requests")
    assert "setups" in starts.json()["message"]


def test_retry_that_is_refused_approves_no_certificate(api, three_nodes):  # noqa: F811
    run = begun(api, three_nodes)
    address = three_nodes[0].address
    TrustedCertificate.objects.all().delete()
    named = {"fingerprint": shown_by(three_nodes[0])}

    running = api.post(f"/plans/{run.pk}/retry", {"nodes": {address: named}})
    Run.objects.filter(pk=run.pk).update(state="paused", reason="check_failed")
    broken = api.post(f"/plans/{run.pk}/retry", {"nodes": {address: named | {"rack_id": "!"}}})

    assert_problem(running, 409, "not_offered")
    assert_problem(broken, 422, "invalid", f"nodes.{address}.rack_id")
    assert not TrustedCertificate.objects.exists()
    assert api.post(f"/plans/{run.pk}/retry", {"nodes": {address: named}}).status_code == 200
    assert TrustedCertificate.objects.get().fingerprint == named["fingerprint"]


def test_report_of_a_run_comes_over_the_api(api, three_nodes):  # noqa: F811
    started = api.post("/plans", planning(three_nodes)).json()

    report = api.get(f"/plans/{started['id']}/report").json()

    assert report["started_by"] == "maria"
    assert [event["kind"] for event in report["events"]] == ["started"]
    assert "password" not in str(report["plan"])


def test_preflight_judges_what_was_printed_on_the_hosts(api, three_nodes):  # noqa: F811
    plan = planning(three_nodes)
    first = api.post("/plans/preflight", plan).json()
    printed = GOOD.replace(PRINT, plan["nodes"][1]["fingerprint"]).replace("port53 free", "port53 used dnsmasq")

    checked = api.post("/plans/preflight", plan | {"host_facts": printed}).json()
    other = api.post("/plans/preflight", plan | {"host_facts": GOOD})

    assert "host-facts 1" in first["host_command"]
    assert [any(each["name"].startswith("host_") for each in node["checks"]) for node in checked["nodes"]] == [
        False,
        True,
        False,
    ]
    [port] = [each for each in checked["nodes"][1]["checks"] if each["name"] == "host_port53"]
    assert (port["level"], port["field"], port["can_override"]) == ("warning", "", False)
    assert "Stop that program" in port["message"]
    assert checked["ready"] is True
    assert_problem(other, 422, "invalid", "host_facts")
    assert api.post("/plans", plan | {"host_facts": printed}).status_code == 201
