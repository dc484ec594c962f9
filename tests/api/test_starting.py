"""`POST /attempts` against real nodes: what is started, and what is refused."""

import pytest

from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import State
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from tests.api.conftest import WRONG, assert_problem, creating, joining, shown_by
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import follow
from tests.reference_node.running import start_node
from tests.wizard.conftest import PASSWORD as MEMBERS_PASSWORD
from tests.wizard.conftest import bootstrap, wait_until_member


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


def test_naming_the_fingerprint_approves_it(api, maria, fresh_node):
    api.post("/attempts", creating(fresh_node))

    approval = TrustedCertificate.objects.get()
    assert (approval.address, approval.fingerprint) == (fresh_node.address, shown_by(fresh_node))
    assert approval.approved_by == maria


def test_a_fingerprint_is_accepted_in_the_format_of_tools(api, fresh_node):
    plain = shown_by(fresh_node).replace(":", "").lower()

    answer = api.post("/attempts", creating(fresh_node, fingerprint=plain))

    assert answer.status_code == 201


def test_another_fingerprint_than_the_one_shown_starts_nothing(api, fresh_node):
    answer = api.post("/attempts", creating(fresh_node, fingerprint=WRONG))

    assert_problem(answer, 422, "preflight_failed", "fingerprint")
    assert not TrustedCertificate.objects.exists()
    assert not Attempt.objects.exists()
    assert not SealedCredentials.objects.exists()


def test_a_refused_join_is_explained(api, member, fresh_node, start):
    attempt = follow(start(fresh_node, member=member, password="Wrong-horse-8"))

    seen = api.get(f"/attempts/{attempt.pk}").json()

    assert (seen["state"], seen["reason"]) == ("needs_operator", "credentials_refused")
    assert [choice["name"] for choice in seen["choices"]] == ["credentials", "cancel"]
    assert set(seen["explanation"]) == {*("title", "meaning", "figures", "causes", "checks", "part", "remedies")}
    assert seen["explanation"]["title"] == "The cluster refused the credentials"
    assert seen["explanation"]["part"].startswith("credentials")
    refused = f"refused by {member.address}"
    assert seen["explanation"]["figures"] == [
        {"label": "Account", "here": "admin@example.com", "cluster": refused, "needed": ""}
    ]
    assert "Wrong-horse-8" not in api.received


def test_the_remedies_of_a_failure_say_what_to_change(api, maria):
    failure = {"error_code": "rack_id_required", "error_details": {"current_rack_ids": ["rack-a"]}}
    attempt = add_attempt(maria, state=State.FAILED, reason="node_error", **failure)

    remedies = api.get(f"/attempts/{attempt.pk}").json()["explanation"]["remedies"]

    part = "node.identity.rack_id"
    assert remedies == [
        {"label": "Create in a new rack", "part": part, "change": {}},
        {"label": "Create in rack-a", "part": part, "change": {part: "rack-a"}},
    ]


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


def test_a_join_probes_the_next_member_if_the_first_is_silent(api, member, fresh_node):
    document = joining(fresh_node, member)
    document["bootstrap"]["cluster"]["nodes"] = ["127.0.0.9", member.bind]

    answer = api.post("/attempts", document)

    assert answer.status_code == 201
    assert Attempt.objects.get(pk=answer.json()["id"]).member_address == member.address


def test_a_join_without_a_reachable_member_says_why_for_each(api, fresh_node):
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
    "change",
    [
        *({"fingerprint": "X" * 64}, {"fingerprint": 7}, {"member_fingerprint": WRONG}),
        *({"accept_new_certificate": "yes"}, {"overrides": ["weather"]}, {"overrides": "all"}),
        *({"overrides": ["certificate"], "fingerprint": WRONG}, {"addres": "10.0.0.5"}, {"address": ""}),
        {"bootstrap": []},
    ],
    ids=str,
)
def test_an_impossible_value_is_refused_at_its_field(api, fresh_node, change):
    assert_problem(api.post("/attempts", creating(fresh_node, **change)), 422, "invalid", next(iter(change)))
    assert not Attempt.objects.exists()


def test_a_warning_can_be_overridden(api, fresh_node):
    document = creating(fresh_node, accept_new_certificate=False, overrides=["new_certificate"])

    assert api.post("/attempts", document).status_code == 201


def test_client_certificates_are_refused(api, fresh_node):
    document = creating(fresh_node)
    pem = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"
    credentials = {"client_cert": pem.format("CERTIFICATE"), "client_key": pem.format("PRIVATE KEY")}
    document["bootstrap"]["credentials"] = credentials

    assert_problem(api.post("/attempts", document), 422, "invalid", "bootstrap.credentials")


@pytest.mark.parametrize("blank", ["\n", "\t", " ", "\r\n"])
def test_blanks_around_an_address_are_trimmed(api, fresh_node, blank):
    document = creating(fresh_node, address=f"{blank}{fresh_node.address}{blank}")
    document["bootstrap"]["node"]["identity"]["addr"] += blank

    assert api.post("/attempts", document).status_code == 201
    attempt = Attempt.objects.get()
    assert (attempt.address, attempt.host) == (fresh_node.address, "127.0.0.1")


def test_a_cluster_to_join_can_have_a_name_of_one_label(api, tmp_path, fresh_node):
    with start_node(tmp_path / "member", bind="127.0.0.2", pace=0.02) as member:
        bootstrap(member, "create_cluster", {"cluster": {"name": "docker-cluster"}})
        wait_until_member(member)
        document = joining(fresh_node, member, password=MEMBERS_PASSWORD)
        document["bootstrap"]["cluster"]["name"] = "docker-cluster"

        answer = api.post("/attempts", document)

        assert answer.status_code == 201, answer.text
        assert follow(Attempt.objects.get()).status is State.SUCCEEDED


LATE_FILE = {"overrides": [{"name": "validation", "reason": "The file is copied before the node reads it"}]}


def recovering(node, **changes):
    document = creating(node)
    credentials = document["bootstrap"]["credentials"]
    recovery = {"action": "recover_cluster", "recovery_filename": "/mnt/old/ccs/ccs-redis.rdb", "cluster": {}}
    return document | {"bootstrap": {**recovery, "credentials": credentials, **changes}}


def test_a_recovery_starts_from_its_file(api, fresh_node):
    answer = api.post("/attempts", recovering(fresh_node) | LATE_FILE)

    assert answer.status_code == 201
    attempt = Attempt.objects.get()
    assert (attempt.action, attempt.accept_new_certificate) == ("recover_cluster", True)
    assert attempt.request["recovery_filename"] == "/mnt/old/ccs/ccs-redis.rdb"
    shown = api.get(f"/attempts/{attempt.pk}").json()
    assert (shown["action"], shown["cluster"]) == ("recover_cluster", "")


@pytest.mark.parametrize(
    ("field", "value"), [("recovery_filename", ""), ("recovery_filename", "ccs/ccs-redis.rdb"), ("credentials", {})]
)
def test_a_recovery_needs_its_file_and_the_old_credentials(api, fresh_node, field, value):
    answer = api.post("/attempts", recovering(fresh_node, **{field: value}))

    assert_problem(answer, 422, "invalid", f"bootstrap.{field}")


def test_a_cluster_to_recover_can_have_a_name_of_one_label(api, fresh_node):
    assert (
        api.post("/attempts", recovering(fresh_node, cluster={"name": "docker-cluster"}) | LATE_FILE).status_code == 201
    )


def test_a_recovery_has_no_member(api, fresh_node):
    document = recovering(fresh_node) | {"member_fingerprint": shown_by(fresh_node)}

    assert_problem(api.post("/attempts", document), 422, "invalid", "member_fingerprint")


@pytest.mark.usefixtures("one_minute")
def test_starts_of_one_user_are_limited_per_minute(api, settings, fresh_node):
    settings.SETUP_WIZARD_STARTS_PER_MINUTE = 1
    api.post("/attempts", creating(fresh_node))

    over = api.post("/attempts", creating(fresh_node))

    assert_problem(over, 429, "too_many_requests")
    assert 1 <= int(over.headers["Retry-After"]) <= 60
