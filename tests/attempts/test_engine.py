"""The engine against a real node: what arrives there, counted in its journal, and what the rows say."""

import base64
import json
import warnings
from datetime import timedelta
from urllib.parse import quote

import pytest
import requests
from django.db import IntegrityError, transaction
from django.utils import timezone

from setup_wizard.access.lasting import AppendOnlyError
from setup_wizard.attempts import engine, timing, vault
from setup_wizard.attempts.engine import schedule
from setup_wizard.attempts.models import Attempt, ClusterLock, Event, SealedCredentials
from setup_wizard.attempts.observations import AnswerLost, ClusterFree, Forbidden, SecretGone, Silent
from setup_wizard.attempts.states import Choice, Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import Origin, TrustedCertificate
from setup_wizard.nodes.probe import probe
from tests.attempts.conftest import PASSWORD, follow, kinds, tick, to_the_post
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


def test_a_create_is_sent_once_followed_and_proved_with_the_sign_in(start, fresh_node):
    attempt = follow(start(fresh_node))

    assert (attempt.status, attempt.reason) == (State.SUCCEEDED, "")
    assert len(fresh_node.accepted()) == 1
    assert kinds(attempt)[:5] == [
        "started",
        "checking",
        "checked",
        "submitting",
        "accepted",
    ]
    assert kinds(attempt)[-1] == "succeeded"
    assert {"certificate_replaced", "sign_in_wanted"} <= set(kinds(attempt))
    assert any(line["signed_in"] for line in fresh_node.requests())


def test_a_verdict_forgets_the_secret_and_frees_node_and_cluster(start, fresh_node):
    attempt = start(fresh_node)
    assert SealedCredentials.objects.filter(owner=attempt.pk).exists()

    follow(attempt)

    assert not SealedCredentials.objects.exists()
    assert not ClusterLock.objects.exists()


def test_the_certificate_that_a_create_makes_is_kept_as_approved_with_who_and_why(start, fresh_node, maria):
    attempt = follow(start(fresh_node))

    kept = TrustedCertificate.objects.get(fingerprint=attempt.new_fingerprint)
    assert (kept.address, kept.approved_by, kept.origin) == (attempt.address, maria, Origin.BOOTSTRAP)
    assert attempt.new_fingerprint != attempt.fingerprint


def test_without_the_tick_the_new_certificate_is_asked_for_and_no_password_is_sent_before(start, fresh_node, maria):
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


def test_a_join_shows_the_clusters_certificate_and_needs_no_second_approval(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        attempt = follow(start(second, member=fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert attempt.new_fingerprint == attempt.member_fingerprint
        assert attempt.cluster_name == "redis-prod.example.com"
        assert len(second.accepted()) == 1


def test_a_success_is_what_the_cluster_itself_says(start, fresh_node, tmp_path):
    created = follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        joined = follow(start(second, member=fresh_node))
        asked = [(line["path"], line["signed_in"]) for line in second.requests()]
        of_the_member = [(line["path"], line["signed_in"]) for line in fresh_node.requests()]

    assert (created.found_name, created.listed_as, created.node_uid) == ("redis-prod.example.com", "active", "1")
    assert (joined.given_name, joined.found_name) == ("redis-prod.example.com", "redis-prod.example.com")
    assert (joined.listed_as, joined.node_uid) == ("active", "2")
    assert {("/v1/cluster", True), ("/v1/nodes", True)} <= set(asked)
    assert ("/v1/cluster", True) in of_the_member
    assert "name:redis-prod.example.com" in joined.cluster_keys


def test_a_member_with_another_certificate_is_sent_no_sign_in(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second") as second:
        attempt = start(second, member=fresh_node)
        Attempt.objects.filter(pk=attempt.pk).update(member_fingerprint=":".join(["AB"] * 32))
        asked = len(fresh_node.requests())

        tick(attempt)

        assert kinds(attempt)[-1] == "member_mute"
        assert "another certificate than the approved one" in attempt.events.last().message
        assert len(fresh_node.requests()) == asked


def test_a_node_that_somebody_else_created_a_cluster_on_is_never_a_success(start, fresh_node):
    attempt = to_the_post(start(fresh_node))
    lease = engine.claim(attempt.pk)
    engine.lease.commit_intent(lease, _idle(fresh_node))
    _post_directly(fresh_node, name="other.example.com", username="admin@example.com", password=PASSWORD)
    engine.record(lease, AnswerLost())

    attempt = follow(attempt)

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
    assert attempt.found_name == "other.example.com"
    assert not SealedCredentials.objects.exists()


def test_a_wrong_password_fails_with_the_nodes_own_code(start, fresh_node, tmp_path):
    follow(start(fresh_node))
    with start_node(tmp_path / "second", options=["--no-validate"]) as second:
        attempt = follow(start(second, member=fresh_node, password="CANARY-mistyped"))

    assert (attempt.status, attempt.why, attempt.error_code) == (State.FAILED, Reason.NODE_ERROR, "access_denied")
    assert not SealedCredentials.objects.exists()


class TestTheDroppedAnswer:
    @pytest.mark.parametrize("way", ["reset", "502"])
    def test_it_is_found_out_and_adopted_and_never_sent_twice(self, start, tmp_path, way):
        with start_node(tmp_path / "node", faults=[f"drop-answer={way}"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "adopted"} <= set(kinds(attempt))
            assert "accepted" not in kinds(attempt)
            posts = [line for line in node.requests() if line["path"] == "/v1/bootstrap/create_cluster"]
            assert len(posts) == len(node.accepted()) == 1

    def test_a_post_that_is_held_longer_than_we_wait_is_adopted_when_it_counts(self, start, tmp_path):
        with start_node(tmp_path / "node", faults=["hold-post=9"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "adopted"} <= set(kinds(attempt))
            assert len(node.accepted()) == 1

    def test_a_worker_that_dies_after_the_intent_leaves_a_row_that_is_looked_into_not_sent_again(
        self, start, fresh_node
    ):
        attempt = to_the_post(start(fresh_node))
        lease = engine.claim(attempt.pk)
        seen = engine.exchange(lease)  # the answer arrives, and the worker is killed before it is recorded
        attempt.refresh_from_db()
        assert attempt.status is State.SUBMITTING

        Attempt.objects.update(lease_expires_at=timezone.now())
        attempt = follow(attempt)

        assert attempt.status is State.SUCCEEDED
        assert {"resumed", "adopted"} <= set(kinds(attempt))
        assert len(fresh_node.accepted()) == 1
        with pytest.raises(engine.LeaseLost):
            engine.record(lease, seen)

    def test_one_that_never_arrived_is_sent_once_more_by_itself(self, start, fresh_node):
        attempt = follow(self.lost(start(fresh_node), fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert kinds(attempt).count("submitting") == 2
        assert "resubmitting" in kinds(attempt)
        assert len(fresh_node.accepted()) == 1

    def test_a_second_one_that_never_arrived_rests_and_is_sent_again_only_on_request(self, start, fresh_node, maria):
        attempt = self.lost(start(fresh_node), fresh_node)
        Attempt.objects.update(resubmits=1)

        attempt = follow(attempt)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert attempt.choices[0] is Choice.SEND_AGAIN
        assert fresh_node.accepted() == []

        engine.send_again(attempt.pk, by=maria)
        assert follow(attempt).status is State.SUCCEEDED
        assert len(fresh_node.accepted()) == 1

    def test_a_clock_that_jumps_at_every_look_brings_the_second_sending_no_nearer(self, start, fresh_node):
        attempt = self.lost(start(fresh_node), fresh_node, quiet=0)

        for _ in range(5):  # of ten seconds each, if the clock alone were believed
            Attempt.objects.update(last_asked_at=timezone.now() - timedelta(hours=1))
            tick(attempt)

        assert (attempt.status, attempt.submits) == (State.UNKNOWN, 1)
        assert attempt.quiet < timing.QUIET_STEP.total_seconds()

    def lost(self, attempt, node, quiet=20):
        """Its intent is written, its request never leaves, and so much of the quiet time is over."""
        to_the_post(attempt)
        lease = engine.claim(attempt.pk)
        engine.lease.commit_intent(lease, _idle(node))
        engine.record(lease, AnswerLost())
        Attempt.objects.update(quiet=quiet)
        return attempt


def _idle(node):
    return probe(Address.parse(node.address)).answer.status


class TestTheLease:
    def test_only_one_of_two_workers_gets_the_attempt(self, start, fresh_node):
        attempt = start(fresh_node)

        assert engine.claim(attempt.pk) is not None
        assert engine.claim(attempt.pk) is None

    def test_an_attempt_that_is_not_due_is_left_alone(self, start, fresh_node):
        attempt = start(fresh_node)
        Attempt.objects.update(next_tick_at=timezone.now() + timedelta(minutes=1))

        assert engine.claim(attempt.pk) is None

    def test_a_worker_that_was_replaced_changes_nothing(self, start, fresh_node):
        attempt = start(fresh_node)
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_expires_at=timezone.now())
        engine.record(engine.claim(attempt.pk), ClusterFree())

        with pytest.raises(engine.LeaseLost):
            engine.record(slow, ClusterFree())

        attempt.refresh_from_db()
        assert kinds(attempt) == ["started", "resumed", "checking"]

    def test_a_worker_that_was_replaced_sends_nothing(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_token=99)

        with pytest.raises(engine.LeaseLost):
            engine.exchange(slow)

        assert fresh_node.accepted() == []
        assert "/v1/bootstrap/create_cluster" not in {line["path"] for line in fresh_node.requests()}

    def test_after_the_clock_was_put_back_nothing_waits_for_it_to_come_round(self, start, fresh_node):
        attempt = start(fresh_node)
        an_hour_ahead = timezone.now() + timedelta(hours=1)
        Attempt.objects.update(next_tick_at=an_hour_ahead, lease_expires_at=an_hour_ahead, rung_at=an_hour_ahead)

        assert list(schedule.due(timezone.now())) == [attempt.pk]
        assert engine.claim(attempt.pk) is not None

    def test_the_token_only_grows(self, start, fresh_node):
        attempt, tokens = start(fresh_node), []
        while attempt.status.is_moving:
            tick(attempt)
            tokens.append(attempt.lease_token)
            if len(tokens) > 5:
                break

        assert tokens == sorted(set(tokens))

    def test_an_answer_without_news_moves_only_the_time_of_asking(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        tick(attempt), tick(attempt)
        before, asked = attempt.last_seq, attempt.last_asked_at

        tick(attempt)

        assert attempt.last_asked_at > asked
        assert attempt.last_seq - before <= 1


class TestOneAtATime:
    def test_a_second_start_for_the_same_node_is_refused_with_the_first(self, start, fresh_node):
        first = start(fresh_node)

        with pytest.raises(engine.NodeBusy) as refusal:
            start(fresh_node)
        assert refusal.value.attempt == first
        assert Attempt.objects.count() == 1

    def test_the_database_itself_forbids_two_open_attempts_of_one_node(self, start, fresh_node):
        attempt = start(fresh_node)
        attempt.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            attempt.save(force_insert=True)

    def test_two_joins_of_one_cluster_run_one_after_the_other(self, start, fresh_node, tmp_path):
        follow(start(fresh_node))
        with start_node(tmp_path / "second") as second, start_node(tmp_path / "third") as third:
            running = start(second, member=fresh_node)
            follow(running, until=lambda attempt: attempt.status is State.IN_PROGRESS)
            waiting = start(third, member=fresh_node)

            follow(waiting, until=lambda attempt: attempt.waits_for)
            assert (waiting.status, waiting.waits_for) == (State.QUEUED, second.address)
            assert third.accepted() == []

            follow(running)
            assert follow(waiting).status is State.SUCCEEDED
            assert len(third.accepted()) == 1

    def test_a_join_through_another_member_waits_just_the_same(self, start, fresh_node, tmp_path):
        follow(start(fresh_node))
        with start_node(tmp_path / "second") as second, start_node(tmp_path / "third") as third:
            follow(start(second, member=fresh_node))
            with start_node(tmp_path / "fourth") as fourth:
                running = start(third, member=fresh_node)
                follow(running, until=lambda attempt: attempt.status is State.CHECKING)
                waiting = follow(start(fourth, member=second), until=lambda attempt: attempt.waits_for)

                assert (waiting.status, waiting.waits_for) == (State.QUEUED, running.address)

    def test_two_clusters_do_not_wait_for_each_other(self, start, fresh_node, tmp_path):
        with start_node(tmp_path / "elsewhere") as elsewhere:
            tick(start(fresh_node))
            other = start(elsewhere)
            Attempt.objects.filter(pk=other.pk).update(
                cluster_keys=[key.replace("redis-prod", "redis-test") for key in other.cluster_keys]
            )
            other.refresh_from_db()

            tick(other)

            assert other.status is State.CHECKING


class TestChoices:
    def test_cancel_before_the_intent_forgets_everything_and_sends_nothing(self, start, fresh_node, maria):
        attempt = start(fresh_node)
        tick(attempt)

        engine.cancel(attempt.pk, by=maria)

        attempt.refresh_from_db()
        assert (attempt.status, attempt.why) == (State.CANCELLED, Reason.CANCELLED)
        assert not SealedCredentials.objects.exists()
        assert tick(attempt) is None
        assert fresh_node.accepted() == []

    def test_cancel_while_a_worker_is_about_to_send_takes_its_lease_away(self, start, fresh_node, maria):
        attempt = to_the_post(start(fresh_node))
        lease = engine.claim(attempt.pk)

        engine.cancel(attempt.pk, by=maria)

        with pytest.raises(engine.LeaseLost):
            engine.record(lease, engine.exchange(lease))
        attempt.refresh_from_db()
        assert attempt.status is State.CANCELLED
        assert fresh_node.accepted() == []

    def test_after_the_intent_there_is_no_cancel(self, start, fresh_node, maria):
        attempt = to_the_post(start(fresh_node))
        tick(attempt)

        with pytest.raises(engine.ChoiceRefused) as refusal:
            engine.cancel(attempt.pk, by=maria)
        assert refusal.value.code == "already_sent"

        engine.stop_watching(attempt.pk, by=maria)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.why) == (State.CANCELLED, Reason.STOPPED)

    def test_somebody_elses_bootstrap_is_watched_to_its_end_and_never_called_ours(self, start, tmp_path, maria):
        with start_node(tmp_path / "node", pace=0.4) as node:
            attempt = start(node)
            _post_directly(node)

            attempt = follow(attempt)
            assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
            assert not SealedCredentials.objects.exists()

            engine.keep_watching(attempt.pk, by=maria)
            attempt = follow(attempt)
            if (
                attempt.why is Reason.TRUST
            ):  # the node made a certificate that nobody accepted in advance for a stranger
                engine.approve_certificate(attempt.pk, attempt.seen_certificate["fingerprint"], by=maria)
                attempt = follow(attempt)
            assert (attempt.status, attempt.why) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
            assert len(node.accepted()) == 1

    def test_the_sign_in_entered_again_goes_on(self, start, fresh_node, maria):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.node_state == "creating_cluster")
        wrong = Credentials("admin@example.com", Secret("CANARY-not-it"))
        vault.seal(attempt.pk, wrong, expires_at=timezone.now() + timedelta(days=1))
        follow(attempt, until=lambda attempt: attempt.refused_since)
        Attempt.objects.update(refused_since=timezone.now() - timedelta(seconds=31), username="mistyped@example.com")
        attempt = follow(attempt)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)

        engine.give_credentials(attempt.pk, Credentials("admin@example.com", Secret(PASSWORD)), by=maria)

        attempt = follow(attempt)
        assert (attempt.status, attempt.username) == (State.SUCCEEDED, "admin@example.com")

    @pytest.mark.parametrize("choose", [engine.send_again, engine.keep_watching, engine.stop_watching])
    def test_a_choice_that_is_not_offered_changes_nothing(self, start, fresh_node, maria, choose):
        attempt = start(fresh_node)

        with pytest.raises(engine.ChoiceRefused) as refusal:
            choose(attempt.pk, by=maria)

        assert refusal.value.code == "not_offered"
        assert kinds(attempt) == ["started"]


def _post_directly(node, name="other.example.com", username="stranger@example.com", password="somebody-elses"):
    """Somebody else, with a client of their own."""
    body = {
        "action": "create_cluster",
        "cluster": {"nodes": [], "name": name},
        "node": {"identity": {"addr": "127.0.0.1"}},
        "credentials": {"username": username, "password": password},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        requests.post(f"{node.url}/v1/bootstrap/create_cluster", json=body, verify=False, timeout=5).raise_for_status()


class TestWhatMayNotHappen:
    def test_events_are_neither_changed_nor_deleted(self, start, fresh_node):
        event = start(fresh_node).events.get()

        for forbidden in (event.save, event.delete, Event.objects.all().delete, lambda: Event.objects.update(kind="x")):
            with pytest.raises(AppendOnlyError):
                forbidden()

    def test_a_secret_that_cannot_be_opened_sends_nothing(self, start, fresh_node, settings):
        attempt = start(fresh_node)
        tick(attempt)
        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(b"n" * 32).decode()]

        assert tick(attempt) == SecretGone()
        assert (attempt.status, attempt.why) == (State.FAILED, Reason.SECRET_UNAVAILABLE)
        assert fresh_node.accepted() == []

    def test_an_address_that_is_forbidden_by_now_gets_no_packet(self, start, fresh_node, settings):
        attempt = start(fresh_node)
        tick(attempt)
        asked = len(fresh_node.journal_lines())
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

        assert isinstance(tick(attempt), Forbidden)
        assert attempt.why is Reason.FORBIDDEN_ADDRESS
        assert len(fresh_node.journal_lines()) == asked

    def test_a_name_that_leads_elsewhere_by_now_gets_no_packet(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        asked = len(fresh_node.journal_lines())
        Attempt.objects.update(address=f"127.0.0.9:{fresh_node.port}")  # where the name led at Start

        assert isinstance(tick(attempt), Forbidden)
        assert attempt.why is Reason.FORBIDDEN_ADDRESS
        assert len(fresh_node.journal_lines()) == asked

    def test_a_node_that_is_down_is_waited_for(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        fresh_node.stop()

        assert tick(attempt) == Silent("connect", "connection refused")
        assert attempt.status is State.CHECKING

        fresh_node.restart()
        assert follow(attempt).status is State.SUCCEEDED

    def test_another_certificate_before_the_post_gets_no_byte_of_http(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        Attempt.objects.update(fingerprint=":".join(["AB"] * 32))
        asked = len(fresh_node.requests())

        tick(attempt)

        assert attempt.why is Reason.TRUST
        assert len(fresh_node.requests()) == asked

    def test_what_a_node_echoes_of_the_password_is_never_kept(self, start, serve_echo):
        attempt = follow(start(serve_echo), ticks=60)

        kept = json.dumps(
            [
                *Attempt.objects.values("error_details", "error_code", "node_state"),
                *Event.objects.values("message", "data"),
            ]
        )
        assert attempt.why is Reason.NODE_ERROR
        assert "********" in kept
        for spelling in (
            PASSWORD,
            json.dumps(PASSWORD)[1:-1],
            quote(PASSWORD),
            base64.b64encode(PASSWORD.encode()).decode(),
        ):
            assert spelling not in kept
