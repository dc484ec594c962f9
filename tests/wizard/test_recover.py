"""A lost cluster is recovered from its file."""

import pytest

from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.wizard import request_mapping
from setup_wizard.wizard.models import Draft

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

FILE = "/var/opt/redislabs/persist/ccs/ccs-redis.rdb"


@pytest.fixture
def to_file(maria, fresh_node):
    """Go to the step with the recovery file."""
    maria.to_cluster(fresh_node, "recover_cluster")
    assert maria.url.endswith("/cluster/")
    return maria


@pytest.fixture
def to_review(to_file):
    """Go to the review."""
    to_file.fill(recovery_filename=FILE, name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)
    assert to_file.url.endswith("/review/")
    return to_file


@pytest.fixture
def recovered(created):
    """A succeeded recovery of redis-prod.example.com, with two failed nodes left."""
    request = {**created.request, "action": "recover_cluster", "recovery_filename": FILE, "cluster": {"nodes": []}}
    Attempt.objects.update(action=Action.RECOVER, request=request)
    created.refresh_from_db()
    Event.objects.create(attempt=created, seq=2, kind="succeeded", message="It is in", data={"failed_nodes": [2, 3]})
    return created


def test_a_cluster_is_recovered_without_a_script(to_review):
    to_review.start("validation")  # there is no such file

    attempt = Attempt.objects.get()
    assert (attempt.action, attempt.cluster_name) == (Action.RECOVER, "redis-prod.example.com")
    assert attempt.request["recovery_filename"] == FILE
    assert attempt.request["credentials"] == {"username": "admin@example.com", "password": "********"}
    assert attempt.member_address == ""


def test_review_says_what_a_recovery_restores(to_review):
    assert "becomes the first node of the cluster again" in to_review.text
    assert "The other old nodes are listed as failed." in to_review.text
    assert "rladmin recover all" in to_review.text
    assert "redis-prod.example.com must not be running anywhere" in to_review.text
    assert FILE in to_review.text
    assert PASSWORD not in to_review.text


def test_a_recovery_beside_a_live_member_is_stopped(to_file, created, member):
    answers = {"recovery_filename": FILE, "username": "admin@example.com", "password": PASSWORD}
    to_file.fill(name="redis-prod.example.com", **answers)

    assert f"{member.address} is still a member of a cluster" in to_file.text
    assert to_file.start("old_cluster", "validation").status_code == 422
    assert [attempt.pk for attempt in Attempt.objects.all()] == [created.pk]


def test_the_cluster_name_is_optional(to_file):
    to_file.fill(recovery_filename="ccs-redis.rdb", username="admin@example.com", password=PASSWORD)
    to_file.start("validation")  # there is no such file

    attempt = Attempt.objects.get()
    assert attempt.request["recovery_filename"] == "ccs-redis.rdb"
    assert "name" not in attempt.request["cluster"]
    assert attempt.target == f"the cluster of {attempt.address}"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the recovery file"),
        ("/var/opt/redislabs/persist/ccs/", "is a folder. Enter the file in it, usually ccs-redis.rdb."),
        ("ccs/ccs-redis.rdb", "does not start with /"),
        ("/mnt/../etc/ccs-redis.rdb", "contains . or .."),
        ("..", "does not start with /"),
        ("x" * 256, "It can have at most 255."),
    ],
)
def test_an_invalid_recovery_file_is_rejected(to_file, typed, why):
    to_file.fill(recovery_filename=typed, username="admin@example.com", password=PASSWORD)

    assert to_file.page.status_code == 422
    assert why in to_file.text


def test_the_new_certificate_can_be_trusted_in_advance(maria, fresh_node):
    maria.begin(fresh_node.address, "recover_cluster")
    maria.fill()
    maria.fill(fingerprints_match="on", accept_new_certificate="on")

    assert maria.draft.accept_new_certificate
    assert maria.draft.chosen_action is Action.RECOVER


def test_recovery_can_name_the_old_node_to_replace(maria, fresh_node):
    maria.approve(fresh_node, "recover_cluster")
    assert "ID of the old node to replace" in maria.text

    maria.fill(uid="3")

    assert maria.draft.data["node"]["uid"] == 3


def test_retry_keeps_the_recovery_file_and_opens_its_field(to_review):
    to_review.start("validation")  # there is no such file
    Attempt.objects.update(state=State.FAILED)
    attempt = Attempt.objects.get()

    page = to_review.client.post(f"/setup/retry/{attempt.pk}/", {"part": "recovery_filename"})

    assert page["Location"].endswith("/cluster/#id_recovery_filename")
    to_review.open(page["Location"])
    assert to_review.fields["recovery_filename"] == FILE
    assert to_review.fields["name"] == "redis-prod.example.com"
    assert to_review.fields["username"] == "admin@example.com"
    assert to_review.fields["password"] == ""


def test_a_stored_recovery_reads_back_as_the_same_request(to_review):
    first = request_mapping.build_request(to_review.draft).redacted()
    draft = Draft(owner=to_review.user, action=Action.RECOVER)

    draft.data = request_mapping.step_data(draft, first)
    draft.probe = to_review.draft.probe

    assert request_mapping.build_request(draft).redacted() == first


class TestWhatIsLeftToDo:
    def test_the_page_offers_to_replace_each_failed_node(self, maria, recovered):
        maria.open(f"/attempts/{recovered.pk}/")

        assert "The cluster is back, on one node" in maria.text
        assert "Replace nodes 2 and 3, one after the other." in maria.text
        assert "rladmin recover all" in maria.text
        assert "Join the next node" not in maria.text

    def test_a_replacement_lacks_only_node_and_password(self, maria, recovered, fresh_node, member):
        maria.post(f"/setup/join/{recovered.pk}/", replaces="2")
        assert maria.fields["action"] == "join_cluster"
        assert "This setup replaces failed node 2 of redis-prod.example.com ." in maria.text

        maria.fill(address=fresh_node.address)
        maria.fill(fingerprints_match="on")
        assert maria.fields["uid"] == "2"
        maria.fill()
        assert maria.fields["members"] == "127.0.0.2"
        maria.fill(password=PASSWORD)
        maria.start("replaced_node")  # the cluster of the test has no second node

        joined = Attempt.objects.exclude(pk=recovered.pk).get()
        assert joined.request["node"]["identity"]["uid"] == 2
        assert joined.member_address == member.address

    def test_without_the_id_the_node_joins_as_a_new_one(self, maria, recovered, fresh_node):
        maria.post(f"/setup/join/{recovered.pk}/", replaces="2", address=fresh_node.address)
        maria.fill()
        maria.fill(fingerprints_match="on")
        maria.fill(uid="")
        maria.fill(password=PASSWORD)
        maria.start()

        joined = Attempt.objects.exclude(pk=recovered.pk).get()
        assert "uid" not in joined.request["node"]["identity"]

    @pytest.mark.parametrize("nonsense", ["0", "two", "-1", "2; DROP", "9" * 40])
    def test_an_invalid_node_id_is_left_out(self, maria, recovered, nonsense):
        maria.post(f"/setup/join/{recovered.pk}/", replaces=nonsense)

        assert maria.page.status_code == 200
        assert "replaces failed node" not in maria.text
