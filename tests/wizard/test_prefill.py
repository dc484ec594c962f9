"""A draft from an attempt: a retry, or the next node of the same cluster."""

import pytest

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes.models import TrustedCertificate
from tests.attempts.attempt_rows import add_attempt

from .conftest import PASSWORD, trust_node

pytestmark = pytest.mark.django_db

LICENSE = "----- LICENSE START -----\nabcdef\n----- LICENSE END -----"


@pytest.fixture
def failed_join(maria, fresh_node, member) -> Attempt:
    """A join whose credentials the cluster rejected."""
    maria.approve(fresh_node, "join_cluster")
    maria.fill(rack_id="rack-a", external_addr="203.0.113.7")
    maria.fill(members="127.0.0.2", port=str(member.port), username="admin@example.com", password=PASSWORD)
    maria.fill(member_fingerprints_match="on")
    maria.start()
    Attempt.objects.update(state=State.FAILED)
    attempt = Attempt.objects.get()
    vault.discard(attempt.pk)
    return attempt


def test_retry_opens_the_field_and_keeps_the_rest(maria, failed_join, member):
    page = maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "credentials.password"})

    draft = maria.draft
    assert page["Location"] == f"/setup/{draft.pk}/cluster/#id_password"
    maria.open(page["Location"])
    assert maria.fields["members"] == "127.0.0.2"
    assert maria.fields["port"] == str(member.port)
    assert maria.fields["username"] == "admin@example.com"
    assert maria.fields["password"] == ""
    assert "Enter the password again." in maria.text
    assert draft.data["node"]["rack_id"] == "rack-a"
    assert draft.data["node"]["external_addr"] == ["203.0.113.7"]


def test_retry_needs_only_the_password(maria, failed_join):
    maria.open(maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "credentials.password"})["Location"])

    maria.fill(password=PASSWORD)

    assert maria.url.endswith("/review/")
    maria.start()
    second = Attempt.objects.exclude(pk=failed_join.pk).get()
    assert second.request == failed_join.request
    assert second.username == failed_join.username


def test_retry_uses_the_value_of_the_remedy(maria, failed_join):
    page = maria.client.post(
        f"/setup/retry/{failed_join.pk}/",
        {"part": "node.identity.rack_id", "value:node.identity.rack_id": "rack-b"},
    )

    assert page["Location"].endswith("/cluster/")  # the password is all that the review waits for
    assert maria.draft.data["node"]["rack_id"] == "rack-b"


def test_retry_can_name_the_node_to_replace(maria, failed_join):
    maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "node.identity.uid", "value:node.identity.uid": "2"})

    assert maria.draft.data["node"]["uid"] == 2


def test_retry_marks_what_the_remedy_filled_in(maria, failed_join):
    maria.client.post(
        f"/setup/retry/{failed_join.pk}/",
        {"part": "node.identity.rack_id", "value:node.identity.rack_id": "rack-b"},
    )
    url = f"/setup/{maria.draft.pk}/node/"

    maria.open(url)
    assert "Filled in: rack-b" in maria.text
    assert maria.draft.data["filled"] == {"node.identity.rack_id": "rack-b"}

    maria.fill()
    maria.open(url)
    assert "Filled in" not in maria.text


def test_retry_can_override_the_rack(maria, failed_join):
    part = "node.identity.override_rack_id"

    maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": part, f"value:{part}": "True"})
    maria.open(f"/setup/{maria.draft.pk}/node/")

    assert maria.fields["override_rack_id"] == "on"
    assert "Ticked" in maria.text


def test_another_node_replaces_the_same_failed_node(maria, failed_join, second_node):
    page = maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "address", "value:node.identity.uid": "2"})
    maria.open(page["Location"])

    maria.fill(address=second_node.address)
    if maria.page.status_code == 422:
        maria.fill(fingerprints_match="on")

    assert maria.fields["uid"] == "2"
    assert maria.fields["rack_id"] == ""


@pytest.mark.parametrize("is_listed", [True, False])
def test_retry_uses_an_internal_address(maria, failed_join, is_listed):
    address = maria.draft.node.answer.node.addresses[0].address if is_listed else "10.9.9.9"

    maria.client.post(
        f"/setup/retry/{failed_join.pk}/", {"part": "node.identity.addr", "value:node.identity.addr": address}
    )

    maria.open(f"/setup/{maria.draft.pk}/node/")
    assert maria.draft.data["node"]["addr"] == address
    assert f"Filled in: {address}" in maria.text


def test_retry_without_flash_sends_no_flash_option(maria, failed_join):
    node = failed_join.request["node"]
    node |= {"bigstore_enabled": True, "paths": {**node["paths"], "bigstore_path": "/mnt/flash"}}
    Attempt.objects.update(request=failed_join.request)

    maria.client.post(
        f"/setup/retry/{failed_join.pk}/", {"part": "node.paths.bigstore_path", "value:node.paths.bigstore_path": ""}
    )

    assert maria.draft.data["node"]["bigstore_path"] == ""
    assert "bigstore_enabled" not in maria.draft.data["node"] | maria.draft.data["request"].get("node", {})


@pytest.mark.parametrize(
    "values",
    [
        {"value:node.identity.rack_id": "no good!"},
        {"value:credentials.password": "stolen"},
        {"value:address": "10.9.9.9"},
        {"value:nonsense": "x"},
    ],
)
def test_retry_ignores_a_value_that_its_field_rejects(maria, failed_join, values):
    maria.client.post(f"/setup/retry/{failed_join.pk}/", values)

    draft = maria.draft
    assert "filled" not in draft.data
    assert draft.data["node"]["rack_id"] == "rack-a"
    assert draft.address == failed_join.address
    assert "password" not in draft.data["join"]


def test_retry_is_for_every_operator(failed_join, ben, maria):
    ben.open(ben.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "credentials.password"})["Location"])

    assert ben.page.status_code == 200
    assert maria.draft.owner == ben.user


def test_retry_keeps_the_license(maria, fresh_node):
    maria.to_cluster(fresh_node)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD, license=LICENSE)
    maria.start("validation")  # the license is no real one
    attempt = Attempt.objects.get()
    Attempt.objects.update(state=State.FAILED)

    maria.open(maria.client.post(f"/setup/retry/{attempt.pk}/", {"part": "license"})["Location"])

    assert maria.url.endswith("/cluster/")
    assert maria.fields["license"].replace("\r\n", "\n") == LICENSE


def test_retry_keeps_values_without_a_field(maria, fresh_node, failed_join):
    request = failed_join.request | {"max_retries": 3}
    Attempt.objects.update(request=request)
    maria.open(maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "credentials.password"})["Location"])

    maria.fill(password=PASSWORD)
    maria.start("validation")  # the license is no real one

    assert Attempt.objects.exclude(pk=failed_join.pk).get().request["max_retries"] == 3


def test_retry_starts_at_a_certificate_that_is_not_approved(maria, failed_join):
    TrustedCertificate.objects.filter(address=failed_join.address).delete()

    page = maria.client.post(f"/setup/retry/{failed_join.pk}/", {"part": "credentials.password"})

    assert page["Location"].endswith("/action/")


def test_retry_does_not_ask_again_about_the_known_failure(maria, failed_node):
    paths = {"persistent_path": "/proc/nowhere", "ephemeral_path": "/proc/nowhere"}
    attempt = add_attempt(
        maria.user,
        failed_node.address,
        request={"action": "create_cluster", "cluster": {"name": "redis-old.example.com"}, "node": {"paths": paths}},
        state=State.FAILED,
        fingerprint=trust_node(failed_node, by=maria.user),
    )

    page = maria.client.post(f"/setup/retry/{attempt.pk}/", {"part": "node.paths.persistent_path"})

    assert page["Location"].endswith("/node/#id_persistent_path")
    maria.open(page["Location"].replace("/node/", "/action/"))
    maria.fill()
    assert maria.url.endswith("/node/")


def test_the_next_node_is_prefilled_from_the_first(maria, created, fresh_node, member):
    maria.post(f"/setup/join/{created.pk}/", address=fresh_node.address)
    assert maria.url.startswith("/setup/new/")
    assert maria.fields["address"] == fresh_node.address
    assert maria.fields["action"] == "join_cluster"

    maria.fill()
    maria.fill(fingerprints_match="on")
    maria.fill()

    assert maria.url.endswith("/cluster/")
    assert maria.fields["members"] == "127.0.0.2"
    assert maria.fields["port"] == str(member.port)
    assert maria.fields["username"] == "admin@example.com"
    assert "Created by the node during setup, trusted by maria" in maria.text
    maria.fill(password=PASSWORD)
    assert maria.url.endswith("/review/")


def test_only_a_succeeded_cluster_can_be_joined(maria, failed_join):
    assert maria.client.post(f"/setup/join/{failed_join.pk}/").status_code == 404


def test_a_get_starts_no_retry(maria, created):
    assert maria.client.get(f"/setup/join/{created.pk}/").status_code == 405
    assert maria.client.get(f"/setup/retry/{created.pk}/").status_code == 405
