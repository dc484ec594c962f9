import pytest

from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.error_catalogue.failures import JOIN, RACK, explain_failure, text_of


@pytest.mark.parametrize(
    ("details", "part", "title"),
    [
        (
            {"message": "/mnt/tmp: permission denied"},
            "node.paths.ephemeral_path",
            "/mnt/tmp cannot be used",
        ),
        ({"path": "/mnt/data/redis"}, "node.paths.persistent_path", "/mnt/data cannot be used"),
        ({"message": "ephemeral_path is missing"}, "node.paths.ephemeral_path", "/mnt/tmp cannot be used"),
        ({"message": "/mnt/data2 is full"}, "node.paths.persistent_path", "A path cannot be used"),
        (
            {"path": "/var/opt/redislabs/flash"},
            "node.paths.bigstore_path",
            "/var/opt/redislabs/flash cannot be used",
        ),
        ({"path": "/elsewhere"}, "node.paths.persistent_path", "/elsewhere cannot be used"),
        (
            {"message": "ccs_persistent_path: no"},
            "node.paths.ccs_persistent_path",
            "A path cannot be used",
        ),
        ({}, "node.paths.persistent_path", "A path cannot be used"),
    ],
)
def test_path_error_finds_the_field_and_the_path(details, part, title):
    explanation = explain_failure("path_error", details)

    assert (explanation.part, explanation.title) == (part, title)


def test_path_error_prefers_the_longest_matching_path():
    request = {**JOIN, "node": {"paths": {"persistent_path": "/mnt", "ephemeral_path": "/mnt/tmp"}}}

    assert (
        explain_failure("path_error", {"message": "cannot write /mnt/tmp"}, request=request).part
        == "node.paths.ephemeral_path"
    )


def test_paths_are_quoted_in_commands():
    request = {**JOIN, "node": {"paths": {"persistent_path": "/mnt/a; reboot"}}}

    assert "test -w '/mnt/a; reboot' &&" in text_of(
        explain_failure("path_error", {"path": "/mnt/a; reboot"}, request=request)
    )


def test_a_flash_path_from_the_node_is_quoted():
    facts = NodeFacts(bigredis_storage_path="/x$(reboot)")

    assert "`df -h '/x$(reboot)'`" in text_of(explain_failure("insufficient_node_flash", facts=facts))


@pytest.mark.parametrize(
    ("details", "part"),
    [
        ({"field": "node.identity.rack_id", "message": "the password is fine"}, RACK),
        ({"message": "invalid rack_id"}, RACK),
        ({"message": "cluster name must be an FQDN"}, "cluster.name"),
        ({"message": "username is malformed"}, "credentials.username"),
        ({"message": "addr 10.0.0.9 is not local"}, "node.identity.addr"),
        ({"message": "bigstore is not supported"}, "node.paths.bigstore_path"),
        ({"message": "bad JSON"}, "cluster.nodes"),
    ],
)
def test_config_error_leads_to_the_field_in_the_message(details, part):
    assert explain_failure("config_error", details).part == part


def test_config_error_suspects_a_foreign_address_first():
    explanation = explain_failure("config_error", request={**JOIN, "node": {"identity": {"addr": "10.0.0.9"}}})

    assert explanation.causes[0] == "10.0.0.9 is not an address of the node, which lists 10.0.0.7 and 172.17.0.1."
    assert explanation.part == "node.identity.addr"
