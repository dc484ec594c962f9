import json

import pytest

from .conftest import create_body, join_body


def changed(path: str, value: object) -> dict:
    body = create_body()
    place = body
    *groups, name = path.split(".")
    for group in groups:
        place = place.setdefault(group, {})
    place[name] = value
    return body


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("action", changed("action", "join_cluster")),
        ("action", changed("action", 1)),
        ("cluster", changed("cluster", [])),
        ("cluster.name", changed("cluster.name", "")),
        ("cluster.name", changed("cluster.name", "-redis.example.com")),
        ("cluster.name", changed("cluster.name", "redis..example.com")),
        ("cluster.name", changed("cluster.name", "a." * 33 + "com")),
        ("cluster.name", changed("cluster.name", "redis prod")),
        ("cluster.nodes", changed("cluster.nodes", "10.0.0.5")),
        ("cluster.nodes[0]", changed("cluster.nodes", [5])),
        ("cluster.names", changed("cluster.names", "x")),
        ("clusters", changed("clusters", {})),
        ("node.paths.persistent_path", changed("node.paths.persistent_path", "var/opt")),
        ("node.paths.persistent_path", changed("node.paths.persistent_path", "/a\0b")),
        ("node.identity.addr", changed("node.identity.addr", "node-1")),
        ("node.identity.external_addr[0]", changed("node.identity.external_addr", ["x"])),
        ("node.identity.uid", changed("node.identity.uid", True)),
        ("node.identity.rack_id", changed("node.identity.rack_id", "1-rack")),
        ("node.limits.max_listeners", changed("node.limits.max_listeners", -1)),
        ("node.bigstore_enabled", changed("node.bigstore_enabled", "yes")),
        ("policy.default_shards_placement", changed("policy.default_shards_placement", "thick")),
        ("license", changed("license", None)),
        ("credentials", changed("credentials", None)),
        ("credentials.username", changed("credentials.username", "")),
        ("credentials.username", changed("credentials.username", "a&b")),
        ("credentials.password", changed("credentials.password", "")),
        ("credentials.password", changed("credentials.password", 12)),
        ("credentials.client_cert", changed("credentials.client_cert", "PEM")),
        ("cnm_https_port", changed("cnm_https_port", 70000)),
        ("crdb_coordinator_port", changed("crdb_coordinator_port", 80)),
        ("dns_suffixes[0].name", changed("dns_suffixes", [{"name": 1}])),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_by_the_name_of_its_field(idle_node, field, body):
    answer = idle_node.post("create_cluster", body)

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "config_error"
    assert answer.json()["description"].startswith(f"{field}: ")
    assert idle_node.status() == {"state": "idle"}


@pytest.mark.parametrize(
    ("field", "cluster"), [("cluster.nodes", {}), ("cluster.nodes[0]", {"nodes": ["https://10.0.0.5:9443"]})]
)
def test_a_join_wants_members_without_a_port(idle_node, field, cluster):
    answer = idle_node.post("join_cluster", {**join_body(idle_node), "cluster": cluster})

    assert answer.status_code == 400
    assert answer.json()["description"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"max_retries": NaN}', "NaN"),
        (b"\xff", "UTF-8"),
        (b'{"license": "\\ud800"}', "UTF-8"),
        (b"[" * 500_000, "nested"),
    ],
    ids=["nothing", "cut", "list", "null", "NaN", "latin", "surrogate", "deep"],
)
def test_a_body_that_is_no_json_object_is_refused(idle_node, body, words):
    answer = idle_node.ask(
        "POST", "/v1/bootstrap/create_cluster", data=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "config_error"
    assert words in answer.json()["description"]


def test_the_whole_of_the_documented_request_is_taken(node, tmp_path):
    paths = {f"{name}_path": str(tmp_path / name) for name in ("persistent", "ephemeral", "bigstore", "ccs_persistent")}
    body = create_body(
        node={
            "paths": paths,
            "bigstore_driver": "rocksdb",
            "bigstore_enabled": True,
            "limits": {"max_listeners": 100, "max_redis_servers": 100},
            "identity": {
                "addr": "127.0.0.1",
                "external_addr": ["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "3.4.5.6"],
                "rack_id": "rack-a",
                "name": "node-1",
            },
        },
        policy={"rack_aware": True, "default_shards_placement": "sparse"},
        dns_suffixes=[{"name": "example.com", "cluster_default": True, "slaves": ["10.0.0.53"]}],
        max_retries=2,
        retry_time=5,
        envoy_admin_port=8002,
    )

    assert node.post("create_cluster", body).status_code == 200
    assert node.wait_until("completed")
    assert all((tmp_path / name).is_dir() for name in ("persistent", "ephemeral", "bigstore", "ccs_persistent"))


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/", 404, None),
        ("GET", "/v1/boostrap", 404, None),
        ("GET", "/bootstrap", 404, None),
        ("GET", "/v1/bootstrap/", 404, None),
        ("POST", "/v1/bootstrap/leave_cluster", 404, None),
        ("POST", "/v1/bootstrap/validate/leave_cluster", 404, None),
        ("GET", "/v1/bootstrap/validate/create_cluster", 405, "POST"),
        ("POST", "/v1/bootstrap", 405, "GET"),
        ("HEAD", "/v1/bootstrap", 405, "GET"),
        ("GET", "/v1/bootstrap/create_cluster", 405, "POST"),
        ("DELETE", "/v1/bootstrap/join_cluster", 405, "POST"),
    ],
)
def test_unknown_paths_and_methods_have_their_own_status(idle_node, method, path, status, allow):
    answer = idle_node.ask(method, path)

    assert answer.status_code == status
    assert answer.headers.get("Allow") == allow


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_that_it_is_json_is_refused(idle_node, media):
    headers = {"Content-Type": media} if media else {}

    answer = idle_node.ask(
        "POST", "/v1/bootstrap/create_cluster", data=json.dumps(create_body()).encode(), headers=headers
    )

    assert answer.status_code == 415


def test_the_media_type_may_have_a_charset(node):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    answer = node.ask("POST", "/v1/bootstrap/create_cluster", data=json.dumps(create_body()).encode(), headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("length", ["Content-Length: 1048577", "Transfer-Encoding: chunked"])
def test_a_body_over_one_mebibyte_is_refused(idle_node, length):
    head = (
        f"POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    )

    with idle_node.connect() as connection:
        connection.sendall(head.encode())
        if "chunked" in length:
            connection.sendall(b"100001\r\n" + b" " * 0x100001 + b"\r\n0\r\n\r\n")
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_body_of_exactly_one_mebibyte_is_read(node):
    body = json.dumps(create_body()).encode().ljust(1024 * 1024)

    answer = node.ask("POST", "/v1/bootstrap/create_cluster", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200
