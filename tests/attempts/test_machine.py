"""The engine with everything that can happen to it, in random order.

Hypothesis strings together ticks, crashes, pauses, lost and late requests, strangers, new certificates, refused
sign-ins, decisions and clocks that jump. The node in `simulated_node.py` judges: it knows each request and its sender.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from setup_wizard.attempts import timing
from setup_wizard.attempts.choices import Choice, choices_of, offered
from setup_wizard.attempts.reducer import transitions
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from tests.attempts.simulated_node import BUDGET, MEMBER, SPAN, Way, World

STEPS = 50
KINDS = ["accepts_swap", "foreign_password", "one_machine"]
SELDOM = st.sampled_from([False, False, False, True])
LASTING = {
    Choice.KEEP_WATCHING: transitions.keep_watching,
    Choice.OURS: transitions.ours,
    Choice.SEND_AGAIN: transitions.send_again,
    Choice.APPROVE_CERTIFICATE: transitions.approve_certificate,
    Choice.CREDENTIALS: transitions.give_credentials,
}
ENDING = {
    Choice.CANCEL: transitions.cancel,
    Choice.STOP_WATCHING: transitions.stop_watching,
    Choice.NOT_OURS: transitions.not_ours,
}


class Attempts(RuleBasedStateMachine):
    @initialize(joins=st.booleans(), begun=st.integers(0, 3), **dict.fromkeys(KINDS, st.booleans()))
    def start(self, joins, begun, **kinds):
        self.world = World(Action.JOIN if joins else Action.CREATE, **kinds)
        self.paused = []
        self.token, self.ended = 0, None
        for _ in range(begun):
            self.world.tick()

    # -- what we do ----------------------------------------------------------------------------------------------------

    @rule(way=st.sampled_from(Way), times=st.integers(1, 4))
    def tick(self, way, times):
        for _ in range(times):
            self._when_due()
            self.world.tick(way)

    @rule(times=st.integers(1, 5))
    def work_on(self, times):
        for _ in range(times):
            self._advance("on")
            self._when_due()
            self.world.tick()

    @rule()
    def look_until_it_is_quiet(self):
        for _ in range(4):
            self.world.wait(7)
            self.world.tick(Way.DELAYED)

    def _when_due(self):
        self.world.wait(min(2.0, max(0.0, (self.world.next_tick - self.world.now).total_seconds())))

    @rule(asleep=st.booleans(), jumps=st.booleans(), looks=st.sampled_from([3, 6, 11]), every=st.sampled_from([0, 7]))
    def lose_sight_of_a_request(self, asleep, jumps, looks, every):
        """The most dangerous time: a request may still arrive while polls show nothing of it.

        The node has ended with an error in between, and would take a second one.
        """
        world = self.world
        for _ in range(2):
            if world.snapshot.state is State.QUEUED:
                world.tick()
        worker = world.claim()
        if worker is None or not world.exchange(worker) or not world.commit_intent(worker):
            return
        if not asleep:
            world.send(worker, Way.DELAYED)
            world.record(worker)
        for _ in range(looks):
            if jumps and self._may_jump():
                world.jump(300)
            world.wait(every)
            self._when_due()
            world.tick()
        world.node.advance("error")
        if asleep:
            self._finish(worker, Way.ARRIVES)
        elif world.in_flight:
            self.deliver_now()

    @rule(strangers=st.booleans(), word=st.sampled_from(["on", "error"]), looks=st.integers(1, 5))
    def meet_somebody_at_the_door(self, strangers, word, looks):
        """A 409, because someone else started between baseline and request, or our request arrived twice."""
        world = self.world
        worker = world.claim()
        if worker is None or not world.exchange(worker) or not world.commit_intent(worker):
            return
        if strangers:
            world.node.post("a stranger", world.time)
        world.send(worker, Way.TWICE)
        world.record(worker)
        for _ in range(looks):
            self._advance(word)
            self._when_due()
            world.tick()

    @rule(sends=st.booleans(), way=st.sampled_from(Way))
    def pause_in_the_middle(self, sends, way):
        """A worker dies during its tick: before the intent, between intent and send, or before the record."""
        worker = self.world.claim()
        if worker is None:
            return
        if self.world.exchange(worker) and sends:
            if not self.world.commit_intent(worker):
                return
            if way is not Way.ARRIVES:
                self.world.send(worker, way)
        self.paused.append(worker)

    @precondition(lambda self: self.paused)
    @rule(way=st.sampled_from(Way))
    def poll_again(self, way):
        """A worker wakes and believes that no time has passed."""
        self._finish(self.paused.pop(0), way)

    def _finish(self, worker, way):
        world = self.world
        if worker.seen is None:
            if worker.intended_at is None and not world.commit_intent(worker):
                return
            world.send(worker, way)
        world.record(worker)

    @precondition(lambda self: self.paused)
    @rule()
    def crash(self):
        self.paused.clear()

    @precondition(lambda self: self.world.snapshot.state.is_moving)
    @rule()
    def let_the_lease_expire(self):
        self.world.wait(timing.LEASE.total_seconds())
        self.world.sweep()

    @rule(seconds=st.sampled_from([0.5, 2, 5, 9, 31]))
    def wait(self, seconds):
        self.world.wait(seconds)
        self.world.sweep()

    # -- what the world does -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.in_flight)
    @rule(after_an_error=st.booleans())
    def deliver(self, after_an_error):
        if after_an_error:
            self.world.node.advance("error")
        self.deliver_now()

    def deliver_now(self):
        self.world.in_flight.pop(0)
        self.world.node.post("us", self.world.time)

    @precondition(lambda self: self.world.in_flight)
    @rule()
    def lose(self):
        self.world.in_flight.pop(0)

    @rule(really=SELDOM)
    def foreign_post(self, really):
        if really:
            self.world.node.post("a stranger", self.world.time)

    @precondition(lambda self: self.world.node.starter)
    @rule(word=st.sampled_from(["on", "on", "error"]))
    def advance_the_node(self, word):
        self._advance(word)

    def _advance(self, word):
        node = self.world.node
        node.advance(word)
        if node.cluster and node.certificate == "AA:01":
            node.certificate = MEMBER if self.world.snapshot.action is Action.JOIN else "BB:02"

    @rule(fingerprint=st.sampled_from(["AA:01", "BB:02", "DD:04"]), really=SELDOM)
    def new_certificate(self, fingerprint, really):
        if really:
            self.world.node.certificate = fingerprint

    @rule(seconds=st.sampled_from([1, 4, 40, 500]), really=SELDOM)
    def stop_the_node_for_a_while(self, seconds, really):
        if really:
            self.world.node.up_at = self.world.time + seconds

    @precondition(
        lambda self: self.world.node.word in {"creating_cluster", "initiated"} and not self.world.node.cluster
    )
    @rule(really=SELDOM)
    def reset_the_node(self, really):
        if not really:
            return
        self.world.node.reset()

    # between machines a clock that jumps again and again within the quiet time cannot be told from time that passes
    @precondition(lambda self: self._may_jump())
    @rule(seconds=st.sampled_from([-3600, -30, 30, 3600]))
    def jump(self, seconds):
        self.world.jump(seconds)

    def _may_jump(self):
        return self.world.one_machine or self.world.time - self.world.jumped_at > timing.SETTLE_TIME.total_seconds()

    # -- what people do ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.snapshot.state is State.NEEDS_OPERATOR)
    @rule(which=st.integers(0, 3))
    def choose(self, which):
        world = self.world
        choices = self.choices()
        choice = choices[which % len(choices)]
        if choice in ENDING:
            world.decide_by(ENDING[choice])
            return
        if choice is Choice.CREDENTIALS:
            world.secret, world.password_changed, world.pair_refused = True, False, False
        if choice is Choice.APPROVE_CERTIFICATE:
            world.approved.add(str(world.snapshot.seen_certificate["fingerprint"]))
        world.orders += choice is Choice.SEND_AGAIN
        world.decide_by(LASTING[choice], SPAN)

    @rule(really=SELDOM)
    def change_the_password(self, really):
        if really:
            self.world.password_changed = True

    @precondition(lambda self: Choice.CANCEL in self.choices())
    @rule(really=SELDOM, meant=SELDOM)
    def cancel(self, really, meant):
        if really and meant:  # or hardly an attempt would live
            self.world.decide_by(transitions.cancel)

    def choices(self):
        snapshot = self.world.snapshot
        return offered(snapshot.state, snapshot.reason, may_have_sent=snapshot.submits > 0)

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def every_promise_holds(self):
        self.one_start_is_accepted_once_at_most()
        self.it_is_sent_as_often_as_it_was_ordered_and_once_more_at_most()
        self.success_is_ours_and_proved()
        self.a_strangers_error_is_not_ours()
        self.the_end_is_final()
        self.events_are_in_order_and_end_with_the_outcome()
        self.the_secret_lives_as_long_as_it_is_needed()
        self.the_token_only_grows()
        self.waiting_names_a_reason_and_choices()
        self.refused_sign_ins_stay_below_the_lockout()

    def one_start_is_accepted_once_at_most(self):
        assert self.world.node.accepted.count("us") <= 1

    def it_is_sent_as_often_as_it_was_ordered_and_once_more_at_most(self):
        assert self.world.sent <= self.world.orders + 1

    def success_is_ours_and_proved(self):
        if self.world.snapshot.state is State.SUCCEEDED:
            node = self.world.node
            assert (node.starter, node.word, node.active) == ("us", "completed", True)

    def a_strangers_error_is_not_ours(self):
        snapshot = self.world.snapshot
        if snapshot.reason is Reason.NODE_ERROR and not snapshot.unconfirmed:
            assert "us" in self.world.node.ever
        if snapshot.not_accepted_at and snapshot.submits == 1:
            assert snapshot.reason is not Reason.NODE_ERROR

    def the_end_is_final(self):
        snapshot = self.world.snapshot
        assert self.ended is None or self.ended is snapshot
        if snapshot.state.is_final:
            self.ended = snapshot

    def events_are_in_order_and_end_with_the_outcome(self):
        numbers = [number for number, _ in self.world.events]
        assert numbers == list(range(1, len(numbers) + 1))
        kinds = [kind for _, kind in self.world.events]
        assert not {"succeeded", "failed", "cancelled"} & set(kinds[:-1])
        if "accepted" in kinds:
            assert kinds.index("submitting") < kinds.index("accepted")

    def the_secret_lives_as_long_as_it_is_needed(self):
        snapshot = self.world.snapshot
        if snapshot.state is State.FAILED:  # a retry gets it back, for 15 minutes
            assert not (self.world.secret and (snapshot.refused_sign_ins or snapshot.error_code == "access_denied"))
        elif snapshot.state.is_final or (choices_of(snapshot.reason) and not snapshot.reason.keeps_credentials):
            assert not self.world.secret

    def refused_sign_ins_stay_below_the_lockout(self):
        assert self.world.refused_lately <= BUDGET

    def the_token_only_grows(self):
        assert self.world.token >= self.token
        self.token = self.world.token

    def waiting_names_a_reason_and_choices(self):
        if self.world.snapshot.state is State.NEEDS_OPERATOR:
            assert len(self.choices()) > 1

    def teardown(self):
        """The attempt ends or waits for the operator within a minute after its deadline."""
        world = self.world
        if world.snapshot.deadline_at is None:
            return
        if not world.went_back:
            world.wait(SPAN.total_seconds() + 60)
        world.node.up_at = 1e9
        for _ in range(64):  # by looks, where the clock has been put back
            world.wait(30)
            world.tick(Way.LOST)
            world.sweep()
            if not world.snapshot.state.is_moving:
                break
        assert not world.snapshot.state.is_moving


@pytest.mark.timeout(600)  # it computes for a minute, on a machine that has nothing else to do
@pytest.mark.untraced  # three times as long otherwise, and each line of the reducer has a test that names it
@pytest.mark.parametrize("runs", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_promises_hold_in_every_order_of_events(runs):
    run_state_machine_as_test(
        Attempts,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
