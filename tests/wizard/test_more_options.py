"""What few operators need: shown by action and version, sent, and on the review page."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.availability import is_current, is_known
from setup_wizard.bootstrap.request.suffixes import private_and_public, read_suffix, write_suffix
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.wizard import steps
from setup_wizard.wizard.importing import read_draft
from setup_wizard.wizard.request_mapping import build_request

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

LICENSE = "----- LICENSE START -----\nabcdef\n----- LICENSE END -----"
NODE_OPTIONS = {
    "external_addr": "203.0.113.7",
    "bigstore_enabled": "on",
    "bigstore_path": "/mnt/flash",
    "ccs_persistent_path": "/mnt/ccs",
    "accept_servers": "on",
    "max_redis_servers": "0",
    "max_listeners": "50",
    "name": "first",
    "rack_id": "rack-a",
    "second_rack_id": "room-1",
    "use_internal_ipv6": "on",
    "crdb_coordinator_port": "9082",
    "envoy_admin_port": "8004",
    "envoy_mgmt_server_port": "8005",
    "gossip_envoy_admin_port": "8006",
    "max_retries": "3",
    "retry_time": "20",
}
CLUSTER_OPTIONS = {
    "license": LICENSE,
    "private_endpoints": "on",
    "dns_suffixes": "redis.example.org use_aaaa_ns\nredis.example.net use_internal_addr=false slaves=10.0.0.9,10.0.0.8",
    "default_shards_placement": "sparse",
    "default_sharded_proxy_policy": "all-nodes",
    "default_non_sharded_proxy_policy": "single",
    "default_fork_evict_ram": "true",
    "shards_overbooking": "false",
}


def form_for(draft, action, **facts):
    """The form for a node that reports these facts."""
    draft.action = action
    draft.probe["answer"]["node"] = NodeFacts.from_json(facts).as_json()
    return steps.NODE.form(draft, draft.owner)


def test_every_option_is_sent_and_reviewed(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(**NODE_OPTIONS)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD, **CLUSTER_OPTIONS)

    for answer in [
        "External addresses 203.0.113.7",
        "Use flash storage yes",
        "Flash path /mnt/flash",
        "Configuration path /mnt/ccs",
        "Takes no shards yes",
        "Shard limit 0",
        "Endpoint limit 50",
        "Node name first",
        "Second rack ID room-1",
        "Use IPv6 inside the cluster yes",
        "Active-Active coordinator port 9082",
        "Envoy gossip port 8006",
        "Retries 3",
        "Longest wait between retries 20",
        "Private and public endpoints yes, also internal.redis-prod.example.com",
        "Other DNS suffixes redis.example.org use_aaaa_ns, redis.example.net use_internal_addr=false",
        "Placement of shards Sparse: on as many nodes as possible",
        "Endpoints of sharded databases All nodes",
        "Evict data to copy a shard Yes",
        "Overbook memory No",
    ]:
        assert answer in maria.text
    assert "Also sent" not in maria.text
    assert "Repeat password" not in maria.text
    maria.start("validation")  # the node has neither these paths nor this license
    sent = Attempt.objects.get().request
    identity = sent["node"].pop("identity")
    assert (identity["accept_servers"], identity["use_internal_ipv6"]) == (False, True)
    assert sent["node"]["bigstore_enabled"] is True
    assert sent["node"]["limits"] == {"max_listeners": 50, "max_redis_servers": 0}
    assert (sent["max_retries"], sent["retry_time"], sent["crdb_coordinator_port"]) == (3, 20, 9082)
    assert sent["policy"] == {
        "default_shards_placement": "sparse",
        "default_sharded_proxy_policy": "all-nodes",
        "default_non_sharded_proxy_policy": "single",
        "default_fork_evict_ram": True,
        "shards_overbooking": False,
    }
    assert sent["dns_suffixes"] == [
        *private_and_public("redis-prod.example.com"),
        {"name": "redis.example.org", "use_aaaa_ns": True},
        {"name": "redis.example.net", "use_internal_addr": False, "slaves": ["10.0.0.9", "10.0.0.8"]},
    ]


def test_saved_options_are_shown_again(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(**NODE_OPTIONS)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD, **CLUSTER_OPTIONS)

    maria.open(f"/setup/{maria.draft.pk}/node/")
    assert {name: maria.fields[name] for name in NODE_OPTIONS} == NODE_OPTIONS
    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    shown = {name: maria.fields[name].replace("\r\n", "\n") for name in CLUSTER_OPTIONS}
    assert shown == CLUSTER_OPTIONS


@pytest.mark.parametrize(
    ("version", "shown", "hidden"),
    [
        ("7.2.4-92", {"bigstore_driver"}, {"bigstore_enabled", "second_rack_id", "use_internal_ipv6"}),
        ("7.4.2-54", {"bigstore_enabled", "use_internal_ipv6"}, {"bigstore_driver", "second_rack_id"}),
        ("7.22.0-216", {"bigstore_enabled", "second_rack_id", "gossip_envoy_admin_port"}, {"bigstore_driver"}),
        ("8.0.6-54", {"rack_aware", "second_rack_id"}, {"bigstore_driver", "gossip_envoy_admin_port"}),
        (None, {"bigstore_driver", "bigstore_enabled", "second_rack_id", "use_internal_ipv6"}, set()),
    ],
)
def test_a_version_shows_the_fields_that_it_has(maria, fresh_node, version, shown, hidden):
    maria.approve(fresh_node)

    fields = set(form_for(maria.draft, Action.CREATE, software_version=version).fields)

    assert shown <= fields
    assert not hidden & fields


@pytest.mark.parametrize(
    ("action", "shown", "hidden"),
    [
        (Action.CREATE, {"rack_aware", "use_internal_ipv6", "accept_servers"}, {"uid", "override_rack_id"}),
        (Action.JOIN, {"uid", "override_rack_id", "accept_servers"}, {"rack_aware", "use_internal_ipv6"}),
        (Action.RECOVER, {"uid", "override_rack_id"}, {"rack_aware", "use_internal_ipv6", "accept_servers"}),
    ],
)
def test_an_action_shows_the_fields_that_it_has(maria, fresh_node, action, shown, hidden):
    maria.approve(fresh_node)

    fields = set(form_for(maria.draft, action).fields)

    assert shown <= fields
    assert not hidden & fields


def test_a_value_that_the_version_lacks_stays_in_sight(maria, fresh_node):
    maria.approve(fresh_node)
    draft = maria.draft
    draft.data["node"] = {"second_rack_id": "room-1"}

    assert "second_rack_id" in form_for(draft, Action.CREATE, software_version="7.8.2-95").fields


def test_versions_know_their_fields():
    assert is_known("node.identity.second_rack_id", "7.22.0-216")
    assert not is_known("node.identity.second_rack_id", "7.8.2-95")
    assert is_known("gossip_envoy_admin_port", "8.0.2-17")
    assert not is_current("gossip_envoy_admin_port", "8.0.2-17")
    assert is_known("policy.rack_aware", "8.0.2-17")
    assert is_current("node.bigstore_enabled", "unreadable")


def test_addresses_are_picked_from_the_node_or_typed(maria, fresh_node):
    maria.approve(fresh_node)
    draft = maria.draft
    told = ["10.0.0.5", "8.8.4.4", "127.0.0.1", "fe80::1", "172.17.0.1"]
    bridges = {"172.17.0.1": "docker0"}
    addresses = [{"address": each, "if_name": bridges.get(each, "eth0")} for each in told]
    draft.data["node"] = {"external_addr": ["203.0.113.7", "8.8.4.4"]}

    field = form_for(draft, Action.CREATE, available_addresses=addresses)["external_addr"]

    assert [(option.value, is_picked) for option, is_picked in field.picks] == [("10.0.0.5", False), ("8.8.4.4", True)]
    assert field.typed == "203.0.113.7"


def test_picked_and_typed_addresses_are_one_list(maria, fresh_node):
    maria.approve(fresh_node)

    maria.client.post(maria.url, maria.fields | {"external_addr": ["8.8.4.4", "203.0.113.7\r\n8.8.4.4"]})

    assert maria.draft.data["node"]["external_addr"] == ["8.8.4.4", "203.0.113.7"]


def test_a_flash_path_without_flash_is_refused(maria, fresh_node):
    maria.approve(fresh_node)

    page = maria.fill(bigstore_path="/mnt/flash")

    assert '<a href="#id_bigstore_enabled">You entered a flash path.' in page.content.decode()
    assert "<details open>" in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("crdb_coordinator_port", "80", "This must be a whole number from 1024 to 65535."),
        ("max_retries", "often", "This must be a whole number from 0 to 1000."),
        ("second_rack_id", "room-1", "A second rack ID needs a first one."),
    ],
)
def test_the_rules_of_the_request_apply_at_the_field(maria, fresh_node, field, value, message):
    maria.approve(fresh_node)

    page = maria.fill(**{field: value})

    assert page.status_code == 422
    assert message in maria.text


def test_a_license_file_is_kept_when_another_field_is_wrong(maria, fresh_node):
    maria.to_cluster(fresh_node)
    assert 'enctype="multipart/form-data"' in maria.page.content.decode()

    maria.fill(name="redis", license_file=SimpleUploadedFile("license.txt", f"\ufeff{LICENSE}\n".encode()))

    assert maria.page.status_code == 422
    assert maria.fields["license"].strip().replace("\r\n", "\n") == LICENSE
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    assert maria.draft.data["create"]["license"] == LICENSE


def test_a_file_without_a_license_says_what_is_missing(maria, fresh_node):
    maria.to_cluster(fresh_node)

    maria.fill(license_file=SimpleUploadedFile("license.txt", b"\0\xff\xfe"))

    assert "The line ----- LICENSE START ----- is missing." in maria.text


@pytest.mark.parametrize(
    "line", ["a.example.com", "a.example.com cluster_default use_aaaa_ns=false use_internal_addr slaves=10.0.0.9,b.org"]
)
def test_a_suffix_is_written_as_it_was_read(line):
    assert write_suffix(read_suffix(line)) == line


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("suffix", "suffix has no domain"),
        ("a.example.com internal", "“internal” is not an option. Options are cluster_default, use_aaaa_ns"),
        ("a.example.com use_aaaa_ns=yes", "is not an option"),
        ("a.example.com slaves=10.0.0.9:53", "without its port"),
    ],
)
def test_a_wrong_suffix_is_explained(line, message):
    with pytest.raises(RuleError, match=message):
        read_suffix(line)


def test_a_wrong_suffix_names_its_line(maria, fresh_node):
    maria.to_cluster(fresh_node)

    maria.fill(dns_suffixes="a.example.com\n\nb.example.com internal")

    assert "Line 3: “internal” is not an option." in maria.text


def test_private_endpoints_need_a_short_cluster_name(maria, fresh_node):
    maria.to_review(fresh_node, name=f"{'a' * 52}.example", private_endpoints="on")

    assert "This name has 69 characters. A cluster name can have at most 64." in maria.text


def test_private_endpoints_follow_the_cluster_name(maria, fresh_node):
    maria.to_review(fresh_node, private_endpoints="on")
    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    maria.fill(name="redis-test.example.com")
    maria.start()

    assert Attempt.objects.get().request["dns_suffixes"] == private_and_public("redis-test.example.com")


def test_imported_suffixes_of_private_endpoints_tick_the_box():
    suffixes = [*private_and_public("my.cluster"), {"name": "redis.example.org"}]
    document = {"action": "create_cluster", "cluster": {"name": "my.cluster"}, "dns_suffixes": suffixes}

    draft, _ = read_draft(json.dumps(document), by=User())

    assert draft.data["create"] == {
        "name": "my.cluster",
        "private_endpoints": True,
        "dns_suffixes": [{"name": "redis.example.org"}],
    }
    assert build_request(draft).redacted()["dns_suffixes"] == suffixes


@pytest.mark.parametrize("change", [{"name": "other.cluster"}, {"cluster_default": None}, {"use_aaaa_ns": True}])
def test_imported_suffixes_that_differ_stay_as_they_are(change):
    first, second = private_and_public("my.cluster")
    suffixes = [{key: value for key, value in (first | change).items() if value is not None}, second]
    document = {"action": "create_cluster", "cluster": {"name": "my.cluster"}, "dns_suffixes": suffixes}

    draft, _ = read_draft(json.dumps(document), by=User())

    assert draft.data["create"] == {"name": "my.cluster", "dns_suffixes": suffixes}
    assert build_request(draft).redacted()["dns_suffixes"] == suffixes
