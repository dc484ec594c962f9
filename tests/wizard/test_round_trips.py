"""A request that leaves as JSON comes back as it was; every documented shape of a request is imported completely."""

import json

import pytest
from django.contrib.auth.models import User
from hypothesis import example, given

from setup_wizard.bootstrap.renderings import render_request, with_placeholders
from setup_wizard.bootstrap.request import parse_request
from setup_wizard.wizard.importing import read_draft
from setup_wizard.wizard.request_mapping import build_request
from tests.bootstrap.samples import DOCUMENTED_CREATE, DOCUMENTED_JOIN, EVERYTHING
from tests.bootstrap.strategies import documents

CREATE = {"action": "create_cluster", "cluster": {"name": "redis-prod.example.com"}}
JOIN = {"action": "join_cluster", "cluster": {"nodes": ["10.0.0.2"]}}
RECOVER = {"action": "recover_cluster", "recovery_filename": "/mnt/ccs/ccs-redis.rdb"}
LOCATION = {"url": "https://example.com/search.zip"}
SUFFIXES = [
    {"name": "redis-prod.example.com", "cluster_default": True, "use_internal_addr": False},
    {"name": "internal.redis-prod.example.com", "use_internal_addr": True, "use_aaaa_ns": True, "slaves": []},
]
# documented, or sent by public clients
SHAPES = {
    "the page's create": DOCUMENTED_CREATE,
    "the page's join": DOCUMENTED_JOIN,
    "a name of one label": {**RECOVER, "cluster": {"name": "docker-cluster"}},
    "a name beside the members": {**JOIN, "cluster": {"nodes": ["10.0.0.2"], "name": "redis-cluster"}},
    "a uid in quotes": {**JOIN, "node": {"identity": {"uid": "3"}}},
    "ports in quotes": {**JOIN, "cnm_https_port": "9444", "crdb_coordinator_port": "9081"},
    "nulls": {**CREATE, "license": None, "policy": None, "dns_suffixes": None, "node": {"identity": {"rack_id": None}}},
    "only the driver of older versions": {**CREATE, "node": {"bigstore_driver": "rocksdb"}},
    "flash of newer versions": {**CREATE, "node": {"bigstore_driver": "speedb", "bigstore_enabled": True}},
    "racks": {
        **CREATE,
        "policy": {"rack_aware": True},
        "node": {"identity": {"rack_id": "rack-a", "second_rack_id": "row-1"}},
    },
    "a replacement": {**JOIN, "node": {"identity": {"uid": 2, "override_rack_id": True, "rack_id": "rack-b"}}},
    "no shards": {**JOIN, "node": {"identity": {"accept_servers": False, "name": "quorum"}}},
    "limits": {**CREATE, "node": {"limits": {"max_listeners": 100, "max_redis_servers": 0}}},
    "IPv6": {
        **CREATE,
        "node": {"identity": {"addr": "fd00::1", "use_internal_ipv6": True, "external_addr": ["2001:db8::5"]}},
    },
    "endpoints": {**CREATE, "dns_suffixes": SUFFIXES},
    "retries": {**JOIN, "max_retries": 5, "retry_time": 30},
    "policies": {
        **CREATE,
        "policy": {"default_shards_placement": "sparse", "default_fork_evict_ram": True, "shards_overbooking": False},
    },
    "modules": {**CREATE, "user_defined_modules": [{"name": "search", "location": LOCATION}]},
    "a witness disk": {**CREATE, "witness_disk": {"name": "witness", "size": 5}},
    "deprecated keys": {**CREATE, "gossip_envoy_admin_port": 8006, "required_version": "7.4.2"},
    "a recovery": {**RECOVER, "node": {"paths": {"ccs_persistent_path": "/mnt/ccs"}}},
}
CREDENTIALS = {"username": "admin@example.com", "password": "correct horse"}


def exported(request):
    complete = with_placeholders(request, {"username": "admin@example.com"})
    return render_request(complete, address="10.0.0.5:9443", fingerprint=":".join(["AB"] * 32))[0].text


@given(document=documents())
@example(document={key: value for key, value in EVERYTHING.items() if key != "credentials"})
def test_an_exported_request_is_the_same_after_its_import(document):
    text = exported(parse_request(document, credentials_required=False))

    draft, _ = read_draft(text, by=User())

    assert exported(build_request(draft)) == text


@pytest.mark.parametrize("shape", SHAPES)
def test_a_documented_shape_imports_without_a_loss(shape):
    document = {**SHAPES[shape], "credentials": CREDENTIALS}

    draft, credentials = read_draft(json.dumps(document), by=User())

    assert draft.data["import"] == {"errors": {}, "notes": []}
    assert build_request(draft).with_credentials(credentials) == parse_request(document)


def test_keys_of_public_clients_are_named_and_lose_nothing_else():
    document = {**CREATE, "flash_enabled": True, "cluster": {**CREATE["cluster"], "clobber": True}}

    draft, _ = read_draft(json.dumps(document), by=User())

    [note] = draft.data["import"]["notes"]
    assert note.endswith("cluster.clobber, flash_enabled.")
    assert exported(build_request(draft)) == exported(parse_request(CREATE, credentials_required=False))
