"""Each path of the API, by its method."""

import pytest

from setup_wizard.reference_node.node import Node
from tests.reference_node.background import background
from tests.reference_node.conftest import MARIA, Caller, create_body, join_body, recover_body, wait_for

from .conftest import NAME


@pytest.fixture
def two_members(start):
    """Both nodes of a cluster, once they know each other."""
    first, second = start("first"), start("second")
    first.create()
    first.wait_until("completed")
    second.join(first)
    second.wait_until("completed")
    wait_for(lambda: len(first.nodes()) == 2)
    return first, second


def test_path_get_bootstrap_has_the_status_and_the_node(idle_node):
    answer = idle_node.get("/v1/bootstrap")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"bootstrap_status", "local_node_info"}
    assert answer.json()["bootstrap_status"] == {"state": "idle"}


def test_path_post_bootstrap_create_cluster_makes_one(node):
    answer = node.create()

    assert (answer.status_code, answer.content) == (200, b"")
    assert node.wait_until("completed", "error")["state"] == "completed"
    assert node.get("/v1/cluster", auth=MARIA).json()["name"] == NAME


def test_path_post_bootstrap_join_cluster_adds_the_node_to_it(start):
    first, second = start("first"), start("second")
    first.create()
    first.wait_until("completed")

    answer = second.join(first)

    assert (answer.status_code, answer.content) == (200, b"")
    assert second.wait_until("completed", "error")["state"] == "completed"
    assert second.get("/v1/cluster", auth=MARIA).json()["name"] == NAME
    assert [entry["uid"] for entry in first.get("/v1/nodes", auth=MARIA).json()] == [1, 2]


def test_path_post_bootstrap_recover_cluster_brings_it_back(start, saved):
    node = start("node-1")

    answer = node.recover(saved)

    assert (answer.status_code, answer.content) == (200, b"")
    assert node.wait_until("completed", "error")["state"] == "completed"
    assert node.get("/v1/cluster", auth=MARIA).json()["name"] == NAME
    assert node.get("/v1/cluster", auth=(MARIA[0], "mistyped")).status_code == 401


@pytest.mark.parametrize("name", [NAME, "another.example.com"])
def test_path_post_bootstrap_validate_create_cluster_changes_nothing(idle_node, name):
    answer = idle_node.post("validate/create_cluster", create_body(cluster={"name": name}))

    assert (answer.status_code, answer.content) == (200, b"")
    assert idle_node.status() == {"state": "idle"}


def test_path_post_bootstrap_validate_join_cluster_asks_a_member(idle_node, member, unused_port):
    well = idle_node.post("validate/join_cluster", join_body(member))
    mistyped = idle_node.post("validate/join_cluster", join_body(member, "mistyped"))
    nobody = idle_node.post("validate/join_cluster", join_body(member) | {"cnm_https_port": unused_port})

    assert (well.status_code, well.content) == (200, b"")
    assert (mistyped.status_code, mistyped.json()["error_code"]) == (406, "access_denied")
    assert (nobody.status_code, nobody.json()["error_code"]) == (406, "connect_error")
    assert idle_node.status() == {"state": "idle"}
    assert len(member.get("/v1/nodes", auth=MARIA).json()) == 1


def test_path_post_bootstrap_validate_recover_cluster_reads_the_file(start, saved):
    node = start("node-1")

    well = node.post("validate/recover_cluster", recover_body(saved))
    absent = node.post("validate/recover_cluster", recover_body(saved.with_name("absent.rdb")))

    assert (well.status_code, well.content) == (200, b"")
    assert (absent.status_code, absent.json()["error_code"]) == (406, "path_error")
    assert node.status() == {"state": "idle"}


def test_path_get_nodes_lists_the_members(two_members):
    seen = [each.get("/v1/nodes", auth=MARIA).json() for each in two_members]

    for nodes in seen:
        assert [(node["uid"], node["addr"], node["status"]) for node in nodes] == [
            (1, "127.0.0.1", "active"),
            (2, "127.0.0.1", "active"),
        ]


def test_path_get_cluster_names_it_and_says_whether_racks_count(start):
    plain, racked = start("plain"), start("racked")
    plain.create()
    racked.create(policy={"rack_aware": True}, node={"identity": {"rack_id": "rack-a"}})
    for node in (plain, racked):
        node.wait_until("completed")

    documents = [node.get("/v1/cluster", auth=MARIA).json() for node in (plain, racked)]

    assert [(document["name"], document["rack_aware"]) for document in documents] == [(NAME, False), (NAME, True)]


def test_path_get_cluster_check_names_the_member_that_is_not_well(tmp_path, start):
    first = start("first")
    first.create()
    first.wait_until("completed")
    with background(Node(tmp_path / "second", pace=0.04)) as server:
        second = Caller(server.address)
        second.join(first)
        second.wait_until("completed")
        wait_for(lambda: len(first.nodes()) == 2)  # the second tells the first after it has completed
        well = first.get("/v1/cluster/check", auth=MARIA).json()

    broken = first.get("/v1/cluster/check", auth=MARIA).json()

    assert well == {
        "cluster_test_result": True,
        "nodes": [{"node_uid": "1", "result": True}, {"node_uid": "2", "result": True}],
    }
    assert broken["cluster_test_result"] is False
    assert [(node["node_uid"], node["result"]) for node in broken["nodes"]] == [("1", True), ("2", False)]
    assert broken["nodes"][1]["error"]


def test_path_get_nodes_uid_is_the_node_of_that_number(member):
    found, absent = (member.get(f"/v1/nodes/{uid}", auth=MARIA) for uid in (1, 99))

    assert (found.json()["uid"], found.json()["addr"]) == (1, member.host)
    assert absent.status_code == 404


def test_path_get_cluster_policy_says_when_an_account_is_locked(node):
    node.create()
    node.wait_until("completed")

    policy = node.get("/v1/cluster/policy", auth=MARIA).json()

    assert policy["login_lockout_threshold"] == 5
    assert policy["login_lockout_counter_reset_after"] == 900
    assert policy["login_lockout_duration"] == 1800


def test_path_get_license_has_the_terms_and_the_text(member):
    terms = member.get("/v1/license", auth=MARIA).json()

    assert (terms["cluster_name"], terms["expired"], terms["license"]) == (NAME, False, "")


def test_path_get_nodes_status_has_each_node_by_its_uid(two_members):
    statuses = [each.get("/v1/nodes/status", auth=MARIA).json() for each in two_members]

    assert statuses[0] == statuses[1]
    assert [(uid, each["node_status"], each["role"]) for uid, each in statuses[0].items()] == [
        ("1", "active", "master"),
        ("2", "active", "slave"),
    ]
    assert "maintenance_snapshot" not in statuses[0]["1"]


def test_path_get_actions_has_actions_and_state_machines(member):
    assert member.get("/v1/actions", auth=MARIA).json() == {"actions": [], "state-machines": []}


def test_path_get_modules_lists_those_of_the_software(member):
    modules = member.get("/v1/modules", auth=MARIA).json()

    assert [module["module_name"] for module in modules] == ["bf", "ReJSON", "search", "timeseries"]
    assert all(module["is_bundled"] for module in modules)


def test_path_get_ocsp_says_that_it_is_off(member):
    assert member.get("/v1/ocsp", auth=MARIA).json()["ocsp_functionality"] is False


@pytest.mark.parametrize("path", ["/v1/bootstrap", "/v1/nodes", "/v1/license"])
def test_path_head_of_any_is_answered_as_get_without_a_body(member, path):
    read, headed = (member.ask(method, path, auth=MARIA) for method in ("GET", "HEAD"))

    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["content-type"] == read.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/nodes", "/v1/nodes/1", "/v1/nodes/status", "/v1/cluster", "/v1/cluster/check", "/v1/cluster/policy"),
        *("/v1/license", "/v1/actions", "/v1/modules", "/v1/ocsp"),
    ],
)
def test_what_tells_of_a_cluster_wants_the_sign_in(member, path):
    assert member.get(path).status_code == 401
    assert member.get(path, auth=(MARIA[0], "mistyped")).status_code == 401
    assert member.get(path, auth=MARIA).status_code == 200
