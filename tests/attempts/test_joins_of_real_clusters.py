"""The checks of a join, against clusters of reference nodes."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.preflight import Answering, Findings, Level, NodeSetup, SignInRefused
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Credentials, Identity, NodeIdentity
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.cluster_reading import read_cluster
from setup_wizard.nodes.errors import NodeRefused
from setup_wizard.nodes.probe import probe
from setup_wizard.nodes.probing import MemberCertificates
from tests.attempts.join_findings import judge
from tests.attempts.real_clusters import OLAF, make_cluster, nodes_of_one_port, overlay
from tests.client_certificates import Authority
from tests.reference_node.conftest import MARIA, Caller, join_body, wait_for
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db

ADMINISTRATOR = Credentials(username=MARIA[0], password=Secret(MARIA[1]))


@pytest.fixture(scope="module")
def shared_nodes(tmp_path_factory):
    with nodes_of_one_port(tmp_path_factory.mktemp("nodes")) as start:
        yield make_cluster(start), start("127.0.0.9")


@pytest.fixture
def cluster(shared_nodes):
    """A cluster of three; no test may change it."""
    shared_nodes[0][0].put_faults()
    return shared_nodes[0]


@pytest.fixture
def newcomer(shared_nodes):
    """A node without a cluster; no test may set it up."""
    return shared_nodes[1]


def ask(node, member, *, credentials=ADMINISTRATOR, old_node=None, **identity):
    """Ask the node and the cluster; return the setup and what was found."""
    seen, member_seen = probe(Address.parse(node.address)), probe(Address.parse(member.address))
    setup = NodeSetup(
        address=Address.parse(node.address),
        request=BootstrapRequest(
            action=Action.JOIN,
            cluster=ClusterIdentity(nodes=(member_seen.endpoint.ip,)),
            node=NodeIdentity(identity=Identity(addr=seen.endpoint.ip, **identity)),
        ),
        fingerprint=seen.certificate.fingerprint,
        members=(Address.parse(member.address),),
        member_fingerprint=member_seen.certificate.fingerprint,
        credentials=credentials,
    )
    try:
        with connect(member_seen.endpoint, {member_seen.certificate.fingerprint}) as connection:
            cluster = read_cluster(connection, credentials, reserved=nullcontext())
    except NodeRefused as refusal:
        cluster = SignInRefused(refusal.status)
    found = Findings(
        node=seen, member=member_seen, members=MemberCertificates(), cluster=cluster, old_node=old_node or Answering()
    )
    return setup, found


def levels(setup, found, *names):
    return {name: judged.level for name in names if (judged := judge(name, setup, found))}


def test_node_with_a_rack_of_its_own_passes_every_check(cluster, newcomer):
    setup, found = ask(newcomer, cluster[0], rack_id="rack-d")
    names = ("sign_in", "administrator", "cluster_name", "rack", "cluster_version", "modules", "cluster_license")

    assert levels(setup, found, *names, "cluster_busy", "cluster_degraded") == dict.fromkeys(
        [*names, "cluster_busy", "cluster_degraded"], Level.PASSED
    )
    assert judge("listed_members", setup, found) is None
    assert found.cluster.missing == {}


def test_wrong_password_is_refused_with_one_request(cluster, newcomer):
    setup, found = ask(newcomer, cluster[0], credentials=Credentials(username=MARIA[0], password=Secret("No-7")))

    assert judge("sign_in", setup, found).level is Level.FAILED
    sent = [line["path"] for line in cluster[0].requests() if line["authorization"] and not line["signed_in"]]
    assert sent == ["/v1/cluster"]


def test_account_that_may_only_look_is_no_administrator(cluster, newcomer):
    setup, found = ask(newcomer, cluster[0], credentials=Credentials(username=OLAF[0], password=Secret(OLAF[1])))

    assert levels(setup, found, "sign_in", "administrator") == {"sign_in": Level.PASSED, "administrator": Level.FAILED}


def test_cluster_without_passwords_is_read_by_client_certificate(tmp_path, newcomer):
    authority = Authority()
    (tmp_path / "client-ca.pem").write_text(authority.pem)
    anna = authority.issue("anna@example.com")
    certificate = Credentials(client_cert=anna.pem, client_key=Secret(anna.key))
    options = ("--client-ca", str(tmp_path / "client-ca.pem"), "--no-basic-auth")
    with start_node(tmp_path / "member", bind="127.0.0.7", pace=0.0, options=options) as member:
        Caller(member.address).create()
        wait_for(lambda: Caller(member.address).wants_a_sign_in())
        setup, found = ask(newcomer, member, credentials=certificate)
        refused = ask(newcomer, member)

    names = ("sign_in", "administrator", "cluster_busy", "cluster_degraded")
    assert levels(setup, found, *names) == dict.fromkeys(names, Level.PASSED)
    assert judge("sign_in", *refused).level is Level.FAILED


def test_node_without_a_rack_is_offered_those_in_use(cluster, newcomer):
    judged = judge("rack", *ask(newcomer, cluster[0]))

    assert judged.level is Level.FAILED
    assert [remedy.label for remedy in judged.remedies] == [
        "Join in a new rack",
        "Join in rack-a",
        "Join in rack-b",
        "Join in rack-c",
    ]
    said = Caller(newcomer.address).post("validate/join_cluster", join_body(Caller(cluster[0].address))).json()
    assert said["error_code"] == "rack_id_required"


@pytest.mark.parametrize(
    ("path", "patch", "words"),
    [
        ("/v1/cluster", {"upgrade_in_progress": True}, "an upgrade is in progress"),
        ("/v1/nodes", {"2": {"status": "decommissioning"}}, "node 2 is decommissioning"),
        ("/v1/nodes", {"7": {"status": "provisioning"}}, "node 7 is provisioning"),
        ("/v1/nodes/status", {"2": {"maintenance_snapshot": {"name": "patch"}}}, "node 2 is in maintenance (patch)"),
        ("/v1/actions", {"actions": [{"name": "migrate_shard", "status": "running"}]}, "it runs migrate_shard"),
    ],
)
def test_busy_cluster_stops_a_join(cluster, newcomer, path, patch, words):
    cluster[0].put_faults(overlay(path, patch))

    judged = judge("cluster_busy", *ask(newcomer, cluster[0], rack_id="rack-d"))

    assert (judged.blocks, words in judged.message) == (True, True)


@pytest.mark.parametrize(
    "path", ["/v1/nodes/status", "/v1/actions", "/v1/license", "/v1/modules", "/v1/cluster/policy"]
)
@pytest.mark.parametrize("status", [403, 404, 405])
def test_cluster_without_a_call_can_be_joined(cluster, newcomer, path, status):
    cluster[0].put_faults(overlay(path, status))

    setup, found = ask(newcomer, cluster[0], rack_id="rack-d")

    assert found.cluster.missing == {}
    assert judge("cluster_busy", setup, found).level is Level.PASSED


def test_replacement_of_a_node_that_is_alive_is_stopped(cluster, newcomer):
    judged = judge("replaced_node", *ask(newcomer, cluster[0], uid=2))

    assert judged.blocks
    assert "is active. Only a node that is down can be replaced." in judged.message


def test_replacement_needs_a_second_read_after_a_minute(tmp_path):
    with nodes_of_one_port(tmp_path) as start:
        first, second, _ = make_cluster(start)
        node = start("127.0.0.9")
        second.kill()
        wait_for(lambda: Caller(first.address).nodes()[2] == "down")
        setup, found = ask(node, first, uid=2)
        new = judge("cluster_degraded", *ask(node, first, rack_id="rack-d"))

    once = judge("replaced_node", setup, found)
    assert (once.level, once.needs_consent) == (Level.NOT_CHECKED, True)
    found.earlier = {"replaced_node": once.data | {"down_since": (timezone.now() - timedelta(minutes=2)).isoformat()}}
    assert judge("replaced_node", setup, found).confirmation == "The old machine is off and will be reinstalled"
    names = ("rack", "quorum", "replaced_memory", "cluster_busy")
    assert levels(setup, found, *names) == dict.fromkeys(names, Level.PASSED)
    assert new.blocks
    assert [remedy.label for remedy in new.remedies] == ["Replace node 2"]
