"""A node joins a cluster through a probed and approved member."""

import pytest

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from tests.reference_node.running import start_node

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db


def port(node) -> str:
    return str(node.port)


def test_a_node_joins_without_a_script(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")

    maria.fill(members="127.0.0.2", port=port(member), username="admin@example.com", password=PASSWORD)
    assert maria.page.status_code == 422
    assert f"{member.address} is in a cluster" in maria.text
    maria.fill(member_fingerprints_match="on")
    assert maria.url.endswith("/review/")
    maria.start()

    attempt = Attempt.objects.get()
    assert attempt.action == "join_cluster"
    assert attempt.member_address == member.address
    assert attempt.member_fingerprint == probe(Address.parse(member.address)).certificate.fingerprint
    assert attempt.request["cluster"]["nodes"] == ["127.0.0.2"]
    assert attempt.request["cnm_https_port"] == member.port


def test_the_page_says_who_approved_the_members_certificate(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")
    maria.fill(members="127.0.0.2", port=port(member), username="admin@example.com", password=PASSWORD)

    maria.fill(member_fingerprints_match="on")

    approval = trust.approved(member.address)[0]
    assert approval.approved_by == maria.user
    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    assert "Approved by maria on" in maria.text


def test_join_rejects_a_node_that_is_not_a_member(maria, fresh_node, second_node):
    maria.to_cluster(fresh_node, "join_cluster")

    maria.fill(members="127.0.0.1", port=port(second_node), username="admin@example.com", password=PASSWORD)

    assert maria.page.status_code == 422
    assert f"{second_node.address} is not in a cluster." in maria.text
    assert not trust.approved(second_node.address)


def test_join_rejects_the_joining_node_as_member(maria, fresh_node):
    maria.to_cluster(fresh_node, "join_cluster")

    maria.fill(members="127.0.0.1", port=port(fresh_node), username="admin@example.com", password=PASSWORD)

    assert f"{fresh_node.address} is the node that joins." in maria.text


def test_a_member_with_a_port_says_where_the_port_goes(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")

    maria.fill(members=member.address, port="9443", username="admin@example.com", password=PASSWORD)

    assert "Enter the address without its port: “127.0.0.2”." in maria.text


def test_a_member_can_have_another_reachable_address(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")

    maria.fill(
        members="192.0.2.10",
        port="9443",
        member_address=member.address,
        username="admin@example.com",
        password=PASSWORD,
    )
    maria.fill(member_fingerprints_match="on")

    assert maria.url.endswith("/review/")
    maria.start("validation")  # the node does not reach that address
    attempt = Attempt.objects.get()
    assert attempt.member_address == member.address
    assert attempt.request["cluster"]["nodes"] == ["192.0.2.10"]


def test_switching_from_create_to_join_keeps_both_inputs(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk

    maria.open(f"/setup/{draft}/action/")
    maria.fill(action="join_cluster")
    maria.open(f"/setup/{draft}/cluster/")
    assert "members" in maria.fields
    maria.open(f"/setup/{draft}/action/")
    maria.fill(action="create_cluster")
    maria.open(f"/setup/{draft}/cluster/")

    assert maria.fields["name"] == "redis-prod.example.com"


def test_review_blocks_members_of_different_clusters(maria, fresh_node, member, tmp_path):
    maria.to_cluster(fresh_node, "join_cluster")
    with start_node(tmp_path / "apart", bind="127.0.0.3", port=member.port):
        maria.fill(members="127.0.0.2\n127.0.0.3", port=port(member), username="a@example.com", password=PASSWORD)
        maria.fill(member_fingerprints_match="on")
        review = maria.text
        assert maria.start().status_code == 422

    assert f"{member.address} and 127.0.0.3:{member.port} show different certificates" in review
    assert not Attempt.objects.exists()


def test_the_name_of_the_cluster_to_join_is_sent(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")
    maria.fill(
        members="127.0.0.2",
        port=port(member),
        name="redis-prod.example.com",
        username="admin@example.com",
        password=PASSWORD,
    )
    maria.fill(member_fingerprints_match="on")
    maria.start()

    assert Attempt.objects.get().request["cluster"]["name"] == "redis-prod.example.com"


def test_cluster_of_the_member_is_named_where_it_is_known(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")
    maria.fill(members="127.0.0.2", port=port(member), username="admin@example.com", password=PASSWORD)
    maria.fill(member_fingerprints_match="on")
    TrustedCertificate.objects.filter(address=member.address).update(cluster="redis-prod.example.com")

    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    assert f"{member.address} is in redis-prod.example.com" in maria.text


def test_the_step_counts_rejected_sign_ins(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")
    maria.fill(members="127.0.0.2", port=port(member), username="admin@example.com", password=PASSWORD)
    maria.fill(member_fingerprints_match="on")
    account = sign_ins.Account((maria.draft.member_fingerprint,), "admin@example.com")
    wrong = Credentials(username=account.username, password=Secret("CANARY-wrong"))
    sign_ins.reserve(account, wrong).refuse()

    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    assert "1 sign-in of this wizard as admin@example.com without success counts towards a lockout" in maria.text


def test_review_warns_about_credentials_refused_a_moment_ago(maria, fresh_node, member):
    maria.to_cluster(fresh_node, "join_cluster")
    account = sign_ins.Account((probe(Address.parse(member.address)).certificate.fingerprint,), "admin@example.com")
    wrong = Credentials(username="admin@example.com", password=Secret("Wrong-horse-7-battery"))
    sign_ins.reserve(account, wrong).refuse()
    maria.fill(members="127.0.0.2", port=port(member), username="admin@example.com", password="Wrong-horse-7-battery")
    maria.fill(member_fingerprints_match="on")
    refused = maria.text
    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    asked_again = maria.text
    maria.fill(password="")
    empty = maria.page.status_code
    maria.fill(password=PASSWORD)

    assert "The cluster refused what is stored" in asked_again
    assert "Leave empty" not in asked_again
    assert empty == 422
    assert "The cluster refused admin@example.com with this password at" in refused
    assert maria.url.endswith("/review/")
    assert "The cluster refused" not in maria.text
