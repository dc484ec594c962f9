import pytest

from tests.bootstrap.error_catalogue.failures import CREATE, JOIN, RACK, UID, buttons, explain_failure


def test_a_join_without_a_rack_is_offered_the_racks_in_use():
    explanation = explain_failure("rack_id_required", {"current_rack_ids": ["rack-a", "rack-b"]})

    assert explanation.title == "The node needs a rack"
    assert "Racks in use: rack-a and rack-b." in explanation.meaning
    assert buttons(explanation) == [
        ("Join in a new rack", {}),
        ("Join in rack-a", {RACK: "rack-a"}),
        ("Join in rack-b", {RACK: "rack-b"}),
    ]


def test_a_create_without_a_rack_is_not_offered_a_join():
    assert [label for label, _ in buttons(explain_failure("rack_id_required", request=CREATE))] == [
        "Create in a new rack"
    ]


def test_only_valid_rack_ids_are_offered_without_duplicates():
    racks = ["rack-a", "RACK-A", "<script>", "", None, 7, "-x", "rack-" + "b" * 80, "rack-b"]

    explanation = explain_failure("rack_id_required", {"current_rack_ids": racks})

    assert [label for label, _ in buttons(explanation)] == ["Join in a new rack", "Join in rack-a", "Join in rack-b"]


def test_many_racks_are_shortened():
    explanation = explain_failure("rack_id_required", {"current_rack_ids": [f"rack-{number}" for number in range(12)]})

    assert "rack-7 and 4 more" in explanation.meaning
    assert len(explanation.remedies) == 7


def test_repair_required_offers_the_clusters_candidate_first():
    details = {"failed_nodes": [{"uid": 3}, {"uid": "2", "rack_id": "rack-a"}], "replace_candidate": 2}

    explanation = explain_failure("repair_required", details)

    assert "node 2 (rack-a) and node 3 have failed" in explanation.meaning
    assert "The cluster suggests replacing node 2 first." in explanation.meaning
    assert explanation.part == UID
    assert buttons(explanation) == [("Replace node 2", {UID: 2, RACK: "rack-a"}), ("Replace node 3", {UID: 3})]


def test_a_replacement_keeps_a_rack_that_is_right():
    request = {**JOIN, "node": {"identity": {"rack_id": "Rack-A"}}}

    explanation = explain_failure(
        "repair_required", {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}]}, request=request
    )

    assert buttons(explanation) == [("Replace node 2", {UID: 2})]


def test_a_candidate_that_is_not_listed_as_failed_is_offered():
    assert buttons(explain_failure("repair_required", {"replace_candidate": "4"})) == [("Replace node 4", {UID: 4})]


@pytest.mark.parametrize("uid", [True, 0, -2, 1.5, "two", "²", None, [2], 10**400, float("nan")])
def test_invalid_node_ids_are_not_offered(uid):
    explanation = explain_failure("repair_required", {"failed_nodes": [{"uid": uid}], "replace_candidate": uid})

    assert buttons(explanation) == [("Enter the node to replace", {})]
