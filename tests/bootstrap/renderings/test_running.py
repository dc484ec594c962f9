"""Renderings that bring up reference nodes: cURL and Ansible, a create and a join each."""

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from setup_wizard.bootstrap.renderings import render_request
from setup_wizard.bootstrap.request import parse_request
from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.samples import CERTIFICATE, DOCUMENTED_CREATE, DOCUMENTED_JOIN, EVERYTHING, KEY
from tests.bootstrap.strategies import documents
from tests.client_certificates import Authority

from .nodes import FINGERPRINT, ask, fingerprint_of, is_created, wait_for
from .running import PASSWORD, USERNAME, check_syntax, run_bash, run_playbook, type_password

TYPED = PASSWORD.replace("\n", "")  # nobody types a line break
MARIA = ("maria@example.com", "correct horse")

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


def rendered(document, node, fingerprint=None):
    shown = fingerprint or fingerprint_of(node)
    return {
        each.name: each.text
        for each in render_request(parse_request(document), address=node.address, fingerprint=shown)
    }


def create_document(node, username=MARIA[0]):
    credentials = {"username": username, "password": "unused here"}
    return {**DOCUMENTED_CREATE, "node": {"identity": {"addr": node.bind}}, "credentials": credentials}


def join_document(member, credentials):
    cluster = {"nodes": [member.bind]}
    return {"action": "join_cluster", "cluster": cluster, "cnm_https_port": member.port, "credentials": credentials}


@pytest.fixture
def member(start):
    """The first node of my.cluster, whose administrator is maria."""
    node = start("member")
    requests.post(
        f"{node.url}/v1/bootstrap/create_cluster",
        json=create_document(node) | {"credentials": dict(zip(("username", "password"), MARIA, strict=True))},
        verify=False,
        timeout=5,
    ).raise_for_status()
    assert wait_for(lambda: is_created(node, MARIA))
    return node


def has_joined(member, auth=MARIA, cert=None):
    nodes = ask(member, "/v1/nodes", auth, cert)
    return [each["status"] for each in nodes] == ["active", "active"]


def test_the_curl_script_creates_a_cluster(start):
    node = start("node")
    script = rendered(create_document(node, USERNAME), node)["curl"]

    answer = run_bash(script, CLUSTER_PASSWORD=PASSWORD)

    assert answer.returncode == 0, answer.stderr
    signed_in = (USERNAME.encode(), PASSWORD.encode())
    assert wait_for(lambda: is_created(node, signed_in))
    assert ask(node, "/v1/cluster", signed_in)["name"] == "my.cluster"


def test_the_curl_script_joins_a_cluster(start, member):
    node = start("node")
    document = join_document(member, {"username": MARIA[0], "password": "unused here"})

    answer = run_bash(rendered(document, node)["curl"], CLUSTER_PASSWORD=MARIA[1])

    assert answer.returncode == 0, answer.stderr
    assert wait_for(lambda: has_joined(member))


def test_the_curl_script_sends_nothing_to_another_certificate(start):
    node = start("node")
    script = rendered(DOCUMENTED_CREATE, node, FINGERPRINT)["curl"]

    answer = run_bash(script, CLUSTER_PASSWORD=PASSWORD)

    assert answer.returncode == 1
    assert b"another certificate" in answer.stderr
    assert ask(node, "/v1/bootstrap")["bootstrap_status"] == {"state": "idle"}
    assert node.accepted() == []


def test_the_curl_script_fails_when_the_node_refuses(start):
    node = start("node")
    script = rendered({**DOCUMENTED_CREATE, "node": {"paths": {"persistent_path": "/x"}}}, node)["curl"]
    broken = script.replace('"action": "create_cluster"', '"action": "break_it"')

    answer = run_bash(broken, CLUSTER_PASSWORD="otters")

    assert answer.returncode == 1
    assert b"HTTP 4" in answer.stdout
    assert MASK.encode() not in answer.stdout


@pytest.fixture
def certified(start, tmp_path):
    """A node for a cluster without passwords, with the credentials and the environment to join it, and its member."""
    authority, trusted = Authority(), tmp_path / "authority.pem"
    trusted.write_text(authority.pem)
    client = authority.issue()
    for name, text in (("client.pem", client.pem), ("key.pem", client.key)):
        (tmp_path / name).write_text(text)
    options = ("--client-ca", str(trusted), "--no-basic-auth")
    member, node = (start(name, options=options) for name in ("member", "node"))
    requests.post(
        f"{member.url}/v1/bootstrap/create_cluster", json=create_document(member), verify=False, timeout=5
    ).raise_for_status()
    cert = (str(tmp_path / "client.pem"), str(tmp_path / "key.pem"))
    assert wait_for(lambda: ask(member, "/v1/nodes", cert=cert))
    return member, node, client, cert


def test_the_curl_script_joins_with_a_client_certificate(certified):
    member, node, client, cert = certified
    script = rendered(join_document(member, client.credentials), node)["curl"]

    answer = run_bash(script, CLIENT_KEY_FILE=cert[1])

    assert client.key not in script
    assert answer.returncode == 0, answer.stderr
    assert wait_for(lambda: has_joined(member, None, cert))


# texts for people and machines that Ansible must not evaluate, and every way to sign in
PLAYBOOKS = [
    EVERYTHING,
    DOCUMENTED_CREATE,
    {**DOCUMENTED_JOIN, "credentials": {"client_cert": CERTIFICATE, "client_key": KEY, "trusted_ca": CERTIFICATE}},
    {"action": "recover_cluster", "recovery_filename": "{{ lookup('env', 'HOME') }}.rdb"},
    {**DOCUMENTED_CREATE, "node": {"paths": {"persistent_path": "/a: 'b' # {% if %} $(id)"}}},
]


def playbook_of(document):
    request = parse_request(document, credentials_required=False)
    texts = render_request(request, address="[fd00::7]:9443", fingerprint=FINGERPRINT)
    return next(each.text for each in texts if each.name == "ansible")


def test_ansible_reads_every_kind_of_playbook(tmp_path):
    checked = check_syntax(tmp_path, list(map(playbook_of, PLAYBOOKS)))

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.count("playbook: ") == len(PLAYBOOKS)


@pytest.mark.slow
@given(requests=st.lists(documents(), min_size=12, max_size=12))
@settings(max_examples=3, deadline=None)
def test_ansible_reads_the_playbook_of_any_request(tmp_path_factory, requests):
    checked = check_syntax(tmp_path_factory.mktemp("playbooks"), list(map(playbook_of, requests)))

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.slow
def test_the_playbook_creates_a_cluster_with_a_typed_password(start, tmp_path):
    node = start("node")
    playbook = rendered(create_document(node, USERNAME), node)["ansible"]

    code, shown = type_password(tmp_path, playbook, TYPED)

    assert code == 0, shown
    assert "WARNING" not in shown
    assert TYPED not in shown
    *_, last = node.requests()
    assert (last["path"], last["status"], last["user"]) == ("/v1/nodes", 200, USERNAME)
    assert [line["path"] for line in node.accepted()] == ["/v1/bootstrap/create_cluster"]
    assert is_created(node, (USERNAME.encode(), TYPED.encode()))


@pytest.mark.slow
def test_the_playbook_joins_a_cluster(start, member, tmp_path):
    node = start("node")
    document = join_document(member, {"username": MARIA[0], "password": "unused here"})

    ran = run_playbook(tmp_path, rendered(document, node)["ansible"], cluster_password=MARIA[1])

    assert ran.returncode == 0, ran.stdout
    assert MARIA[1] not in ran.stdout + ran.stderr
    assert wait_for(lambda: has_joined(member))
    *_, last = node.requests()
    assert (last["path"], last["status"], last["user"]) == ("/v1/nodes", 200, MARIA[0])


@pytest.mark.slow
def test_the_playbook_joins_with_a_client_certificate(certified, tmp_path):
    member, node, client, cert = certified
    playbook = rendered(join_document(member, client.credentials), node)["ansible"]

    ran = run_playbook(tmp_path, playbook, client_cert_file=cert[0], client_key_file=cert[1])

    assert ran.returncode == 0, ran.stdout
    assert wait_for(lambda: has_joined(member, None, cert))
    *_, last = node.requests()
    assert (last["path"], last["status"], last["user"]) == ("/v1/nodes", 200, "admin@example.com")


def test_the_playbook_sends_nothing_to_another_certificate(start, tmp_path):
    node = start("node")

    ran = run_playbook(tmp_path, rendered(DOCUMENTED_CREATE, node, FINGERPRINT)["ansible"], cluster_password="otters")

    assert ran.returncode == 2
    assert "The node shows another certificate." in ran.stdout
    assert node.requests() == []


def test_the_playbook_shows_why_the_bootstrap_failed(start, tmp_path):
    node = start("node")
    document = create_document(node) | {"node": {"identity": {"addr": "203.0.113.9"}}}

    ran = run_playbook(tmp_path, rendered(document, node)["ansible"], cluster_password=MARIA[1])

    assert ran.returncode == 2
    assert "203.0.113.9 is not an address of this node" in ran.stdout
    assert [line["path"] for line in node.requests() if line["authorization"]] == []
