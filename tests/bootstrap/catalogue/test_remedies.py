"""The buttons of an explanation come from what the node said, and never lead back to what has just failed."""

import pytest

from setup_wizard.bootstrap.catalogue import ErrorCode
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.catalogue.asking import CREATE, JOIN, RACK, TWO_DETAILS, UID, buttons, why, words

PERSISTENT, EPHEMERAL = "node.paths.persistent_path", "node.paths.ephemeral_path"
USUAL = "/var/opt/redislabs/persist"
OWN = NodeFacts(persistent_storage_path="/srv/redis/persist", ephemeral_storage_path="/srv/redis/tmp")
LARGE = 17179869184


def labels(explanation):
    return [remedy.label for remedy in explanation.remedies]


class TestPaths:
    def test_a_path_error_offers_the_path_that_the_node_has_now(self):
        explanation = why("path_error", {"path": "/mnt/data"}, facts=OWN)

        assert buttons(explanation)[0] == ("Use /srv/redis/persist", {PERSISTENT: "/srv/redis/persist"})

    def test_a_path_error_offers_no_path_that_the_node_did_not_name(self):
        explanation = why("path_error", {"path": "/mnt/data"}, facts=NodeFacts())

        assert labels(explanation) == ["Choose another persistent path", "Retry with /mnt/data"]
        assert USUAL not in words(explanation)

    @pytest.mark.parametrize("failed", [USUAL, "/var/opt/redislabs"])
    def test_a_path_error_does_not_offer_the_path_that_failed(self, failed):
        request = {**JOIN, "node": {"paths": {"persistent_path": failed}}}
        facts = NodeFacts(persistent_storage_path=USUAL)

        explanation = why("path_error", {"path": failed, "message": f"{failed}: no"}, request=request, facts=facts)

        assert not [values for _, values in buttons(explanation) if values]

    def test_a_path_that_is_not_mounted_is_called_so(self):
        explanation = why("path_error", {"message": "path not mounted", "path": "/mnt/data"}, facts=OWN)

        assert explanation.title == "/mnt/data is not mounted on this node"
        assert "nothing is mounted at /mnt/data" in explanation.meaning
        assert "belongs to root" not in words(explanation)
        assert "`findmnt --target /mnt/data`" in words(explanation)

    @pytest.mark.parametrize(
        ("message", "state"),
        [
            ("/mnt/data cannot be made: /mnt does not exist", "it does not exist"),
            ("/mnt/data cannot be written: Permission denied", "the software may not write to it"),
            ("/mnt/data cannot be written: Read-only file system", "it is read-only"),
            ("/mnt/data cannot be written: No space left on device", "its disk is full"),
            ("/mnt/data lies on NFS, mounted at /mnt", "it is on a network share"),
            ("/mnt/data is not a directory", "it is not a directory"),
        ],
    )
    def test_a_path_error_says_what_the_node_found(self, message, state):
        explanation = why("path_error", {"message": message, "path": "/mnt/data"})

        assert f"10.0.0.7 could not use its persistent storage at /mnt/data: {state}." in explanation.meaning
        assert len(explanation.causes) == 1

    def test_persistent_storage_on_nfs_is_not_tried_again(self):
        explanation = why("path_error", {"path": "/mnt/data", "file_system": "nfs4"}, facts=OWN)

        assert labels(explanation) == ["Use /srv/redis/persist", "Choose another persistent path"]

    def test_a_folder_above_an_entered_path_is_the_fault_of_that_path(self):
        request = {**JOIN, "node": {"paths": {"persistent_path": "/data/persist", "ephemeral_path": "/fast/tmp"}}}

        assert why("path_error", {"path": "/fast"}, request=request).part == EPHEMERAL

    def test_a_path_that_was_left_to_the_node_is_known_by_the_nodes_own(self):
        request = {**JOIN, "node": {}}

        explanation = why("path_error", {"path": "/srv/redis/tmp"}, request=request, facts=OWN)

        assert explanation.part == EPHEMERAL


class TestMachines:
    REPLACEMENT = {**JOIN, "node": {"identity": {"uid": 2}}}

    def test_too_little_memory_asks_for_a_machine_with_enough(self):
        explanation = why("insufficient_node_memory", {"required_memory": LARGE}, request=self.REPLACEMENT)

        assert labels(explanation) == ["Choose a node with 16 GiB or more", "Start again"]
        assert explanation.remedies[0].part == "address"

    def test_enough_memory_by_now_is_tried_again_first(self):
        explanation = why(
            "insufficient_node_memory",
            {"required_memory": LARGE},
            request=self.REPLACEMENT,
            facts=NodeFacts(total_memory=2 * LARGE),
        )

        assert labels(explanation)[0] == "Start again"

    def test_memory_in_an_unknown_unit_is_not_put_on_a_button(self):
        explanation = why("insufficient_node_memory", {"required_memory": 48274}, request=self.REPLACEMENT)

        assert labels(explanation)[0] == "Choose a larger node"

    def test_too_little_flash_asks_for_another_disk_or_a_machine_with_enough(self):
        explanation = why("insufficient_node_flash", {"required_flash": 536870912000}, request=self.REPLACEMENT)

        assert labels(explanation) == ["Choose another flash path", "Choose a node with 500 GiB of flash or more"]

    @pytest.mark.parametrize("code", ["insufficient_node_memory", "insufficient_node_flash"])
    def test_no_button_contradicts_the_check_for_a_larger_machine(self, code):
        assert "Replace another node" not in labels(why(code, request=self.REPLACEMENT))


class TestRacks:
    def test_a_new_rack_comes_before_those_in_use(self):
        explanation = why("rack_id_required", {"current_rack_ids": ["rack-a", "rack-b"]})

        assert labels(explanation) == ["Join in a new rack", "Join in rack-a", "Join in rack-b"]

    def test_the_rack_that_was_refused_is_not_offered(self):
        request = {**JOIN, "node": {"identity": {"rack_id": "Rack-A"}}}

        explanation = why("rack_id_required", {"current_rack_ids": ["rack-a", "rack-b"]}, request=request)

        assert labels(explanation) == ["Join in a new rack", "Join in rack-b"]

    def test_a_replacement_that_was_refused_is_not_offered_again(self):
        request = {**JOIN, "node": {"identity": {"uid": 2, "rack_id": "rack-a"}}}
        details = {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}, {"uid": 3}], "replace_candidate": 3}

        assert buttons(why("repair_required", details, request=request)) == [("Replace node 3", {UID: 3})]

    def test_a_replacement_in_the_wrong_rack_is_offered_with_the_right_one(self):
        request = {**JOIN, "node": {"identity": {"uid": 2, "rack_id": "rack-z"}}}

        explanation = why("repair_required", {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}]}, request=request)

        assert buttons(explanation) == [("Replace node 2", {UID: 2, RACK: "rack-a"})]


class TestRequests:
    def test_a_field_that_the_node_named_is_the_only_one_offered(self):
        assert labels(why("config_error", {"message": "invalid rack_id"})) == ["Change the rack"]

    def test_an_address_that_is_not_the_nodes_is_replaced_by_one_that_is(self):
        details = {"field": "node.identity.addr", "available_addresses": ["10.0.0.21", "172.17.0.1"]}
        request = {**JOIN, "node": {"identity": {"addr": "10.0.0.9"}}}

        explanation = why("config_error", details, request=request)

        assert buttons(explanation)[0] == ("Use 10.0.0.21", {"node.identity.addr": "10.0.0.21"})
        assert "172.17.0.1" not in labels(explanation)[0]

    def test_no_trial_is_offered_where_there_was_no_license(self):
        with_license = {**CREATE, "license": MASK}

        assert "Use the 30-day trial" in labels(why("invalid_license", request=with_license))
        assert "Use the 30-day trial" not in labels(why("invalid_license", request=CREATE))

    def test_a_license_for_another_cluster_offers_to_change_the_name(self):
        explanation = why("invalid_license", {"violation_code": "cluster_name_mismatch"}, request=CREATE)

        assert "Change the cluster name" in labels(explanation)

    def test_a_locked_account_is_left_alone_until_the_lock_ends(self):
        explanation = why("access_denied", {"message": "account is locked until 14:02"})

        assert explanation.causes[0] == "admin@example.com is locked after refused sign-ins."
        assert labels(explanation) == ["Use another account", "Start again"]
        assert "each refused sign-in can make the lock longer" in words(explanation)

    def test_a_member_that_the_node_named_is_the_one_to_check(self):
        request = {**JOIN, "cluster": {"nodes": ["10.0.0.5", "10.0.0.6"]}}

        explanation = why("connect_error", {"message": "10.0.0.6:9443: connection refused"}, request=request)

        assert "`nc -vz 10.0.0.6 9443`" in words(explanation)


@pytest.mark.parametrize("code", ErrorCode)
def test_no_remedy_fills_in_what_was_sent(code):
    """Whatever the node says: a button that sends the same value again would fail again."""
    for details in (*TWO_DETAILS[code], {"current_rack_ids": ["rack-a"], "path": "/mnt/data"}):
        request = {**JOIN, "node": {"paths": {"persistent_path": USUAL}, "identity": {"uid": 2, "rack_id": "rack-a"}}}
        facts = NodeFacts(persistent_storage_path=USUAL)
        for remedy in why(code, details, request=request, facts=facts).remedies:
            for path, value in remedy.values.items():
                _, group, field = path.split(".")
                is_new = request["node"][group].get(field) != value
                assert is_new or len(remedy.values) > 1
