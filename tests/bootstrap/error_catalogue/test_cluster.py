from setup_wizard.bootstrap.error_catalogue import Remedy
from setup_wizard.bootstrap.secret import MASK
from tests.bootstrap.error_catalogue.failures import CREATE, JOIN, buttons, explain_failure, text_of


def test_access_denied_names_the_account_and_the_member():
    explanation = explain_failure("access_denied")

    assert explanation.title == "The cluster refused the credentials"
    assert explanation.meaning == (
        "10.0.0.7 reached 10.0.0.5 and tried to sign in as admin@example.com. The cluster refused the credentials. "
        "The node did not join, and the cluster is unchanged."
    )
    assert explanation.part == "credentials.password"
    assert explanation.remedies[0] == Remedy("Enter the password again", "credentials.password", {})


def test_access_denied_names_the_member_that_the_node_reports():
    explanation = explain_failure("access_denied", {"node": "10.0.0.6:9443"})

    assert explanation.meaning.startswith("10.0.0.7 reached 10.0.0.6:9443 and tried to sign in")
    assert "The node adds" not in explanation.meaning


def test_a_rejected_client_certificate_leads_to_its_field():
    request = {**JOIN, "credentials": {"client_cert": "-----BEGIN…", "client_key": MASK}}

    assert explain_failure("access_denied", request=request).part == "credentials.client_cert"


def test_access_denied_during_a_create_is_about_the_node():
    explanation = explain_failure("access_denied", request=CREATE)

    assert explanation.title == "The node refused the credentials"
    assert "The cluster was not created." in explanation.meaning
    assert "still belongs to a cluster" in text_of(explanation)


def test_connect_error_names_members_port_and_a_test_command():
    request = {**JOIN, "cluster": {"nodes": ["redis-1.example.com", "10.0.0.6"]}, "cnm_https_port": 9444}

    explanation = explain_failure("connect_error", request=request)

    assert "through redis-1.example.com or 10.0.0.6 on port 9444" in explanation.meaning
    assert "The node cannot resolve redis-1.example.com." in explanation.causes[0]
    assert any("`nc -vz redis-1.example.com 9444`" in check for check in explanation.checks)
    assert [remedy.part for remedy in explanation.remedies] == ["cluster.nodes", "cnm_https_port"]


def test_connect_error_finds_a_node_that_is_its_own_member():
    explanation = explain_failure("connect_error", request={**JOIN, "cluster": {"nodes": ["10.0.0.7"]}})

    assert explanation.causes[0].startswith("10.0.0.7 is the node that joins.")


def test_connect_error_during_a_create_offers_own_addresses():
    request = {**CREATE, "node": {"identity": {"addr": "172.17.0.1"}}}

    explanation = explain_failure("connect_error", request=request)

    assert (
        "172.17.0.1 is not an address of this machine, or belongs to a bridge. The node lists 10.0.0.7."
        in explanation.causes
    )
    assert buttons(explanation)[0] == ("Use 10.0.0.7", {"node.identity.addr": "10.0.0.7"})


def test_time_not_sync_asks_for_no_change_of_the_request():
    explanation = explain_failure("time_not_sync", {"offset_seconds": 37.5})

    assert explanation.part == ""
    assert "their clocks differ: this node's is 37.5 s off." in explanation.meaning
    assert explanation.remedies == (Remedy("Start again", ""),)
