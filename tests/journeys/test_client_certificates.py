"""A node joins a cluster that takes no passwords, in the browser, with files for certificate and key."""

import pytest
from playwright.sync_api import expect

from tests.client_certificates import Authority, certified_cluster, certified_node
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

AUTHORITY = Authority()
ANNA, STRANGER = AUTHORITY.issue("anna@example.com"), Authority("Somebody else").issue("anna@example.com")


@pytest.fixture
def nodes(demo, tmp_path):
    """A cluster that takes client certificates only, and a node that will."""
    with (
        certified_cluster(tmp_path / "cluster", AUTHORITY, bind="127.0.0.31", port=demo.node_port) as member,
        certified_node(tmp_path / "newcomer", AUTHORITY, bind="127.0.0.32", port=demo.node_port, pace=0.5) as node,
    ):
        yield member, node


def choose_files(page, directory, certificate):
    for label, name, pem in (
        ("Client certificate file", "client_cert", certificate.pem),
        ("Key of the client certificate file", "client_key", certificate.key),
    ):
        file = directory / f"{name}.pem"
        file.write_text(pem)
        page.get_by_label(label, exact=True).set_input_files(file)
        expect(page.locator(f"#id_{name}")).to_have_value(pem)


def test_a_node_joins_by_client_certificate(operator, demo, nodes, complaints, tmp_path):
    page, (member, node) = operator.page, nodes
    page.goto(demo.link)
    operator.open(f"/setup/new/?action=join_cluster&address={node.address}")
    operator.approve()
    operator.next("node")
    operator.next("cluster")
    page.get_by_label("API port").fill(str(member.port))
    page.get_by_label("Addresses of cluster nodes").fill(member.bind)
    page.locator("[name=sign_in_by][value=certificate]").check()
    operator.approve()
    expect(page.locator("#id_password")).to_be_hidden()
    expect(page.locator("#id_username")).to_be_hidden()
    choose_files(page, tmp_path, STRANGER)
    check_for_everybody(page)
    operator.next("review")
    expect(page.get_by_text("by a TLS alert: it does not trust its issuer")).to_be_visible()
    check_for_everybody(page)

    page.get_by_role("link", name="Enter another client certificate").first.click()
    expect(page.locator("[name=sign_in_by][value=certificate]")).to_be_checked()
    expect(page.locator("#id_client_key")).to_have_value("")
    choose_files(page, tmp_path, ANNA)
    operator.next("review")
    operator.start()
    operator.watch(until="The node has joined the cluster")

    check_for_everybody(page)
    asked = [line for each in nodes for line in each.requests()]
    assert {line["user"] for line in asked if line["signed_in"]} >= {"anna@example.com"}
    assert not any(line["authorization"] for line in asked)
    assert [line for line in member.journal_lines() if line.get("connection") == "client certificate refused"]
    assert [text for text in complaints if "422" not in text] == []
