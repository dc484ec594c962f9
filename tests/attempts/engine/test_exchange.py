"""Attempts from Start to the result, with real reference nodes."""

import pytest

from setup_wizard.attempts import engine, vault
from setup_wizard.attempts.models import Attempt, ClusterLock, ReducerState, SealedCredentials, SentSignIn
from setup_wizard.attempts.observations import AnswerLost
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.models import Origin, TrustedCertificate
from tests.attempts.conftest import PASSWORD, follow, kinds, tick, to_the_post
from tests.attempts.engine.other_certificates import idle, post_directly
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


def test_create_is_sent_once_and_confirmed_by_the_cluster(start, fresh_node):
    attempt = follow(start(fresh_node))

    assert (attempt.status, attempt.reason) == (State.SUCCEEDED, "")
    assert len(fresh_node.accepted()) == 1
    assert kinds(attempt)[:5] == [
        "started",
        "checking",
        "validated",
        "submitting",
        "accepted",
    ]
    assert kinds(attempt)[-1] == "succeeded"
    assert {"certificate_replaced", "sign_in_wanted"} <= set(kinds(attempt))
    assert any(line["signed_in"] for line in fresh_node.requests())


def test_end_deletes_the_secret_and_frees_node_and_cluster(start, fresh_node):
    attempt = start(fresh_node)
    assert SealedCredentials.objects.filter(owner=attempt.pk).exists()

    follow(attempt)

    assert not SealedCredentials.objects.exists()
    assert not ClusterLock.objects.exists()


def test_new_certificate_of_a_create_is_saved_as_approved(start, fresh_node, maria):
    attempt = follow(start(fresh_node))

    kept = TrustedCertificate.objects.get(fingerprint=attempt.new_fingerprint)
    assert (kept.address, kept.approved_by, kept.origin) == (attempt.address, maria, Origin.BOOTSTRAP)
    assert attempt.new_fingerprint != attempt.fingerprint


def test_new_certificate_without_consent_gets_no_password(start, fresh_node, maria):
    attempt = follow(start(fresh_node, accept_new_certificate=False))

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.TRUST)
    assert not any(line["authorization"] for line in fresh_node.requests())
    assert vault.open_for(attempt.pk).password == Secret(PASSWORD)

    with pytest.raises(engine.ChoiceRefused) as refusal:
        engine.approve_certificate(attempt.pk, attempt.fingerprint, by=maria)
    assert refusal.value.code == "another_certificate"

    engine.approve_certificate(attempt.pk, attempt.seen_certificate["fingerprint"], by=maria)
    assert follow(attempt).status is State.SUCCEEDED
    assert trust.is_approved(attempt.address, attempt.new_fingerprint)


def test_join_needs_no_second_approval_of_the_certificate(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        attempt = follow(start(second, member=fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert attempt.new_fingerprint == attempt.member_fingerprint
        assert attempt.cluster_name == "redis-prod.example.com"
        assert len(second.accepted()) == 1


def test_success_needs_the_cluster_itself(start, fresh_node, tmp_path):
    created = follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        joined = follow(start(second, member=fresh_node))
        asked = [(line["path"], line["signed_in"]) for line in second.requests()]
        of_the_member = [(line["path"], line["signed_in"]) for line in fresh_node.requests()]

    assert (created.found_name, created.listed_as, created.node_uid) == ("redis-prod.example.com", "active", "1")
    assert (joined.name_from_member, joined.found_name) == ("redis-prod.example.com", "redis-prod.example.com")
    assert (joined.listed_as, joined.node_uid) == ("active", "2")
    assert {("/v1/cluster", True), ("/v1/nodes", True)} <= set(asked)
    assert ("/v1/cluster", True) in of_the_member
    assert "name:redis-prod.example.com" in joined.cluster_keys


def test_member_with_another_certificate_gets_no_credentials(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        attempt = start(second, member=fresh_node)
        Attempt.objects.filter(pk=attempt.pk).update(member_fingerprint=":".join(["AB"] * 32))
        asked = len(fresh_node.requests())

        tick(attempt)

        assert kinds(attempt)[-1] == "member_unavailable"
        assert "its certificate is not the approved one" in attempt.events.last().message
        assert len(fresh_node.requests()) == asked


def test_cluster_created_by_someone_else_is_never_a_success(start, fresh_node):
    attempt = to_the_post(start(fresh_node))
    lease = engine.claim(attempt.pk)
    engine.lease.commit_intent(lease, idle(fresh_node))
    post_directly(fresh_node, name="other.example.com", username="admin@example.com", password=PASSWORD)
    engine.record(lease, AnswerLost())

    attempt = follow(attempt)

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
    assert attempt.found_name == "other.example.com"
    assert not SealedCredentials.objects.exists()


def test_join_ends_with_the_nodes_code_when_the_member_was_not_asked(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second", options=["--no-validate"]) as second:
        attempt = start(second, member=fresh_node, password="CANARY-mistyped")
        ReducerState.objects.filter(pk=attempt.pk).update(member_asked=True)
        attempt = follow(attempt)

    assert (attempt.status, attempt.why, attempt.error_code) == (State.FAILED, Reason.NODE_ERROR, "access_denied")
    assert not SealedCredentials.objects.exists()
    assert [row.outcome for row in SentSignIn.objects.exclude(outcome="accepted")] == ["refused"]
