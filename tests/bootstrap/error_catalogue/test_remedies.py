"""The buttons of an explanation: from the node's details, and never a value that has just failed."""

import pytest

from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.error_catalogue.failures import (
    CREATE,
    JOIN,
    RACK,
    TWO_SAMPLES,
    UID,
    buttons,
    explain_failure,
    text_of,
)

PERSISTENT, EPHEMERAL = "node.paths.persistent_path", "node.paths.ephemeral_path"
USUAL = "/var/opt/redislabs/persist"
OWN = NodeFacts(persistent_storage_path="/srv/redis/persist", ephemeral_storage_path="/srv/redis/tmp")
LARGE = 17179869184


def labels(explanation):
    return [remedy.label for remedy in explanation.remedies]


class TestPaths:
    def test_the_current_path_of_the_node_is_offered(self):
        explanation = explain_failure("path_error", {"path": "/mnt/data"}, facts=OWN)

        assert buttons(explanation)[0] == ("Use /srv/redis/persist", {PERSISTENT: "/srv/redis/persist"})

    def test_a_path_that_the_node_did_not_name_is_not_offered(self):
        explanation = explain_failure("path_error", {"path": "/mnt/data"}, facts=NodeFacts())

        assert labels(explanation) == ["Choose another persistent path", "Retry with /mnt/data"]
        assert USUAL not in text_of(explanation)

    @pytest.mark.parametrize("failed", [USUAL, "/var/opt/redislabs"])
    def test_the_path_that_failed_is_not_offered(self, failed):
        request = {**JOIN, "node": {"paths": {"persistent_path": failed}}}
        facts = NodeFacts(persistent_storage_path=USUAL)

        explanation = explain_failure(
            "path_error", {"path": failed, "message": f"{failed}: no"}, request=request, facts=facts
        )

        assert not [values for _, values in buttons(explanation) if values]

    def test_a_path_that_is_not_mounted_is_reported_as_such(self):
        explanation = explain_failure("path_error", {"message": "path not mounted", "path": "/mnt/data"}, facts=OWN)

        assert explanation.title == "/mnt/data is not mounted"
        assert "at /mnt/data: nothing is mounted there." in explanation.meaning
        assert "belongs to root" not in text_of(explanation)
        assert "`findmnt --target /mnt/data`" in text_of(explanation)

    @pytest.mark.parametrize(
        ("message", "state"),
        [
            ("/mnt/data cannot be made: /mnt does not exist", "it does not exist"),
            ("/mnt/data cannot be written: Permission denied", "the software cannot write to it"),
            ("/mnt/data cannot be written: Read-only file system", "it is read-only"),
            ("/mnt/data cannot be written: No space left on device", "its disk is full"),
            ("/mnt/data lies on NFS, mounted at /mnt", "it is on a network share"),
            ("/mnt/data is not a directory", "it is not a directory"),
        ],
    )
    def test_the_state_of_the_path_is_read_from_the_message(self, message, state):
        explanation = explain_failure("path_error", {"message": message, "path": "/mnt/data"})

        assert f"10.0.0.7 could not use its persistent storage at /mnt/data: {state}." in explanation.meaning
        assert len(explanation.causes) == 1

    def test_nfs_is_not_offered_again(self):
        explanation = explain_failure("path_error", {"path": "/mnt/data", "file_system": "nfs4"}, facts=OWN)

        assert labels(explanation) == ["Use /srv/redis/persist", "Choose another persistent path"]

    def test_a_parent_folder_blames_the_path_below_it(self):
        request = {**JOIN, "node": {"paths": {"persistent_path": "/data/persist", "ephemeral_path": "/fast/tmp"}}}

        assert explain_failure("path_error", {"path": "/fast"}, request=request).part == EPHEMERAL

    def test_a_default_path_is_recognised_by_the_nodes_facts(self):
        request = {**JOIN, "node": {}}

        explanation = explain_failure("path_error", {"path": "/srv/redis/tmp"}, request=request, facts=OWN)

        assert explanation.part == EPHEMERAL


class TestMachines:
    REPLACEMENT = {**JOIN, "node": {"identity": {"uid": 2}}}

    def test_too_little_memory_asks_for_a_larger_node(self):
        explanation = explain_failure("insufficient_node_memory", {"required_memory": LARGE}, request=self.REPLACEMENT)

        assert labels(explanation) == ["Choose a node with 16 GiB or more", "Start again"]
        assert explanation.remedies[0].part == "address"

    def test_enough_memory_offers_to_start_again_first(self):
        explanation = explain_failure(
            "insufficient_node_memory",
            {"required_memory": LARGE},
            request=self.REPLACEMENT,
            facts=NodeFacts(total_memory=2 * LARGE),
        )

        assert labels(explanation)[0] == "Start again"
        assert ": 32 GiB here before Start, 16 GiB needed." in explanation.meaning

    def test_memory_in_an_unknown_unit_shows_on_no_button(self):
        explanation = explain_failure("insufficient_node_memory", {"required_memory": 48274}, request=self.REPLACEMENT)

        assert labels(explanation)[0] == "Choose a larger node"

    def test_too_little_flash_asks_for_a_path_or_a_larger_node(self):
        explanation = explain_failure(
            "insufficient_node_flash", {"required_flash": 536870912000}, request=self.REPLACEMENT
        )

        assert labels(explanation) == ["Choose another flash path", "Choose a node with 500 GiB of flash or more"]

    @pytest.mark.parametrize("code", ["insufficient_node_memory", "insufficient_node_flash"])
    def test_no_button_replaces_another_node(self, code):
        assert "Replace another node" not in labels(explain_failure(code, request=self.REPLACEMENT))


class TestRacks:
    def test_a_rejected_rack_is_not_offered(self):
        request = {**JOIN, "node": {"identity": {"rack_id": "Rack-A"}}}

        explanation = explain_failure("rack_id_required", {"current_rack_ids": ["rack-a", "rack-b"]}, request=request)

        assert labels(explanation) == ["Join in a new rack", "Join in rack-b"]

    def test_a_rejected_replacement_is_not_offered(self):
        request = {**JOIN, "node": {"identity": {"uid": 2, "rack_id": "rack-a"}}}
        details = {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}, {"uid": 3}], "replace_candidate": 3}

        assert buttons(explain_failure("repair_required", details, request=request)) == [("Replace node 3", {UID: 3})]

    def test_a_replacement_in_the_wrong_rack_gets_the_right_one(self):
        request = {**JOIN, "node": {"identity": {"uid": 2, "rack_id": "rack-z"}}}

        explanation = explain_failure(
            "repair_required", {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}]}, request=request
        )

        assert buttons(explanation) == [("Replace node 2", {UID: 2, RACK: "rack-a"})]


class TestRequests:
    def test_a_field_that_the_node_names_is_the_only_one_offered(self):
        assert labels(explain_failure("config_error", {"message": "invalid rack_id"})) == ["Change the rack"]

    def test_a_foreign_address_is_replaced_by_one_of_the_node(self):
        details = {"field": "node.identity.addr", "available_addresses": ["10.0.0.21", "172.17.0.1"]}
        request = {**JOIN, "node": {"identity": {"addr": "10.0.0.9"}}}

        explanation = explain_failure("config_error", details, request=request)

        assert buttons(explanation)[0] == ("Use 10.0.0.21", {"node.identity.addr": "10.0.0.21"})
        assert "172.17.0.1" not in labels(explanation)[0]

    def test_the_trial_is_offered_only_in_place_of_a_license(self):
        with_license = {**CREATE, "license": MASK}

        assert "Use the 30-day trial" in labels(explain_failure("invalid_license", request=with_license))
        assert "Use the 30-day trial" not in labels(explain_failure("invalid_license", request=CREATE))

    def test_a_license_for_another_cluster_offers_a_new_name(self):
        explanation = explain_failure("invalid_license", {"violation_code": "cluster_name_mismatch"}, request=CREATE)

        assert "Change the cluster name" in labels(explanation)

    def test_a_locked_account_has_to_wait(self):
        explanation = explain_failure("access_denied", {"message": "account is locked until 14:02"})

        assert explanation.causes[0] == "admin@example.com is locked after too many failed sign-ins."
        assert labels(explanation) == ["Use another account", "Start again"]
        assert "Each failed sign-in can extend it" in text_of(explanation)

    def test_a_member_that_the_node_names_is_checked(self):
        request = {**JOIN, "cluster": {"nodes": ["10.0.0.5", "10.0.0.6"]}}

        explanation = explain_failure(
            "connect_error", {"message": "10.0.0.6:9443: connection refused"}, request=request
        )

        assert "`nc -vz 10.0.0.6 9443`" in text_of(explanation)


@pytest.mark.parametrize("code", ErrorCode)
def test_no_remedy_repeats_a_value_that_failed(code):
    for details in (*TWO_SAMPLES[code], {"current_rack_ids": ["rack-a"], "path": "/mnt/data"}):
        request = {**JOIN, "node": {"paths": {"persistent_path": USUAL}, "identity": {"uid": 2, "rack_id": "rack-a"}}}
        facts = NodeFacts(persistent_storage_path=USUAL)
        for remedy in explain_failure(code, details, request=request, facts=facts).remedies:
            for path, value in remedy.values.items():
                _, group, field = path.split(".")
                is_new = request["node"][group].get(field) != value
                assert is_new or len(remedy.values) > 1
