"""What a node and the cluster that it joins answered, for tests of checks: all in order, unless changed."""

from dataclasses import replace

from setup_wizard.attempts import preflight
from setup_wizard.attempts.preflight import Findings, NodeSetup
from setup_wizard.attempts.preflight.judging import applying
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Credentials, Identity, NodeIdentity, Paths
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import ClusterFacts, ListedNode, MemberState, Module, parse_answer
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.cluster_reading import ClusterReading
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates

NODE, MEMBER, CLUSTER = "10.0.0.9:9443", "10.0.0.5:9443", "redis-prod.example.com"
FINGERPRINT = ":".join(["AB"] * 32)
GIB = 2**30


def endpoint(key):
    address = Address.parse(key)
    return Endpoint(address, address.host, address.port)


def a_node(uid, **changes):
    """One of the cluster's nodes: 10.0.0.5, .6, .7 in rack-a, -b, -c."""
    addr = f"10.0.0.{4 + uid}"
    node = ListedNode(
        str(uid),
        "active",
        (addr,),
        addr=addr,
        software_version="7.22.0-216",
        rack_id=f"rack-{'abcdefgh'[uid - 1]}",
        total_memory=16 * GIB,
        flash_enabled=False,
    )
    return replace(node, **changes)


def a_reading(*nodes, cluster=None, **changes):
    """A rack-aware cluster of these nodes, or of three."""
    parts = {
        "nodes": nodes or (a_node(1), a_node(2), a_node(3)),
        "is_administrator": True,
        "member_states": (MemberState("1", "master"),),
        "actions": (),
        "modules": (Module("search", "2.10.5", is_bundled=True),),
        "missing": {},
    }
    settings = {"name": CLUSTER, "rack_aware": True, "upgrade_mode": False, "upgrade_in_progress": False}
    return ClusterReading(member=MEMBER, cluster=ClusterFacts(**settings | (cluster or {})), **parts | changes)


def a_setup(*, name="", paths=None, modules=(), credentials=None, **identity):
    """A join of 10.0.0.9 at 10.0.0.5; the keywords are those of the node's identity."""
    return NodeSetup(
        address=Address.parse(NODE),
        request=BootstrapRequest(
            action=Action.JOIN,
            cluster=ClusterIdentity(name=name, nodes=("10.0.0.5",)),
            node=NodeIdentity(identity=Identity(**identity), paths=paths or Paths()),
            user_defined_modules=modules,
        ),
        fingerprint=FINGERPRINT,
        members=(Address.parse(MEMBER),),
        member_fingerprint=FINGERPRINT,
        credentials=credentials or Credentials(username="admin@example.com", password=Secret("CANARY-Jupiter+7")),
    )


def findings(cluster, *, version="7.22.0-216", memory=16 * GIB, flash=None, **changes):
    """What was found: `cluster` is the reading or why there is none; the rest is about the node that joins."""
    answer = {
        "bootstrap_status": {"state": "idle"},
        "local_node_info": {
            "software_version": version,
            "total_memory": memory,
            "bigstore_size": flash,
            "available_addresses": [{"address": "10.0.0.9"}],
        },
    }
    node = Probe(Address.parse(NODE), endpoint(NODE), Certificate(FINGERPRINT), parse_answer(answer), member=False)
    member = Probe(Address.parse(MEMBER), endpoint(MEMBER), Certificate(FINGERPRINT), None, member=True)
    asked = {"node": node, "member": member, "members": MemberCertificates()} | changes
    return Findings(cluster=cluster, **asked)


def judge(name, setup, found):
    """Judge one check by its name; None when it has nothing to say or does not apply."""
    outcomes = preflight.judge(setup, found, [check for check in applying(setup) if check.name == name])
    return outcomes[0].result if outcomes else None
