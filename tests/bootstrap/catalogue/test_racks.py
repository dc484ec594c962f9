import pytest

from tests.bootstrap.catalogue.asking import CREATE, JOIN, RACK, UID, buttons, why


def test_a_join_without_a_rack_is_offered_the_racks_in_use():
    explanation = why("rack_id_required", {"current_rack_ids": ["rack-a", "rack-b"]})

    assert explanation.title == "This cluster is rack-aware, so the node needs a rack"
    assert "In use are rack-a and rack-b." in explanation.meaning
    assert buttons(explanation) == [
        ("Join in a new rack", {}),
        ("Join in rack-a", {RACK: "rack-a"}),
        ("Join in rack-b", {RACK: "rack-b"}),
    ]


def test_a_create_without_a_rack_is_not_told_to_join():
    assert [label for label, _ in buttons(why("rack_id_required", request=CREATE))] == ["Create in a new rack"]


def test_only_real_rack_ids_are_offered_and_each_once():
    racks = ["rack-a", "RACK-A", "<script>", "", None, 7, "-x", "rack-" + "b" * 80, "rack-b"]

    explanation = why("rack_id_required", {"current_rack_ids": racks})

    assert [label for label, _ in buttons(explanation)] == ["Join in a new rack", "Join in rack-a", "Join in rack-b"]


def test_many_racks_are_summed_up():
    explanation = why("rack_id_required", {"current_rack_ids": [f"rack-{number}" for number in range(12)]})

    assert "rack-7 and 4 more" in explanation.meaning
    assert len(explanation.remedies) == 7


def test_a_degraded_cluster_names_its_failed_nodes_and_offers_its_candidate_first():
    details = {"failed_nodes": [{"uid": 3}, {"uid": "2", "rack_id": "rack-a"}], "replace_candidate": 2}

    explanation = why("repair_required", details)

    assert "node 2 (rack-a) and node 3 have failed" in explanation.meaning
    assert "The cluster would have node 2 replaced first." in explanation.meaning
    assert explanation.part == UID
    assert buttons(explanation) == [("Replace node 2", {UID: 2, RACK: "rack-a"}), ("Replace node 3", {UID: 3})]


def test_a_replacement_that_stands_in_the_right_rack_keeps_it():
    request = {**JOIN, "node": {"identity": {"rack_id": "Rack-A"}}}

    explanation = why("repair_required", {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}]}, request=request)

    assert buttons(explanation) == [("Replace node 2", {UID: 2})]


def test_a_candidate_that_is_not_among_the_failed_is_offered_all_the_same():
    assert buttons(why("repair_required", {"replace_candidate": "4"})) == [("Replace node 4", {UID: 4})]


@pytest.mark.parametrize("uid", [True, 0, -2, 1.5, "two", "²", None, [2], 10**400, float("nan")])
def test_what_is_no_node_is_not_offered(uid):
    explanation = why("repair_required", {"failed_nodes": [{"uid": uid}], "replace_candidate": uid})

    assert buttons(explanation) == [("Enter the node to replace", {})]
