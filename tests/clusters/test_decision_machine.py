"""The decisions of a run with everything that can happen between them, in random order.

Hypothesis strings together decisions, attempts that move, fail and wait, clusters that are not fit, credentials that
expire, and choices of an operator. `begun` is what the nodes would have seen.
"""

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

from setup_wizard.clusters.decisions import Next, NodeProgress, PauseReason, RunState, RunView, decide

AHEAD = {NodeProgress.TODO, NodeProgress.CHOSEN}
OPEN = {NodeProgress.MOVING, NodeProgress.NEEDS_OPERATOR}
FOR_THE_WORKER = {Next.CHOOSE_NODE, Next.BEGIN, Next.CHECK_CLUSTER, Next.PAUSE, Next.RESUME, Next.SUCCEED}


class Runs(RuleBasedStateMachine):
    @initialize(count=st.integers(1, 5), is_fit=st.booleans())
    def start(self, count, is_fit):
        self.nodes = [NodeProgress.TODO] * count
        self.state, self.reason = RunState.RUNNING, PauseReason.NONE
        self.pause_requested, self.is_fit = False, is_fit
        self.has_credentials = self.is_permitted = True
        self.begun = [0] * count
        self.retried = [1] * count

    @property
    def view(self):
        return RunView(
            state=self.state,
            reason=self.reason,
            nodes=tuple(self.nodes),
            pause_requested=self.pause_requested,
            is_fit=self.is_fit,
            has_credentials=self.has_credentials,
            is_permitted=self.is_permitted,
        )

    @property
    def current(self):
        return self.view.current

    def _pause(self, reason):
        self.pause_requested = self.pause_requested and reason is not PauseReason.REQUESTED
        self.state, self.reason = RunState.PAUSED, reason

    def _run(self):
        self.state, self.reason = RunState.RUNNING, PauseReason.NONE

    # -- what the worker does ------------------------------------------------------------------------------------------

    @rule(fit=st.booleans(), passes=st.booleans(), settled=st.booleans())
    def advance(self, fit, passes, settled):
        was_paused = self.state is RunState.PAUSED
        decision = decide(self.view)
        match decision.next:
            case Next.CHOOSE_NODE:
                self.nodes[decision.position] = NodeProgress.CHOSEN
            case Next.BEGIN:
                self._begin(decision.position, passes)
            case Next.CHECK_CLUSTER:
                self.is_fit = fit
                self._pause_unless(fit, PauseReason.CLUSTER_NOT_FIT)
            case Next.CHECK_SKIPPED:
                self._check_skipped(decision.position, settled)
            case Next.PAUSE:
                self._pause(decision.reason)
            case Next.RESUME:
                self._run()
            case Next.SUCCEED:
                assert self.is_fit
                assert all(node.is_over for node in self.nodes)
                self.state = RunState.SUCCEEDED
        if was_paused and decision.next not in {Next.RESUME, Next.CHECK_SKIPPED}:
            assert self.state is RunState.PAUSED

    def _begin(self, position, passes):
        assert self.state is RunState.RUNNING
        assert self.has_credentials
        assert self.is_permitted
        assert self.is_fit
        assert not self.pause_requested
        assert not OPEN & set(self.nodes)
        if passes:
            self.begun[position] += 1
            self.nodes[position] = NodeProgress.MOVING
        self._pause_unless(passes, PauseReason.CHECK_FAILED)

    def _check_skipped(self, position, settled):
        if settled:
            self.nodes[position] = NodeProgress.SKIPPED
            self._run()
        self._pause_unless(settled, PauseReason.SKIP_UNCERTAIN)

    def _pause_unless(self, is_well, reason):
        if not is_well:
            self._pause(reason)

    # -- what happens to the attempt under way -------------------------------------------------------------------------

    @precondition(lambda self: OPEN & set(self.nodes))
    @rule(outcome=st.sampled_from([*OPEN, NodeProgress.DONE, NodeProgress.FAILED]))
    def attempt_goes_on(self, outcome):
        position = next(index for index, node in enumerate(self.nodes) if node in OPEN)
        self.nodes[position] = outcome
        if outcome is NodeProgress.DONE:
            self.is_fit = False

    # -- what changes around it ----------------------------------------------------------------------------------------

    @rule(kept=st.booleans())
    def credentials_expire(self, kept):
        self.has_credentials = kept

    @rule(is_permitted=st.booleans())
    def permission_changes(self, is_permitted):
        self.is_permitted = is_permitted

    # -- what an operator does -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.state is RunState.RUNNING)
    @rule()
    def pause(self):
        self.pause_requested = True

    @precondition(lambda self: self.state is RunState.PAUSED and self.current is not None)
    @precondition(lambda self: self.nodes[self.current] in AHEAD)
    @rule()
    def resume(self):
        self.pause_requested = False
        self._run()

    @precondition(lambda self: self.state is RunState.PAUSED and NodeProgress.FAILED in self.nodes)
    @rule()
    def retry(self):
        position = self.nodes.index(NodeProgress.FAILED)
        self.nodes[position] = NodeProgress.CHOSEN
        self.retried[position] += 1
        self.pause_requested = False
        self._run()

    @precondition(lambda self: self.state is RunState.PAUSED and self.current)
    @precondition(lambda self: self.nodes[self.current] in {*AHEAD, NodeProgress.FAILED, NodeProgress.NEEDS_OPERATOR})
    @rule()
    def skip(self):
        self.nodes[self.current] = NodeProgress.SKIPPING
        self.pause_requested = False
        self._run()

    @precondition(lambda self: self.reason is PauseReason.SKIP_UNCERTAIN)
    @rule()
    def confirm_skip(self):
        self.nodes[self.current] = NodeProgress.SKIPPED
        self._run()

    @precondition(lambda self: not self.state.is_final)
    @rule(really=st.sampled_from([False, False, False, True]))
    def stop(self, really):
        if really:
            self.state, self.reason = RunState.STOPPED, PauseReason.NONE

    # -- what always holds ---------------------------------------------------------------------------------------------

    @invariant()
    def one_at_a_time(self):
        under_way = [node for node in self.nodes if node is not NodeProgress.TODO and not node.is_over]
        assert len(under_way) <= 1

    @invariant()
    def in_order(self):
        following = self.nodes[self.current + 1 :] if self.current is not None else []
        assert set(following) <= {NodeProgress.TODO}

    @invariant()
    def one_attempt_for_each_try(self):
        assert all(begun <= tries for begun, tries in zip(self.begun, self.retried, strict=True))

    @invariant()
    def never_stuck(self):
        """A run has something to do, waits for an attempt that moves, waits for an operator, or has ended."""
        decision = decide(self.view)
        waits_for_attempt = NodeProgress.MOVING in self.nodes
        waits_for_operator = self.state is RunState.PAUSED
        is_checking = decision.next is Next.CHECK_SKIPPED
        assert (
            self.state.is_final
            or decision.next in FOR_THE_WORKER
            or waits_for_attempt
            or waits_for_operator
            or is_checking
        )

    def teardown(self):
        """Left alone, with attempts that succeed and a cluster that is fit, a running run ends."""
        if not hasattr(self, "state") or self.state is not RunState.RUNNING:
            return
        self.pause_requested, self.has_credentials, self.is_permitted = False, True, True
        for _ in range(6 * len(self.nodes) + 6):
            self.nodes = [NodeProgress.DONE if node in OPEN else node for node in self.nodes]
            self.advance(fit=True, passes=True, settled=True)
            if self.state is RunState.PAUSED:
                assert NodeProgress.FAILED in self.nodes
                return
        assert self.state is RunState.SUCCEEDED


def test_runs_keep_their_promises_in_any_order():
    run_state_machine_as_test(
        Runs,
        settings=settings(
            max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
