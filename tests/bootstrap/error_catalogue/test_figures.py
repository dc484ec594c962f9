"""The table of an explanation: this node, the cluster, and what is needed."""

import pytest

from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.error_catalogue.failures import (
    CREATE,
    JOIN,
    TWO_SAMPLES,
    buttons,
    explain_failure,
    figures,
    text_of,
)

# what the reference node says, by code
TOLD = {
    "config_error": (
        {"field": "node.identity.addr", "available_addresses": ["10.0.0.21", "10.0.0.22"]},
        ("Internal address", "10.0.0.7", "", "10.0.0.21 or 10.0.0.22"),
    ),
    "connect_error": (
        {"nodes": [{"node": "10.0.0.5:9443", "message": "10.0.0.5:9443 cannot be reached: connection refused"}]},
        ("10.0.0.5:9443", "connection refused", "", "an answer"),
    ),
    "access_denied": (
        {"node": "10.0.0.5:9443"},
        ("Account", "admin@example.com", "refused by 10.0.0.5:9443", ""),
    ),
    "invalid_license": (
        {"violation_code": "nodes_limit_exceeded", "nodes_limit": 1},
        ("Nodes", "", "", "at most 1"),
    ),
    "repair_required": (
        {"failed_nodes": [{"uid": 2, "rack_id": "rack-b"}]},
        ("Node 2", "", "failed, in rack-b", "a replacement"),
    ),
    "insufficient_node_memory": ({"required_memory": 17179869184}, ("Memory", "7.7 GiB", "", "16 GiB")),
    "insufficient_node_flash": ({"required_flash": 536870912000}, ("Flash storage", "200 GiB", "", "500 GiB")),
    "time_not_sync": (
        {"difference_seconds": -3600.2, "tolerance_seconds": 30.0},
        ("Clock", "3,600 s behind", "", "within 30 s"),
    ),
    "rack_id_required": (
        {"current_rack_ids": ["rack-a", "rack-b"]},
        ("Rack", "none", "rack-a and rack-b", "a rack ID"),
    ),
    "socket_directory_mismatch": (
        {"node_value": "/tmp", "cluster_value": "/var/opt/redislabs/run"},
        ("Socket directory", "/tmp", "/var/opt/redislabs/run", "/var/opt/redislabs/run"),
    ),
    "node_config_mismatch": (
        {"mismatches": [{"setting": "os_user", "node_value": "redis", "cluster_value": "redislabs"}]},
        ("System user", "redis", "redislabs", "redislabs"),
    ),
    "path_error": (
        {"path": "/mnt/data", "message": "/mnt/data: Permission denied"},
        ("Persistent storage", "/mnt/data", "", "write access for redislabs"),
    ),
    "internal_error": ({}, ("Software", "7.22.0-216", "", "")),
}


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_shows_its_figures(code):
    details, figure = TOLD[code]

    explanation = explain_failure(code, details)

    assert figures(explanation) == [figure]
    assert "The node adds" not in explanation.meaning


@pytest.mark.parametrize("code", ErrorCode)
def test_no_figure_is_empty(code):
    for details in (*TWO_SAMPLES[code], {}):
        for label, *cells in figures(explain_failure(code, details)):
            assert label
            assert any(cells)


def test_sizes_in_different_units_are_not_shown_side_by_side():
    explanation = explain_failure("insufficient_node_memory", {"required_memory": 48274})

    assert figures(explanation) == [("Memory", "", "", "48,274")]


class TestClocks:
    @pytest.mark.parametrize(
        ("details", "said"),
        [
            ({"difference_seconds": 3600}, "3,600 s ahead"),
            ({"difference_seconds": -37.5}, "37.5 s behind"),
            ({"offset_seconds": -37.5}, "37.5 s off"),
            ({"message": "This node's clock is 3601 s behind the cluster's"}, "3,601 s behind"),
            ({"message": "the clocks differ by 41 s"}, "41 s off"),
            ({"message": "the clocks differ"}, "differs"),
            ({"difference_seconds": "soon"}, "differs"),
        ],
    )
    def test_the_skew_is_read_from_details_or_message(self, details, said):
        assert figures(explain_failure("time_not_sync", details)) == [("Clock", said, "", "the same time")]

    def test_the_command_that_sets_the_clock_is_named(self):
        assert "`sudo chronyc makestep`" in text_of(explain_failure("time_not_sync"))


class TestPaths:
    def test_a_path_is_created_before_its_owner_is_changed(self):
        for details in ({"path": "/mnt/data"}, {"path": "/mnt/data", "message": "/mnt/data does not exist"}):
            text = text_of(explain_failure("path_error", details))

            assert text.index("`sudo mkdir -p /mnt/data`") < text.index("`sudo chown redislabs: /mnt/data`")

    def test_a_path_that_cannot_be_made_is_created_too(self):
        message = "/mnt/data cannot be made: /mnt cannot be written: Permission denied"

        explanation = explain_failure("path_error", {"path": "/mnt/data", "message": message})

        assert explanation.checks[0] == "On the node, `sudo mkdir -p /mnt/data` creates it."

    def test_a_path_that_exists_only_changes_its_owner(self):
        explanation = explain_failure("path_error", {"path": "/mnt/data", "message": "/mnt/data: Permission denied"})

        assert explanation.checks[0] == "On the node, `sudo chown redislabs: /mnt/data` makes the software its owner."
        assert "mkdir" not in text_of(explanation)

    def test_a_path_that_is_not_mounted_is_not_created(self):
        explanation = explain_failure("path_error", {"path": "/mnt/data", "message": "path not mounted"})

        assert "mkdir" not in text_of(explanation)
        assert "chown" not in text_of(explanation)
        assert figures(explanation) == [("Persistent storage", "/mnt/data", "", "a mounted disk")]


class TestAddresses:
    FOREIGN = {**JOIN, "node": {"identity": {"addr": "10.0.0.9"}}}

    @pytest.mark.parametrize("code", ["config_error", "connect_error"])
    def test_a_foreign_address_offers_the_addresses_of_the_node(self, code):
        explanation = explain_failure(code, request=self.FOREIGN)

        assert buttons(explanation)[0] == ("Use 10.0.0.7", {"node.identity.addr": "10.0.0.7"})
        assert ("Internal address", "10.0.0.9", "", "10.0.0.7") in figures(explanation)
        assert explanation.causes[0].startswith("10.0.0.9 is not an address of th")

    def test_an_address_of_the_node_is_not_suspected(self):
        assert buttons(explain_failure("connect_error")) == [("Change the members", {})]


class TestRejectedValues:
    def test_a_rack_of_another_node_offers_the_right_one(self):
        request = {**JOIN, "node": {"identity": {"uid": 2, "rack_id": "rack-z"}}}
        details = {"field": "node.identity.rack_id", "rack_id": "rack-a"}

        explanation = explain_failure("config_error", details, request=request)

        assert buttons(explanation)[:2] == [
            ("Use rack-a", {"node.identity.rack_id": "rack-a"}),
            ("Override with rack-z", {"node.identity.override_rack_id": True}),
        ]
        assert figures(explanation) == [("Rack", "rack-z", "", "rack-a")]
        assert "and rejected the rack rack-z." in explanation.meaning

    def test_a_running_node_offers_to_replace_a_failed_one(self):
        request = {**JOIN, "node": {"identity": {"uid": 3}}}
        details = {"field": "node.identity.uid", "failed_nodes": [2]}

        explanation = explain_failure("config_error", details, request=request)

        assert buttons(explanation)[0] == ("Replace node 2", {"node.identity.uid": 2})
        assert figures(explanation) == [("Node ID", "3", "", "2")]

    def test_a_node_that_the_file_does_not_have_offers_those_that_it_has(self):
        request = {**CREATE, "action": "recover_cluster", "node": {"identity": {"uid": 9}}}
        details = {"field": "node.identity.uid", "uids": [1, 2]}

        explanation = explain_failure("config_error", details, request=request)

        assert [label for label, _ in buttons(explanation)][:2] == ["Recover as node 1", "Recover as node 2"]

    def test_secrets_are_in_no_figure(self):
        for field in ("credentials.password", "credentials.username", "license"):
            explanation = explain_failure("config_error", {"field": field}, request={**JOIN, "license": MASK})

            assert figures(explanation) == []
            assert MASK not in text_of(explanation)


class TestInstallations:
    def test_the_installer_is_named_with_the_options_of_the_cluster(self):
        details = {
            "mismatches": [
                {"setting": "install_dir", "node_value": "/srv/redislabs", "cluster_value": "/opt/redislabs"},
                {"setting": "os_user", "node_value": "redis", "cluster_value": "redislabs"},
            ]
        }

        text = text_of(explain_failure("node_config_mismatch", details))

        # the installer makes the folder "redislabs" itself
        assert "`sudo ./install.sh --install-dir /opt --os-user redislabs`" in text

    def test_the_socket_directory_of_the_cluster_is_quoted_in_the_command(self):
        details = {"node_value": "/tmp", "cluster_value": "/run/a; reboot"}

        assert "`install.sh -s '/run/a; reboot'`" in text_of(explain_failure("socket_directory_mismatch", details))
