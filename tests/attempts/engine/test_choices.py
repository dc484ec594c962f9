"""Choices of the operator and their effects."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from tests.attempts.conftest import PASSWORD, follow, kinds, tick, to_the_post
from tests.attempts.engine.other_certificates import post_directly
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


class TestChoices:
    def test_cancel_before_the_intent_sends_nothing(self, start, fresh_node, maria):
        attempt = start(fresh_node)
        tick(attempt)

        engine.choose(attempt.pk, Choice.CANCEL, by=maria)

        attempt.refresh_from_db()
        assert (attempt.status, attempt.why) == (State.CANCELLED, Reason.CANCELLED)
        assert not SealedCredentials.objects.exists()
        assert tick(attempt) is None
        assert fresh_node.accepted() == []

    def test_cancel_before_a_worker_sends_takes_its_lease_away(self, start, fresh_node, maria):
        attempt = to_the_post(start(fresh_node))
        lease = engine.claim(attempt.pk)

        engine.choose(attempt.pk, Choice.CANCEL, by=maria)

        with pytest.raises(engine.LeaseLost):
            engine.record(lease, engine.exchange(lease))
        attempt.refresh_from_db()
        assert attempt.status is State.CANCELLED
        assert fresh_node.accepted() == []

    def test_cancel_is_refused_after_the_intent(self, start, fresh_node, maria):
        attempt = to_the_post(start(fresh_node))
        tick(attempt)

        with pytest.raises(engine.ChoiceRefused) as refusal:
            engine.choose(attempt.pk, Choice.CANCEL, by=maria)
        assert refusal.value.code == "already_sent"

        engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.why) == (State.CANCELLED, Reason.STOPPED)

    def test_watched_bootstrap_of_someone_else_is_never_ours(self, start, tmp_path, maria):
        with start_node(tmp_path / "node", pace=0.4) as node:
            attempt = start(node)
            post_directly(node)

            attempt = follow(attempt)
            assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
            assert not SealedCredentials.objects.exists()

            engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
            attempt = follow(attempt)
            # the node made a certificate, which was accepted in advance for our own bootstrap only
            if attempt.why is Reason.TRUST:
                engine.approve_certificate(attempt.pk, attempt.seen_certificate["fingerprint"], by=maria)
                attempt = follow(attempt)
            assert (attempt.status, attempt.why) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
            assert len(node.accepted()) == 1

    def test_credentials_entered_again_resume_the_attempt(self, start, fresh_node, maria):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.node_state == "creating_cluster")
        wrong = Credentials(username="admin@example.com", password=Secret("CANARY-not-it"))
        vault.seal(attempt.pk, wrong, expires_at=timezone.now() + timedelta(days=1))
        follow(attempt, until=lambda attempt: attempt.refused_since)
        Attempt.objects.update(refused_since=timezone.now() - timedelta(seconds=11), username="mistyped@example.com")
        attempt = follow(attempt)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)

        engine.give_credentials(
            attempt.pk, Credentials(username="admin@example.com", password=Secret(PASSWORD)), by=maria
        )

        attempt = follow(attempt)
        assert (attempt.status, attempt.username) == (State.SUCCEEDED, "admin@example.com")

    @pytest.mark.parametrize("choose", [Choice.SEND_AGAIN, Choice.KEEP_WATCHING, Choice.STOP_WATCHING])
    def test_choice_that_is_not_offered_changes_nothing(self, start, fresh_node, maria, choose):
        attempt = start(fresh_node)

        with pytest.raises(engine.ChoiceRefused) as refusal:
            engine.choose(attempt.pk, choose, by=maria)

        assert refusal.value.code == "not_offered"
        assert kinds(attempt) == ["started"]
