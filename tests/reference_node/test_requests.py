import json

import pytest

from setup_wizard.reference_node.api import ROUTES
from setup_wizard.reference_node.bootstrap_plan import parse_plan
from setup_wizard.reference_node.lifecycle import Action
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits

from .background import background
from .conftest import MARIA, Caller, create_body, join_body, read_all


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
        ("node.paths.persistent_path", changed("node.paths.persistent_path", "var/opt")),
        ("node.paths.persistent_path", changed("node.paths.persistent_path", "/a\0b")),
        ("node.identity.addr", changed("node.identity.addr", "node-1")),
        ("node.identity.external_addr[0]", changed("node.identity.external_addr", ["x"])),
        ("node.identity.uid", changed("node.identity.uid", True)),
        ("node.identity.rack_id", changed("node.identity.rack_id", "1-rack")),
        ("node.limits.max_listeners", changed("node.limits.max_listeners", -1)),
        ("node.bigstore_enabled", changed("node.bigstore_enabled", "yes")),
        ("policy.default_shards_placement", changed("policy.default_shards_placement", "thick")),
        ("license", changed("license", ["text"])),
        ("credentials", changed("credentials", None)),
        ("credentials.username", changed("credentials.username", "")),
        ("credentials.username", changed("credentials.username", "a&b")),
        ("credentials.password", changed("credentials.password", "")),
        ("credentials.password", changed("credentials.password", 12)),
        ("credentials.client_cert", changed("credentials.client_cert", "PEM")),
        ("cnm_https_port", changed("cnm_https_port", 70000)),
        ("crdb_coordinator_port", changed("crdb_coordinator_port", 80)),
        ("dns_suffixes[0].name", changed("dns_suffixes", [{"name": 1}])),
        ("cluster.name", changed("cluster.name", "redis.example.com\n")),
        ("cluster", changed("cluster", None)),
        ("cluster.name", changed("cluster.name", None)),
        ("node.identity.external_addr[1]", changed("node.identity.external_addr", ["10.0.0.5", None])),
        ("node.identity.addr", changed("node.identity.addr", "fe80::1%eth0")),
        ("node.identity.uid", changed("node.identity.uid", "one")),
        ("node.identity.uid", changed("node.identity.uid", "0")),
        ("cnm_https_port", changed("cnm_https_port", "70000")),
        ("crdb_coordinator_port", changed("crdb_coordinator_port", "80")),
        ("gossip_envoy_admin_port", changed("gossip_envoy_admin_port", 80)),
        ("witness_disk", changed("witness_disk", "/dev/sdb")),
        ("user_defined_modules[0]", changed("user_defined_modules", ["module"])),
        ("retry_time", changed("retry_time", -1)),
        ("max_retries", changed("max_retries", "3")),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_with_the_field(idle_node, field, body):
    answer = idle_node.post("create_cluster", body)

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "config_error"
    assert answer.json()["description"].startswith(f"{field}: ")
    assert idle_node.status() == {"state": "idle"}


@pytest.mark.parametrize(
    ("field", "nodes"),
    [
        ("cluster.nodes", None),
        ("cluster.nodes", []),
        ("cluster.nodes[0]", ["https://10.0.0.5:9443"]),
        ("cluster.nodes[0]", ["10.0.0.5:9443"]),
        ("cluster.nodes[1]", ["10.0.0.5", "node-2.example.com:9443"]),
        ("cluster.nodes[0]", ["[fd00::5]:9443"]),
    ],
)
def test_a_join_refuses_members_with_a_port(idle_node, field, nodes):
    answer = idle_node.post("validate/join_cluster", {**join_body(idle_node), "cluster": {"nodes": nodes}})

    assert answer.status_code == 400
    assert answer.json()["description"].startswith(f"{field}: ")
    if nodes:
        assert "without a port" in answer.json()["description"]


@pytest.mark.parametrize("member", ["10.0.0.5", "fd00::5", "::ffff:10.0.0.5", "node-2.example.com", "node_2"])
def test_a_join_takes_a_member_by_address_or_name(idle_node, member):
    body = {**join_body(idle_node), "cluster": {"nodes": [member]}, "node": {"paths": {"persistent_path": "/x/y"}}}

    answer = idle_node.post("validate/join_cluster", body)

    assert answer.json()["error_code"] == "path_error"  # found before any member is asked


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("witness_disk", {"path": "/dev/sdb", "size": 1}),
        ("gossip_envoy_admin_port", 8006),
        ("retry_time", 86400),
        ("retry_time", 2**40),
        ("max_retries", 0),
        ("cnm_https_port", "9443"),
        ("crdb_coordinator_port", "09081"),
        ("node.identity.uid", "7"),
        ("credentials.password", "p" * 4096),
        ("credentials.username", "jürgen@example.com"),
        ("license", " " * 65536),
        ("node.identity.addr", None),
        ("node.identity.external_addr", None),
        ("node.paths", None),
        ("node.paths.persistent_path", None),
        ("node.identity.uid", None),
        ("node", None),
        ("policy", {"rack_aware": None, "default_shards_placement": None}),
        ("dns_suffixes", [{"name": "example.com", "slaves": None}]),
        ("cluster.nodes", None),
        ("license", None),
        ("action", None),
        ("credentials.client_cert", None),
        ("credentials.client_key", ""),
        ("user_defined_modules", [{"name": "search", "location": {"url": "https://example.com/search.zip"}}]),
        ("required_version", "v" * 255),
        ("node.bigstore_driver", "speedb"),
    ],
)
def test_requests_for_real_nodes_are_accepted(idle_node, path, value):
    answer = idle_node.post("validate/create_cluster", changed(path, value))

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("port", [9443, "9443"])
def test_digits_are_read_as_the_number_that_they_spell(port):
    body = {**changed("cnm_https_port", port), "node": {"identity": {"uid": "7"}}}

    plan = parse_plan(Action.CREATE, body)

    assert (plan.port, plan.uid) == (9443, 7)


def test_a_long_path_is_refused_by_the_disk(idle_node):
    body = changed("node.paths.persistent_path", "/" + "p" * 4095)

    answer = idle_node.post("validate/create_cluster", body)

    assert (answer.status_code, answer.json()["error_code"]) == (406, "path_error")


UNKNOWN = [
    ("cluster.clobber", True),
    ("flash_enabled", True),
    ("node.flash_enabled", False),
    ("clusters", {}),
    ("dns_suffixes", [{"name": "example.com", "ttl": 5}]),
]


@pytest.mark.parametrize(("path", "value"), UNKNOWN)
def test_an_unknown_key_is_ignored(idle_node, path, value):
    answer = idle_node.post("validate/create_cluster", changed(path, value))

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_join_may_name_the_cluster_beside_its_members(node, member):
    node.join(member, cluster={"name": "redis-prod.example.com", "nodes": [member.host], "clobber": True})

    assert node.wait_until("completed", "error")["state"] == "completed"


@pytest.fixture(scope="module")
def strict_node(tmp_path_factory):
    """A fresh node that was started with --strict."""
    with background(Node(tmp_path_factory.mktemp("strict"), traits=Traits(strict=True))) as server:
        yield Caller(server.address)


@pytest.mark.parametrize(("path", "value"), UNKNOWN)
def test_a_strict_node_refuses_an_unknown_key(strict_node, path, value):
    answer = strict_node.post("validate/create_cluster", changed(path, value))

    inside = "dns_suffixes[0].ttl" if path == "dns_suffixes" else path
    assert answer.status_code == 400
    assert answer.json()["description"] == f"{inside}: there is no such field"


def test_a_strict_node_accepts_any_key_in_user_defined_modules(strict_node):
    assert strict_node.post("validate/create_cluster", changed("witness_disk", {"any": 1})).status_code == 200
    assert strict_node.post("validate/create_cluster", changed("user_defined_modules", [{"any": 1}])).ok


def test_of_two_equal_keys_the_last_one_counts(idle_node):
    twice = json.dumps(create_body()).replace('"cluster": {', '"cluster": {"name": "-", ', 1)

    answer = idle_node.ask(
        "POST",
        "/v1/bootstrap/validate/create_cluster",
        data=twice.encode(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["credentials.password", "license", "node.identity.uid", "credentials.client_key"])
def test_a_refusal_never_shows_the_value(idle_node, path):
    value = "seven-quiet-otters" if path != "credentials.password" else ["seven-quiet-otters"]
    value = {"text": value} if path == "license" else value

    answer = idle_node.post("validate/create_cluster", changed(path, value))

    assert answer.status_code == 400
    assert "otters" not in answer.text


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


@pytest.mark.parametrize("depth", [100, 400, 700, 990, 5000])
def test_an_ignored_key_may_be_nested_but_not_endlessly(node, depth):
    body = json.dumps(create_body())[:-1] + ', "unknown": ' + '{"a": ' * depth + "1" + "}" * depth + "}"

    answer = node.ask("POST", "/v1/bootstrap/create_cluster", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert "nested" in answer.json()["description"]
    else:
        assert node.wait_until("completed", "error")["state"] == "completed"


def test_the_complete_documented_request_is_accepted(node, tmp_path):
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
        ("POST", "/v1/bootstrap/validate/leave_cluster", 404, None),
        ("GET", "/v1/bootstrap/validate/create_cluster", 405, "POST"),
        ("POST", "/v1/bootstrap", 405, "GET, HEAD"),
        ("HEAD", "/v1/bootstrap/create_cluster", 405, "POST"),
        ("HEAD", "/v1/boostrap", 404, None),
        ("OPTIONS", "/v1/bootstrap", 405, "GET, HEAD"),
        ("GET", "/v1/bootstrap/create_cluster", 405, "POST"),
        ("DELETE", "/v1/bootstrap/join_cluster", 405, "POST"),
    ],
)
def test_unknown_paths_and_methods_have_their_own_status(idle_node, method, path, status, allow):
    answer = idle_node.ask(method, path)

    assert answer.status_code == status
    assert answer.headers.get("Allow") == allow


READ = [path for path, methods in ROUTES.items() if "GET" in methods]


def ask_both(node, path, **options):
    """The answers to GET and to HEAD, without what differs from one moment to the next."""
    path = path.format(uid=1)
    answers = [node.ask(method, path, **options) for method in ("GET", "HEAD")]
    for answer in answers:
        for header in ("date", "content-length"):
            answer.headers.pop(header)
    return answers


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("auth", [None, MARIA], ids=["unsigned", "signed in"])
def test_head_answers_as_get_without_a_body(idle_node, lasting_member, path, auth):
    for node in (idle_node, lasting_member):
        read, headed = ask_both(node, path, auth=auth)

        assert (headed.status_code, headed.headers) == (read.status_code, read.headers)
        assert read.content
        assert headed.content == b""


def test_head_has_the_content_length_of_get(lasting_member):
    read, headed = (lasting_member.ask(method, "/v1/cluster", auth=MARIA) for method in ("GET", "HEAD"))

    assert headed.headers["content-length"] == read.headers["content-length"] == str(len(read.content))


def test_a_connection_works_after_a_head_request(idle_node):
    head = "HEAD /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n"
    with idle_node.connect() as connection:
        connection.sendall(
            f"{head}{head}GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n".encode()
        )
        answers = read_all(connection)

    assert answers.count(b"HTTP/1.1 200 ") == 3
    assert answers.count(b"bootstrap_status") == 1


def test_a_fault_of_get_affects_head_too(serve):
    node = Caller(serve(faults=("answer=503:get:all",)).address)

    assert [node.ask(method, "/v1/bootstrap").status_code for method in ("GET", "HEAD")] == [503, 503]


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
