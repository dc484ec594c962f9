import pytest

from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.catalogue.asking import CREATE, JOIN, RACK, buttons, why, words


@pytest.mark.parametrize(
    ("details", "part", "title"),
    [
        (
            {"message": "/mnt/tmp: permission denied"},
            "node.paths.ephemeral_path",
            "/mnt/tmp cannot be used on this node",
        ),
        ({"path": "/mnt/data/redis"}, "node.paths.persistent_path", "/mnt/data cannot be used on this node"),
        ({"message": "ephemeral_path is missing"}, "node.paths.ephemeral_path", "/mnt/tmp cannot be used on this node"),
        ({"message": "/mnt/data2 is full"}, "node.paths.persistent_path", "A path cannot be used on this node"),
        (
            {"path": "/var/opt/redislabs/flash"},
            "node.paths.bigstore_path",
            "/var/opt/redislabs/flash cannot be used on this node",
        ),
        ({"path": "/elsewhere"}, "node.paths.persistent_path", "/elsewhere cannot be used on this node"),
        (
            {"message": "ccs_persistent_path: no"},
            "node.paths.ccs_persistent_path",
            "A path cannot be used on this node",
        ),
        ({}, "node.paths.persistent_path", "A path cannot be used on this node"),
    ],
)
def test_the_path_that_the_node_means_is_found(details, part, title):
    explanation = why("path_error", details)

    assert (explanation.part, explanation.title) == (part, title)


def test_the_longest_of_two_paths_within_each_other_is_meant():
    request = {**JOIN, "node": {"paths": {"persistent_path": "/mnt", "ephemeral_path": "/mnt/tmp"}}}

    assert why("path_error", {"message": "cannot write /mnt/tmp"}, request=request).part == "node.paths.ephemeral_path"


def test_a_path_is_quoted_in_the_commands_to_copy():
    request = {**JOIN, "node": {"paths": {"persistent_path": "/mnt/a; reboot"}}}

    assert "test -w '/mnt/a; reboot' &&" in words(why("path_error", {"path": "/mnt/a; reboot"}, request=request))


def test_a_flash_path_that_the_node_named_is_quoted_too():
    facts = NodeFacts(bigredis_storage_path="/x$(reboot)")

    assert "`df -h '/x$(reboot)'`" in words(why("insufficient_node_flash", facts=facts))


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
def test_a_configuration_error_leads_to_the_field_that_the_node_speaks_of(details, part):
    assert why("config_error", details).part == part


def test_an_address_that_the_node_does_not_have_is_the_first_suspect():
    explanation = why("config_error", request={**JOIN, "node": {"identity": {"addr": "10.0.0.9"}}})

    assert explanation.causes[0] == "10.0.0.9 is not among the addresses that the node lists: 10.0.0.7 and 172.17.0.1."
    assert explanation.part == "node.identity.addr"


LICENSED = {**CREATE, "license": MASK}


def test_a_license_that_cannot_be_read_differs_from_one_that_does_not_allow_it():
    unreadable, violated = (
        why("invalid_license", request=LICENSED),
        why("invalid_license", {"violation_code": "expired"}),
    )

    assert unreadable.title == "The license could not be read"
    assert violated.title == "The license does not allow this cluster"
    assert "the violation is expired" in violated.meaning
    assert ("Use the 30-day trial", {"license": ""}) in buttons(unreadable)
