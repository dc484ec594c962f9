from setup_wizard.bootstrap.catalogue import Remedy
from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.catalogue.asking import CREATE, JOIN, buttons, why, words


def test_a_refused_sign_in_says_who_was_refused_by_whom():
    explanation = why("access_denied")

    assert explanation.title == "The cluster refused the sign-in"
    assert explanation.meaning == (
        "10.0.0.7 reached 10.0.0.5 and offered the admin sign-in for admin@example.com. The cluster did not accept it, "
        "so the node stayed out. Nothing on the cluster was changed."
    )
    assert explanation.part == "credentials.password"
    assert explanation.remedies[0] == Remedy("Enter the sign-in again", "credentials.password", {})


def test_a_refused_sign_in_names_the_member_that_the_node_names():
    explanation = why("access_denied", {"node": "10.0.0.6:9443"})

    assert explanation.meaning.startswith("10.0.0.7 reached 10.0.0.6:9443 and offered")
    assert "The node adds" not in explanation.meaning


def test_a_refused_certificate_leads_to_the_certificate():
    request = {**JOIN, "credentials": {"client_cert": "-----BEGIN…", "client_key": MASK}}

    assert why("access_denied", request=request).part == "credentials.client_cert"


def test_a_refusal_at_a_create_speaks_of_the_node_not_of_a_cluster_that_is_not_there():
    explanation = why("access_denied", request=CREATE)

    assert explanation.title == "The node refused the sign-in"
    assert "The cluster was not made." in explanation.meaning
    assert "still belongs to a cluster" in words(explanation)


def test_a_lost_way_names_the_members_the_port_and_how_to_try_it():
    request = {**JOIN, "cluster": {"nodes": ["redis-1.example.com", "10.0.0.6"]}, "cnm_https_port": 9444}

    explanation = why("connect_error", request=request)

    assert "through redis-1.example.com or 10.0.0.6 on port 9444" in explanation.meaning
    assert "10.0.0.7 cannot resolve redis-1.example.com" in explanation.causes[0]
    assert any("`nc -vz redis-1.example.com 9444`" in check for check in explanation.checks)
    assert [remedy.part for remedy in explanation.remedies] == ["cluster.nodes", "cnm_https_port"]


def test_a_node_that_was_told_to_ask_itself_is_told_so():
    explanation = why("connect_error", request={**JOIN, "cluster": {"nodes": ["10.0.0.7"]}})

    assert explanation.causes[0].startswith("10.0.0.7 is the node that is to join.")


def test_a_create_that_cannot_connect_is_offered_the_nodes_own_addresses():
    request = {**CREATE, "node": {"identity": {"addr": "172.17.0.1"}}}

    explanation = why("connect_error", request=request)

    assert (
        "172.17.0.1 is not an address of this machine, or is on a bridge. The node lists 10.0.0.7."
        in explanation.causes
    )
    assert buttons(explanation)[0] == ("Use 10.0.0.7", {"node.identity.addr": "10.0.0.7"})


def test_clocks_are_put_right_on_the_machines_not_on_the_page():
    explanation = why("time_not_sync", {"offset_seconds": 37.5})

    assert explanation.part == ""
    assert "The node adds: offset_seconds 37.5." in explanation.meaning
    assert explanation.remedies == (Remedy("Start again", ""),)
