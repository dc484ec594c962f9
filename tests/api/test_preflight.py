"""The checks of a start, and what of them can be accepted."""

import pytest

from setup_wizard.access.models import RequestCount
from setup_wizard.attempts.models import Attempt, PreflightResult
from setup_wizard.nodes.models import TrustedCertificate
from tests.api.conftest import assert_problem, creating, joining
from tests.attempts.conftest import PASSWORD

LEVELS = {"passed", "warning", "failed", "not_checked"}


def results(answer):
    assert answer.status_code == 200, answer.text
    return {each["name"]: each for each in answer.json()["checks"]}


def test_preflight_of_a_good_create_is_ready_and_changes_nothing(api, fresh_node):
    answer = api.post("/preflight", creating(fresh_node))

    checks = results(answer)
    assert answer.json()["ready"] is True
    assert {"reachable", "node_state", "certificate", "validation"} <= set(checks)
    assert checks["validation"]["level"] == "passed"
    for check in checks.values():
        assert set(check) == {"name", "level", "message", "field", "can_override", "remedy"}
        assert check["level"] in LEVELS
        assert check["message"]
    assert fresh_node.accepted() == []
    assert not any(model.objects.exists() for model in (Attempt, TrustedCertificate, PreflightResult))
    assert PASSWORD not in answer.text


def test_preflight_of_a_join_finds_a_wrong_password_before_start(api, member, fresh_node):
    wrong = joining(fresh_node, member, password="Wrong-horse-8")

    checks = results(api.post("/preflight", wrong))
    started = api.post("/attempts", wrong | {"overrides": []})

    assert checks["sign_in"]["level"] == "failed"
    assert checks["sign_in"]["field"] == "bootstrap.credentials.password"
    assert checks["validation"]["level"] == "not_checked"
    assert_problem(started, 422, "preflight_failed", "bootstrap.credentials.password")
    assert not Attempt.objects.filter(action="join_cluster").exists()
    assert "Wrong-horse-8" not in api.received


def test_preflight_offers_the_change_that_fixes_a_check(api, fresh_node):
    document = creating(fresh_node)
    document["bootstrap"]["node"]["identity"]["addr"] = "203.0.113.7"

    answer = api.post("/preflight", document)

    check, validation = (results(answer)[name] for name in ("address", "validation"))
    assert answer.json()["ready"] is False
    assert (check["level"], check["can_override"]) == ("failed", True)
    assert validation["level"] == "not_checked"  # the node would refuse the address too
    assert check["remedy"]["change"] == {"node.identity.addr": fresh_node.bind}


@pytest.mark.parametrize("override", ["address", {"name": "address", "reason": "Behind address translation"}])
def test_a_start_keeps_the_reason_of_an_accepted_check(api, fresh_node, override):
    document = creating(fresh_node)
    document["bootstrap"]["node"]["identity"]["addr"] = "203.0.113.7"
    refused = api.post("/attempts", document)

    accepted = api.post("/attempts", document | {"overrides": [override, "validation"]})

    assert_problem(refused, 422, "preflight_failed", "bootstrap.node.identity.addr")
    assert "name address in overrides" in refused.json()["message"] + str(refused.json()["fields"])
    assert accepted.status_code == 201, accepted.text
    [kept] = [each for each in Attempt.objects.get().overrides if each["name"] == "address"]
    assert kept["reason"] == (override["reason"] if isinstance(override, dict) else "")
    assert RequestCount.objects.exists()
