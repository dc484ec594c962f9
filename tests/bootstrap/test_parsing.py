import copy
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials, InvalidRequest, parse_request
from setup_wizard.bootstrap.secret import MASK, Secret
from tests.bootstrap.samples import CERTIFICATE, DOCUMENTED_CREATE, DOCUMENTED_JOIN, EVERYTHING, KEY, LICENSE
from tests.bootstrap.strategies import FIELDS
from tests.bootstrap.test_answers import JSON

CREDENTIALS = ["username", "password", "client_key"]


def changed(document, path, value):
    """Give the document with one field set, or removed with `...`."""
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    place = result
    for key in parents:
        place = place.setdefault(key, {})
    if value is ...:
        place.pop(last, None)
    else:
        place[last] = value
    return result


def errors_of(document, **options):
    with pytest.raises(InvalidRequest) as refused:
        parse_request(document, **options)
    return refused.value.fields


def test_a_join_is_read_into_types():
    request = parse_request(DOCUMENTED_JOIN)

    assert request.action is Action.JOIN
    assert request.cluster.nodes == ("1.1.1.1", "2.2.2.2")
    assert request.node.paths.bigstore_path == "/path/to/bigstore/storage"
    assert request.node.identity.external_addr == ("2001:db8:85a3::8a2e:370:7334", "3.4.5.6")
    assert request.credentials.password.reveal() == "my_password"


@pytest.mark.parametrize("document", [None, [], "create_cluster", 7])
def test_only_an_object_is_a_request(document):
    assert errors_of(document) == {"": ["A bootstrap request must be a JSON object."]}


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("action", "destroy_cluster", "one of create_cluster, join_cluster, recover_cluster"),
        ("node", [], "must be an object"),
        ("cluster.name", 7, "must be text"),
        ("cluster.nodes", [], "at least one member"),
        ("cluster.nodes", [5], "Each entry must be text"),
        ("cluster.nodes", ["https://10.0.0.5"], "without https://"),
        ("cluster.nodes", ["10.0.0.5:9443"], "cnm_https_port"),
        ("cluster.nodes", [f"10.0.0.{n}" for n in range(1, 70)], "has 69 entries"),
        ("cluster.wait_command", "yes", "true or false"),
        ("node.paths.persistent_path", "data", "does not start with /"),
        ("node.bigstore_enabled", 1, "true or false"),
        ("node.limits.max_listeners", "many", "whole number"),
        ("node.identity.uid", 0, "whole number from 1"),
        ("node.identity.addr", "10.0.0.5:9443", "without its port"),
        ("node.identity.external_addr", ["redis.example.com"], "is not an address"),
        ("node.identity.rack_id", "-a", "starts with a letter"),
        ("node.identity.use_internal_ipv6", False, "when a cluster is created"),
        ("node.identity.name", "redis\u202e", "invisible characters"),
        ("credentials.username", "<maria>", "has < >"),
        ("credentials.username", ..., "Enter the user name"),
        ("credentials.password", "", "Enter the password"),
        ("credentials.password", MASK, "Enter it again"),
        ("credentials.password", "correct\0horse", "NUL character"),
        ("credentials.trusted_ca", CERTIFICATE.replace("MII", "MII\0"), "NUL character"),
        ("license", LICENSE.replace("AbC", "A\0C"), "NUL character"),
        ("license", LICENSE.replace("AbC", "A\ud800C"), "broken character"),
        ("witness_disk", {"name": "a\0b"}, "NUL character"),
        ("witness_disk", {"a\0b": 1}, "NUL character"),
        ("user_defined_modules", [{"name": "\ud800"}], "broken character"),
        ("license", "AbC123", "LICENSE START"),
        ("license", MASK, "LICENSE START"),
        ("policy.default_shards_placement", "thin", "one of dense, sparse"),
        ("dns_suffixes", {}, "must be a list"),
        ("cnm_https_port", 0, "from 1 to 65535"),
        ("cnm_https_port", "9" * 5000, "from 1 to 65535"),
        ("crdb_coordinator_port", 1023, "from 1024 to 65535"),
        ("witness_disk", {"size": float("nan")}, "cannot be written as JSON"),
        ("witness_disk", {"name": "x" * 20_000}, "can have at most"),
        ("user_defined_modules", ["search"], "Each entry must be an object"),
    ],
)
def test_each_error_is_reported_at_its_field_only(path, value, why):
    fields = errors_of(changed(DOCUMENTED_JOIN, path, value))

    assert why in " ".join(fields[path])
    assert set(fields) == {path}


def test_all_errors_are_reported_at_once():
    document = {
        "action": "create_cluster",
        "cluster": {"name": "redis"},
        "node": {"paths": {"persistent_path": "x"}},
        "colour": 1,
    }

    assert set(errors_of(document)) == {
        "cluster.name",
        "node.paths.persistent_path",
        "credentials.username",
        "credentials.password",
        "colour",
    }


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("cluster.nods", "Did you mean nodes?"),
        ("node.identity.rackid", "Did you mean rack_id?"),
        ("node.rack_id", ""),
        ("credentials.pasword", "Did you mean password?"),
        ("colour", ""),
    ],
)
def test_an_unknown_field_gets_the_name_that_was_meant(path, hint):
    fields = errors_of(changed(DOCUMENTED_JOIN, path, "x"))

    assert fields == {path: [f"Unknown field. {hint}".strip()]}


def test_many_unknown_fields_are_counted():
    fields = errors_of(DOCUMENTED_JOIN | {f"field{number}": 1 for number in range(500)})

    assert len(fields) == 21
    assert fields[""] == ["There are 500 unknown fields here."]


@pytest.mark.timeout(10)
def test_a_body_full_of_unknown_fields_is_refused_quickly():
    flood = {f"f{number}": 1 for number in range(40_000)}  # a mebibyte holds twice as many

    assert len(errors_of(DOCUMENTED_JOIN | flood)) == 21


def test_a_new_cluster_needs_a_name_and_has_no_members():
    fields = errors_of(DOCUMENTED_CREATE | {"cluster": {"nodes": ["10.0.0.5"]}})

    assert "Enter a full cluster name" in fields["cluster.name"][0]
    assert "has no members yet" in fields["cluster.nodes"][0]


@pytest.mark.parametrize("member", ["2001:db8::7", "2001:0db8:0:0::7"])
def test_the_joining_node_is_refused_as_a_member(member):
    document = changed(DOCUMENTED_JOIN, "cluster.nodes", ["10.0.0.5", member])

    fields = errors_of(changed(document, "node.identity.addr", "2001:DB8::7"))

    assert "the node that joins" in fields["cluster.nodes"][0]


def test_a_second_rack_needs_a_first_one():
    assert set(errors_of(changed(DOCUMENTED_JOIN, "node.identity.second_rack_id", "zone-1"))) == {
        "node.identity.rack_id"
    }


@pytest.mark.parametrize(
    ("credentials", "wrong"),
    [
        (None, {"username", "password"}),
        ({}, {"username", "password"}),
        ({"username": "maria"}, {"password"}),
        ({"username": " ", "password": "x"}, {"username"}),
        ({"client_cert": "\n", "client_key": KEY}, {"client_cert"}),
        ({"password": "x"}, {"username"}),
        ({"client_cert": CERTIFICATE}, {"client_key"}),
        ({"client_key": KEY}, {"client_cert"}),
        ({"client_cert": KEY, "client_key": CERTIFICATE}, {"client_cert", "client_key"}),
        ({"username": "maria", "password": "x", "trusted_ca": "x"}, {"trusted_ca"}),
        ({"username": "maria", "password": "x", "client_cert": CERTIFICATE, "client_key": KEY}, {""}),
    ],
)
def test_credentials_are_complete_and_of_one_kind(credentials, wrong):
    fields = errors_of(DOCUMENTED_JOIN | {"credentials": credentials})

    assert set(fields) == {f"credentials.{key}".rstrip(".") for key in wrong}


def test_a_recovery_needs_a_file_and_no_credentials():
    request = parse_request({"action": "recover_cluster", "recovery_filename": "ccs-redis.rdb"})

    assert request.payload() == {
        "action": "recover_cluster",
        "cluster": {"nodes": []},
        "recovery_filename": "ccs-redis.rdb",
    }
    assert set(errors_of({"action": "recover_cluster"})) == {"recovery_filename"}


@pytest.mark.parametrize(
    "credentials",
    [
        ...,
        {"username": "maria"},
        {"username": "maria", "password": MASK},
        {"client_cert": CERTIFICATE, "client_key": MASK},
    ],
)
def test_a_stored_request_is_read_without_its_credentials(credentials):
    stored = changed(DOCUMENTED_JOIN, "credentials", credentials)

    assert parse_request(stored, credentials_required=False).credentials is None


def test_credentials_are_read_even_when_not_required():
    assert parse_request(DOCUMENTED_JOIN, credentials_required=False) == parse_request(DOCUMENTED_JOIN)


@pytest.mark.parametrize("action", ["join_cluster", "recover_cluster"])
@pytest.mark.parametrize("name", ["docker-cluster", "redis_cluster", "redis.42", "a" * 70 + ".example.com"])
def test_existing_clusters_have_fewer_rules_for_names(action, name):
    document = {**DOCUMENTED_JOIN, "action": action, "recovery_filename": "ccs-redis.rdb"}

    assert parse_request(changed(document, "cluster.name", name)).cluster.name == name
    assert set(errors_of(changed(DOCUMENTED_CREATE, "cluster.name", name))) == {"cluster.name"}


@pytest.mark.parametrize(
    ("path", "first", "second", "kept"),
    [
        ("node.identity.external_addr", "fd00::1", "FD00::1", "fd00::1"),
        ("node.identity.external_addr", "0:0:0:0:fd00::1", "::fd00:0:0:1", "::fd00:0:0:1"),
        ("node.identity.external_addr", "::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("cluster.nodes", "2001:db8:0:0::5", "[2001:DB8::5]", "2001:db8::5"),
        ("cluster.nodes", "::ffff:10.0.0.5", "10.0.0.5", "10.0.0.5"),
        ("cluster.nodes", "Redis-1.example.com", "redis-1.example.com.", "Redis-1.example.com"),
    ],
)
def test_two_spellings_of_an_address_are_merged(path, first, second, kept):
    request = parse_request(changed(DOCUMENTED_JOIN, path, [first, second]))

    found = request.cluster.nodes if path == "cluster.nodes" else request.node.identity.external_addr
    assert found == (kept,)


def test_null_means_unset():
    document = {**DOCUMENTED_JOIN, "policy": None, "max_retries": None, "license": None, "dns_suffixes": None}

    assert parse_request(document) == parse_request(DOCUMENTED_JOIN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("credentials.password", ["CANARY"]),
        ("credentials.password", "CANARY" * 1000),
        ("credentials.password", "CANARY\ud800"),
        ("credentials", {"username": "<maria>", "password": "CANARY\ud800"}),
        ("credentials.client_key", "CANARY"),
        ("credentials.pasword", "CANARY"),
        ("credentials", "CANARY"),
        ("witness_disk", "CANARY"),
        ("user_defined_modules", [{"token": "CANARY", "size": float("nan")}]),
        ("license", "CANARY"),
    ],
)
def test_no_chained_exception_holds_a_secret(path, value):
    with pytest.raises(InvalidRequest) as refused:
        parse_request(changed(DOCUMENTED_JOIN, path, value))

    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert "CANARY" not in "".join(traceback.format_exception(error)) + repr(error) + str(error.fields)


@pytest.mark.parametrize(
    "values",
    [
        {"username": "<maria>", "password": "CANARY"},
        {"username": "maria", "password": "CANARY" * 1000},
        {"client_cert": "CANARY", "client_key": Secret("CANARY")},
        {"username": "maria", "pasword": "CANARY"},
    ],
)
def test_invalid_credentials_are_refused_and_not_shown(values):
    with pytest.raises(ValidationError) as refused:
        Credentials(**values)

    assert "CANARY" not in "".join(traceback.format_exception(refused.value)) + repr(refused.value)


PATHS = st.sampled_from(
    [*EVERYTHING, *FIELDS, "node.paths", "node.identity", *(f"credentials.{key}" for key in CREDENTIALS)]
)


@settings(max_examples=300)
@given(path=PATHS, value=JSON, required=st.booleans())
def test_any_json_is_a_request_or_a_list_of_errors(path, value, required):
    try:
        request = parse_request(changed(EVERYTHING, path, value), credentials_required=required)
    except InvalidRequest:
        return

    assert isinstance(request, BootstrapRequest)
    assert parse_request(request.redacted(), credentials_required=False).action is request.action
