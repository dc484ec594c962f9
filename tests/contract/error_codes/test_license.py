"""`invalid_license`, by the causes that the API's page gives for it, with its message for each."""

import json
from pathlib import Path

import pytest

from setup_wizard.reference_node.license import License, write_license
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from tests.contract.error_codes.outcomes import DAY, FAR_FUTURE, NAME, PACE, ends_in, statuses
from tests.reference_node.background import background
from tests.reference_node.conftest import MARIA, Caller


def license_of(**terms: object) -> str:
    return write_license(License(**{"cluster": NAME, "expires": FAR_FUTURE, "shards": 10, **terms}))


@pytest.mark.parametrize("text", ["ABCD-1234", license_of()[:-30], license_of().replace("a", "b")])
def test_code_invalid_license_of_a_text_that_is_none_has_no_violation_code(fresh, text):
    node = fresh()

    node.create(license=text)

    details = ends_in(node, "invalid_license")
    assert "cannot be read" in details["message"]
    assert "violation_code" not in details


@pytest.mark.parametrize(
    ("terms", "violation", "words"),
    [
        ({"expires": 1_700_000_000}, "license_expired", "expired on 2023-11-14T22:13:20Z"),
        ({"activates": FAR_FUTURE - 1}, "license_not_yet_valid", "begins on 2096-10-02T07:06:39Z"),
        ({"cluster": "redis-test.example.com"}, "cluster_name_mismatch", f"redis-test.example.com, not for {NAME}"),
        ({"flash_shards": 0}, "flash_not_allowed", "does not allow flash"),
    ],
)
def test_code_invalid_license_of_violated_terms_names_the_violation(fresh, terms, violation, words):
    node = fresh()

    node.create(license=license_of(**terms), node={"bigstore_enabled": True})

    details = ends_in(node, "invalid_license")
    assert details["violation_code"] == violation
    assert words in details["message"]


def test_code_invalid_license_when_the_node_limit_is_reached(cluster, fresh):
    member, node = cluster({"license": license_of(nodes=1)}), fresh()

    node.join(member)

    details = ends_in(node, "invalid_license")
    assert (details["violation_code"], details["nodes_limit"]) == ("nodes_limit_exceeded", 1)
    assert statuses(member) == ["active"]


def test_code_invalid_license_when_the_trial_of_the_cluster_is_over(tmp_path, fresh):
    with background(Node(tmp_path / "member", pace=PACE)) as server:
        Caller(server.address).create()
        Caller(server.address).wait_until("completed")
    later = Traits(clock_offset=31 * DAY)
    with background(Node(tmp_path / "member", pace=PACE, traits=later)) as server:
        node = fresh(clock_offset=31 * DAY)

        node.join(Caller(server.address))

        details = ends_in(node, "invalid_license")
    assert details["violation_code"] == "license_expired"
    assert details["message"].startswith("The trial expired on ")


@pytest.fixture
def lost_file(broken_cluster, tmp_path) -> Path:
    """The file of redis-prod.example.com, which had two nodes, and databases of six shards together."""
    broken_cluster()
    document = json.loads((tmp_path / "first" / "persist" / "ccs" / "ccs-redis.rdb").read_text())
    document["cluster"]["shards"] = 6
    (tmp_path / "saved.json").write_text(json.dumps(document))
    return tmp_path / "saved.json"


@pytest.mark.parametrize(
    ("terms", "violation", "words"),
    [
        ({"shards": 5}, "shards_limit_exceeded", "allows 5 shards, and the databases have 6"),
        ({"nodes": 1}, "nodes_limit_exceeded", "allows 1 nodes, and this would be number 2"),
        ({"cluster": "redis-test.example.com"}, "cluster_name_mismatch", f"redis-test.example.com, not for {NAME}"),
        ({"expires": 1_700_000_000}, "license_expired", "expired on 2023-11-14T22:13:20Z"),
    ],
)
def test_code_invalid_license_of_a_recovery_that_exceeds_it(fresh, lost_file, terms, violation, words):
    node = fresh()

    node.recover(lost_file, license=license_of(**terms))

    details = ends_in(node, "invalid_license")
    assert details["violation_code"] == violation
    assert words in details["message"]
    assert details.get("shards_limit", 5) == 5


def test_a_license_that_a_recovery_brings_takes_the_place_of_the_old_one(fresh, lost_file):
    node = fresh()

    node.recover(lost_file, license=license_of(shards=6, nodes=2))

    assert node.wait_until("completed", "error")["state"] == "completed"
    license_ = node.get("/v1/license", auth=MARIA).json()
    assert (license_["shards_limit"], license_["license"]) == (6, license_of(shards=6, nodes=2))


def test_a_cluster_without_a_license_shows_its_trial(cluster):
    member = cluster()

    license_ = member.get("/v1/license", auth=MARIA).json()

    assert (license_["shards_limit"], license_["owner"], license_["license"]) == (4, "trial", "")
    assert license_["activation_date"] == member.get("/v1/cluster", auth=MARIA).json()["created_time"]
    assert license_["expiration_date"] > license_["activation_date"]
