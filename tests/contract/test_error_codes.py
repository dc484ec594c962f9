"""Each error code, by the cause that the API's page gives for it, with what it says of it."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from setup_wizard.reference_node.license import License, write_license
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.server import Server, background
from tests.reference_node.conftest import MARIA, Caller, create_body, wait_for

NAME = "redis-prod.example.com"
PACE = 0.02
GIB = 1024**3
DAY = 24 * 60 * 60
# well after the certificates and the journals of today
FAR_FUTURE = 4_000_000_000


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Server]]:
    """Start fresh nodes with these traits inside this process."""
    with ExitStack() as stack:

        def start(name: str = "node", **traits: object) -> Server:
            node = Node(tmp_path / name, pace=PACE, light=True, traits=Traits(**traits))
            return stack.enter_context(background(node))

        yield start


@pytest.fixture
def fresh(serve) -> Callable[..., Caller]:
    """Start a fresh node and give who asks it."""
    return lambda name="node", **traits: Caller(serve(name, **traits).address)


@pytest.fixture
def cluster(fresh) -> Callable[..., Caller]:
    """Create redis-prod.example.com on a node with these traits; its administrator is maria."""

    def create(body: dict | None = None, **traits: object) -> Caller:
        caller = fresh("member", **traits)
        caller.create(**(body or {}))
        assert caller.wait_until("completed", "error")["state"] == "completed"
        return caller

    return create


@pytest.fixture
def broken_cluster(tmp_path) -> Iterator[Callable[..., Caller]]:
    """A cluster of two whose second node, with these traits, has been stopped; gives the first."""
    with ExitStack() as stack:

        def create(body: dict | None = None, **traits: object) -> Caller:
            first = Caller(stack.enter_context(background(Node(tmp_path / "first", pace=PACE, light=True))).address)
            first.create(**(body or {}))
            first.wait_until("completed")
            lost = Node(tmp_path / "second", pace=PACE, light=True, traits=Traits(**traits))
            with background(lost) as server:
                second = Caller(server.address)
                second.join(first, **(body or {}))
                assert second.wait_until("completed", "error")["state"] == "completed"
                wait_for(lambda: statuses(first) == ["active", "active"])
            wait_for(lambda: statuses(first) == ["active", "down"])
            return first

        yield create


def statuses(caller: Caller) -> list[str]:
    return [entry["status"] for entry in caller.get("/v1/nodes", auth=MARIA).json()]


def ends_in(caller: Caller, code: str) -> dict:
    """Wait for the error, see that the node is as it was and takes another request, and give the error's details."""
    status = caller.wait_until("error", "completed")
    assert (status["state"], status.get("error_code")) == ("error", code)
    assert status["end_time"] >= status["start_time"]
    assert "uid" not in caller.get().json()["local_node_info"]
    again = caller.post("create_cluster", create_body(cluster={"name": "next.example.com"}))
    assert again.status_code == 200
    assert len(status["error_details"]["message"]) > 20
    return status["error_details"]


# config_error


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"credentials": {"username": 7}}'])
def test_code_config_error_of_a_body_that_cannot_be_used_changes_nothing(fresh, body):
    node = fresh()

    answer = node.ask("POST", "/v1/bootstrap/create_cluster", data=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert node.status() == {"state": "idle"}


def test_code_config_error_of_a_field_names_its_path(fresh):
    answer = fresh().create(node={"identity": {"external_addr": ["10.0.0.5", "node-1"]}})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert answer.json()["description"].startswith("node.identity.external_addr[1]: ")


def test_code_config_error_of_client_certificates_says_what_is_taken_instead(fresh):
    answer = fresh().create(credentials={"client_cert": "PEM", "client_key": "PEM"})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert "user name and a password only" in answer.json()["description"]


def test_code_config_error_of_an_address_that_is_not_the_nodes(fresh):
    node = fresh()

    node.create(node={"identity": {"addr": "10.0.0.5"}})

    details = ends_in(node, "config_error")
    assert details["message"] == "10.0.0.5 is not an address of this node, which has 127.0.0.1"
    assert details["field"] == "node.identity.addr"
    assert details["available_addresses"] == ["127.0.0.1"]


@pytest.mark.parametrize("uid", [1, 9])
def test_code_config_error_of_a_replacement_for_a_node_that_has_not_failed(cluster, fresh, uid):
    member, node = cluster(), fresh()

    node.join(member, node={"identity": {"uid": uid}})

    details = ends_in(node, "config_error")
    assert details["field"] == "node.identity.uid"
    assert str(uid) in details["message"]


def test_code_config_error_of_a_replacement_in_another_rack_than_the_failed_nodes(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first, node={"identity": {"uid": 2, "rack_id": "rack-c"}})

    details = ends_in(third, "config_error")
    assert (details["field"], details["rack_id"]) == ("node.identity.rack_id", "rack-b")
    assert "override_rack_id" in details["message"]
    assert statuses(first) == ["active", "down"]


def test_a_replacement_in_another_rack_is_taken_when_it_says_that_this_is_meant(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first, node={"identity": {"uid": 2, "rack_id": "rack-c", "override_rack_id": True}})

    assert third.wait_until("completed", "error")["state"] == "completed"
    assert [entry["rack_id"] for entry in first.get("/v1/nodes", auth=MARIA).json()] == ["rack-b", "rack-c"]


# connect_error


def test_code_connect_error_when_nothing_listens_there(fresh):
    node = fresh()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there
        address = f"127.0.0.1:{silent.getsockname()[1]}"

        node.join(Caller(address))

        details = ends_in(node, "connect_error")
    assert details["nodes"] == [{"node": address, "message": details["message"]}]
    assert "connection refused" in details["message"]


def test_code_connect_error_when_the_name_does_not_resolve(fresh):
    node = fresh()

    node.join(node, cluster={"nodes": ["no-such-node.invalid"]})

    assert "no-such-node.invalid cannot be resolved" in ends_in(node, "connect_error")["message"]


def test_code_connect_error_when_the_node_there_is_in_no_cluster(fresh):
    node, lonely = fresh(), fresh("lonely")

    node.join(lonely)

    assert f"{lonely.address} is not a member of a cluster" in ends_in(node, "connect_error")["message"]


# access_denied


@pytest.mark.parametrize("credentials", [(MARIA[0], "mistyped"), ("john@example.com", MARIA[1])])
def test_code_access_denied_when_the_cluster_does_not_know_the_credentials(cluster, fresh, credentials):
    member, node = cluster(), fresh()
    username, password = credentials

    node.join(member, credentials={"username": username, "password": password})

    details = ends_in(node, "access_denied")
    assert details["node"] == member.address
    assert username in details["message"]
    assert password not in json.dumps(details)
    assert statuses(member) == ["active"]


# invalid_license


def license_of(**terms: object) -> str:
    return write_license(License(**{"cluster": NAME, "expires": FAR_FUTURE, "shards": 10, **terms}))


@pytest.mark.parametrize("text", ["ABCD-1234", license_of()[:-30], license_of().replace("a", "b")])
def test_code_invalid_license_of_a_text_that_is_none_has_no_violation_code(fresh, text):
    node = fresh()

    node.create(license=text)

    details = ends_in(node, "invalid_license")
    assert "cannot be read" in details["message"]
    assert "violation_code" not in details


@pytest.mark.parametrize(
    ("terms", "violation", "words"),
    [
        ({"expires": 1_700_000_000}, "license_expired", "expired on 2023-11-14T22:13:20Z"),
        ({"activates": FAR_FUTURE - 1}, "license_not_yet_valid", "begins on 2096-10-02T07:06:39Z"),
        ({"cluster": "redis-test.example.com"}, "cluster_name_mismatch", f"redis-test.example.com, not for {NAME}"),
        ({"flash_shards": 0}, "flash_not_allowed", "does not allow flash"),
    ],
)
def test_code_invalid_license_of_violated_terms_names_the_violation(fresh, terms, violation, words):
    node = fresh()

    node.create(license=license_of(**terms), node={"bigstore_enabled": True})

    details = ends_in(node, "invalid_license")
    assert details["violation_code"] == violation
    assert words in details["message"]


def test_code_invalid_license_when_the_cluster_has_no_room_for_another_node(cluster, fresh):
    member, node = cluster({"license": license_of(nodes=1)}), fresh()

    node.join(member)

    details = ends_in(node, "invalid_license")
    assert (details["violation_code"], details["nodes_limit"]) == ("nodes_limit_exceeded", 1)
    assert statuses(member) == ["active"]


def test_code_invalid_license_when_the_trial_of_the_cluster_is_over(tmp_path, fresh):
    with background(Node(tmp_path / "member", pace=PACE, light=True)) as server:
        Caller(server.address).create()
        Caller(server.address).wait_until("completed")
    later = Traits(clock_offset=31 * DAY)
    with background(Node(tmp_path / "member", pace=PACE, light=True, traits=later)) as server:
        node = fresh(clock_offset=31 * DAY)

        node.join(Caller(server.address))

        details = ends_in(node, "invalid_license")
    assert details["violation_code"] == "license_expired"
    assert details["message"].startswith("The trial expired on ")


@pytest.fixture
def lost_file(broken_cluster, tmp_path) -> Path:
    """The file of redis-prod.example.com, which had two nodes, and databases of six shards together."""
    broken_cluster()
    document = json.loads((tmp_path / "first" / "persist" / "ccs" / "ccs-light.json").read_text())
    document["cluster"]["shards"] = 6
    (tmp_path / "saved.json").write_text(json.dumps(document))
    return tmp_path / "saved.json"


@pytest.mark.parametrize(
    ("terms", "violation", "words"),
    [
        ({"shards": 5}, "shards_limit_exceeded", "allows 5 shards, and the databases have 6"),
        ({"nodes": 1}, "nodes_limit_exceeded", "allows 1 nodes, and this would be number 2"),
        ({"cluster": "redis-test.example.com"}, "cluster_name_mismatch", f"redis-test.example.com, not for {NAME}"),
        ({"expires": 1_700_000_000}, "license_expired", "expired on 2023-11-14T22:13:20Z"),
    ],
)
def test_code_invalid_license_of_a_recovery_when_the_cluster_had_more_than_its_new_license_allows(
    fresh, lost_file, terms, violation, words
):
    node = fresh()

    node.recover(lost_file, license=license_of(**terms))

    details = ends_in(node, "invalid_license")
    assert details["violation_code"] == violation
    assert words in details["message"]
    assert details.get("shards_limit", 5) == 5


def test_a_license_that_a_recovery_brings_takes_the_place_of_the_old_one(fresh, lost_file):
    node = fresh()

    node.recover(lost_file, license=license_of(shards=6, nodes=2))

    assert node.wait_until("completed", "error")["state"] == "completed"
    license_ = node.get("/v1/cluster", auth=MARIA).json()["license"]
    assert (license_["shards_limit"], license_["nodes_limit"], license_["trial"]) == (6, 2, False)


def test_a_license_that_fits_is_shown_by_the_cluster(cluster):
    shown = cluster({"license": license_of(nodes=3)}).get("/v1/cluster", auth=MARIA).json()["license"]

    assert (shown["shards_limit"], shown["nodes_limit"], shown["trial"]) == (10, 3, False)
    assert (shown["expiration_date"], shown["expired"]) == ("2096-10-02T07:06:40Z", False)


def test_a_cluster_without_a_license_shows_its_trial_of_thirty_days_and_four_shards(cluster):
    document = cluster().get("/v1/cluster", auth=MARIA).json()

    assert (document["license"]["shards_limit"], document["license"]["trial"]) == (4, True)
    assert document["license"]["activation_date"] == document["created_time"]
    assert document["license"]["expiration_date"] > document["created_time"]


# repair_required


def test_code_repair_required_while_a_member_is_down(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first)

    details = ends_in(third, "repair_required")
    assert details["failed_nodes"] == [{"uid": 2, "rack_id": "rack-b"}]
    assert details["replace_candidate"] == 2
    assert "node 2" in details["message"]
    assert statuses(first) == ["active", "down"]


def test_code_repair_required_leaves_out_a_rack_that_there_is_not(broken_cluster, fresh):
    first, third = broken_cluster(), fresh("third")

    third.join(first)

    assert ends_in(third, "repair_required")["failed_nodes"] == [{"uid": 2}]


# insufficient_node_memory, insufficient_node_flash


def test_code_insufficient_node_memory_of_a_replacement_that_has_less_than_the_failed_node(broken_cluster, fresh):
    first, third = broken_cluster(memory=16 * GIB), fresh("third", memory=8 * GIB)

    third.join(first, node={"identity": {"uid": 2}})

    details = ends_in(third, "insufficient_node_memory")
    assert details["required_memory"] == 16 * GIB
    assert str(8 * GIB) in details["message"]
    assert statuses(first) == ["active", "down"]


def test_code_insufficient_node_flash_of_a_replacement_that_has_less_than_the_failed_node(broken_cluster, fresh):
    first = broken_cluster({"node": {"bigstore_enabled": True}}, flash=400 * GIB)
    third = fresh("third", flash=399 * GIB)

    third.join(first, node={"identity": {"uid": 2}, "bigstore_enabled": True})

    details = ends_in(third, "insufficient_node_flash")
    assert details["required_flash"] == 400 * GIB
    assert str(399 * GIB) in details["message"]
    assert statuses(first) == ["active", "down"]


def test_a_node_that_used_no_flash_asks_none_of_its_replacement(broken_cluster, fresh):
    first, third = broken_cluster(flash=400 * GIB), fresh("third", flash=1 * GIB)

    third.join(first, node={"identity": {"uid": 2}})

    assert third.wait_until("completed", "error")["state"] == "completed"


# time_not_sync


@pytest.mark.parametrize(("offset", "words"), [(3600, "ahead of"), (-3600, "behind")])
def test_code_time_not_sync_when_the_clocks_differ(cluster, fresh, offset, words):
    member, node = cluster(), fresh(clock_offset=offset)

    node.join(member)

    details = ends_in(node, "time_not_sync")
    assert details["tolerance_seconds"] == 10
    assert abs(details["difference_seconds"] - offset) < 10
    assert words in details["message"]
    assert statuses(member) == ["active"]


def test_clocks_that_are_wrong_together_are_in_step(cluster, fresh):
    member, node = cluster(clock_offset=3600), fresh(clock_offset=3602)

    node.join(member)

    assert node.wait_until("completed", "error")["state"] == "completed"


# rack_id_required


def test_code_rack_id_required_in_a_cluster_that_is_rack_aware(cluster, fresh):
    member = cluster({"policy": {"rack_aware": True}, "node": {"identity": {"rack_id": "rack-b"}}})
    second, third = fresh("second"), fresh("third")
    second.join(member, node={"identity": {"rack_id": "rack-a"}})
    second.wait_until("completed")

    third.join(member)

    details = ends_in(third, "rack_id_required")
    assert details["current_rack_ids"] == ["rack-a", "rack-b"]
    assert "rack-a, rack-b" in details["message"]


# socket_directory_mismatch, node_config_mismatch


def test_code_socket_directory_mismatch_names_both(cluster, fresh):
    member, node = cluster(), fresh(socket_directory="/tmp/sockets")

    node.join(member)

    details = ends_in(node, "socket_directory_mismatch")
    assert (details["node_value"], details["cluster_value"]) == ("/tmp/sockets", "/var/opt/redislabs/run")


@pytest.mark.parametrize(
    ("setting", "here", "there"),
    [
        ("install_dir", "/srv/redislabs", "/opt/redislabs"),
        ("config_dir", "/srv/etc", "/etc/opt/redislabs"),
        ("os_user", "redis", "redislabs"),
    ],
)
def test_code_node_config_mismatch_names_the_setting_and_both_values(cluster, fresh, setting, here, there):
    member, node = cluster(), fresh(**{setting: here})

    node.join(member)

    details = ends_in(node, "node_config_mismatch")
    assert details["mismatches"] == [{"setting": setting, "node_value": here, "cluster_value": there}]
    assert here in details["message"]
    assert there in details["message"]


def test_code_node_config_mismatch_names_every_setting_that_differs(cluster, fresh):
    member, node = cluster(), fresh(install_dir="/srv/redislabs", os_user="redis")

    node.join(member)

    assert [each["setting"] for each in ends_in(node, "node_config_mismatch")["mismatches"]] == [
        "install_dir",
        "os_user",
    ]


# path_error


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("{tmp}/absent/storage", "{tmp}/absent does not exist"),
        ("{tmp}/file", "{tmp}/file is not a directory"),
        ("{tmp}/dangling", "{tmp}/dangling is not a directory"),
        ("{tmp}/file/storage", "{tmp}/file is not a directory"),
        ("/proc/sys", "/proc/sys cannot be written"),
        ("/proc/sys/storage", "/proc/sys cannot be written"),
    ],
)
def test_code_path_error_names_the_path_that_cannot_be_used(fresh, tmp_path, place, words):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    place, words = place.format(tmp=tmp_path), words.format(tmp=tmp_path)
    node = fresh()

    node.create(node={"paths": {"persistent_path": place}})

    details = ends_in(node, "path_error")
    assert details["path"] == place
    assert words in details["message"]


@pytest.mark.parametrize("field", ["ephemeral_path", "bigstore_path", "ccs_persistent_path"])
def test_code_path_error_can_be_of_every_path(fresh, tmp_path, field):
    node = fresh()

    node.create(node={"paths": {field: f"{tmp_path}/absent/storage"}})

    assert ends_in(node, "path_error")["path"] == f"{tmp_path}/absent/storage"


@pytest.fixture
def mounts(tmp_path) -> Path:
    """The table of a machine on which /nfs of this folder comes from another."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        f"41 22 0:50 / {tmp_path}/nfs rw,relatime shared:3 - nfs4 filer.example.com:/export rw,vers=4.2\n"
    )
    (tmp_path / "nfs").mkdir()
    return table


@pytest.mark.parametrize("field", ["persistent_path", "ccs_persistent_path"])
def test_code_path_error_of_a_persistent_path_on_nfs_names_the_mount(fresh, tmp_path, mounts, field):
    node = fresh(mounts=mounts)
    (tmp_path / "link").symlink_to(tmp_path / "nfs")

    node.create(node={"paths": {field: f"{tmp_path}/link/storage"}})

    details = ends_in(node, "path_error")
    assert (details["path"], details["file_system"]) == (f"{tmp_path}/link/storage", "nfs4")
    assert f"mounted at {tmp_path}/nfs" in details["message"]
    assert list((tmp_path / "nfs").iterdir()) == []


@pytest.mark.parametrize("field", ["ephemeral_path", "bigstore_path"])
def test_a_path_that_need_not_outlive_the_machine_may_lie_on_nfs(fresh, tmp_path, mounts, field):
    node = fresh(mounts=mounts)

    node.create(node={"paths": {field: f"{tmp_path}/nfs/storage"}})

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_code_path_error_leaves_no_directory_behind(fresh, tmp_path):
    node = fresh()
    paths = {"persistent_path": f"{tmp_path}/persist", "bigstore_path": f"{tmp_path}/absent/flash"}

    node.create(node={"paths": paths})

    assert ends_in(node, "path_error")["path"] == f"{tmp_path}/absent/flash"
    assert not (tmp_path / "persist").exists()


def test_a_join_that_is_refused_leaves_no_directory_behind(cluster, fresh, tmp_path):
    member, node = cluster(), fresh(os_user="redis")

    node.join(member, node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

    ends_in(node, "node_config_mismatch")
    assert not (tmp_path / "persist").exists()


# internal_error


def test_code_internal_error_when_the_node_cannot_keep_its_certificate(fresh, tmp_path):
    node = fresh()
    obstacle = tmp_path / "node" / ".certificate.pem.new"
    obstacle.mkdir()

    node.create(node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

    status = node.wait_until("error", "completed")
    assert (status["state"], status.get("error_code")) == ("error", "internal_error")
    assert ".certificate.pem.new" in status["error_details"]["message"]
    assert not (tmp_path / "persist").exists()
    obstacle.rmdir()
    node.create()
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_code_internal_error_when_the_port_of_the_nodes_store_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with background(Node(tmp_path / "node", pace=PACE, ccs_port=port)) as server:
            node = Caller(server.address)

            node.create(node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

            status = node.wait_until("error", "completed")
            assert (status["state"], status.get("error_code")) == ("error", "internal_error")
            assert str(port) in status["error_details"]["message"]
            assert MARIA[1] not in json.dumps(status)
            assert not (tmp_path / "persist").exists()
            taken.close()
            assert node.create().status_code == 200
            assert node.wait_until("completed", "error")["state"] == "completed"
