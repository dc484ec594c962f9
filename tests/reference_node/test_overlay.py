"""What a cluster is said to be doing: the fault `overlay`."""

import json

import pytest

from setup_wizard.reference_node.faults import parse_fault

from .conftest import MARIA, Caller


@pytest.fixture
def overlaid(serve):
    """Make the only node of a cluster, with these answers overlaid."""

    def make(*overlays: tuple[str, object]) -> Caller:
        server = serve("member")
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
        server.node.faults.put([parse_fault(f"overlay={path},{json.dumps(patch)}") for path, patch in overlays])
        return caller

    return make


def test_an_object_is_merged_at_any_depth(overlaid):
    snapshot = {"created_time": "2026-01-31 20:47:23", "name": "maintenance_mode", "node_uid": "1"}
    member = overlaid(
        ("/v1/cluster", {"upgrade_in_progress": True, "rack_aware": None}),
        ("/v1/nodes/status", {"1": {"maintenance_snapshot": snapshot}}),
    )

    cluster = member.get("/v1/cluster", auth=MARIA).json()
    status = member.get("/v1/nodes/status", auth=MARIA).json()

    assert (cluster["name"], cluster["upgrade_in_progress"]) == ("redis-prod.example.com", True)
    assert "rack_aware" not in cluster
    assert (status["1"]["node_status"], status["1"]["maintenance_snapshot"]) == ("active", snapshot)


def test_a_list_is_merged_by_uid(overlaid):
    member = overlaid(("/v1/nodes", {"1": {"software_version": "7.4.2-54"}, "7": {"status": "decommissioning"}}))

    first, added = member.get("/v1/nodes", auth=MARIA).json()

    assert (first["uid"], first["status"], first["software_version"]) == (1, "active", "7.4.2-54")
    assert added == {"uid": 7, "status": "decommissioning"}


def test_an_entry_is_removed_by_null(overlaid):
    member = overlaid(("/v1/nodes", {"1": None}))

    assert member.get("/v1/nodes", auth=MARIA).json() == []


def test_a_list_inside_an_object_is_replaced(overlaid):
    action = {"action_uid": "159ca2f8", "name": "remove_node", "node_uid": "1", "progress": "40", "status": "running"}
    member = overlaid(("/v1/actions", {"actions": [action]}), ("/v1/modules", []))

    assert member.get("/v1/actions", auth=MARIA).json() == {"actions": [action], "state-machines": []}
    assert member.get("/v1/modules", auth=MARIA).json() == []


def test_a_number_is_a_status_code(overlaid):
    member = overlaid(("/v1/ocsp", 406))

    assert member.get("/v1/ocsp", auth=MARIA).status_code == 406


def test_a_refused_sign_in_is_not_overlaid(overlaid):
    member = overlaid(("/v1/cluster", {"upgrade_in_progress": True}))

    assert member.get("/v1/cluster").status_code == 401


def test_the_words_say_how_often(serve):
    node = Caller(
        serve(faults=('overlay=/v1/bootstrap,{"local_node_info":{"software_version":"7.2.4"}}:once',)).address
    )

    versions = [node.get().json()["local_node_info"]["software_version"] for _ in range(2)]

    assert versions == ["7.2.4", "7.22.0-216"]


@pytest.mark.parametrize("value", ["", "/v1/cluster", "/v1/cluster,{", "/v1/cluster,200", "/v1/cluster,7"])
def test_an_unreadable_overlay_is_refused_with_its_usage(value):
    with pytest.raises(ValueError, match="overlay=PATH,JSON"):
        parse_fault(f"overlay={value}")
