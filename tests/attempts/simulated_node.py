"""A node, a network, a row and its workers in memory, for the state machine of `test_machine.py`.

The node judges: it knows whose bootstrap it took, and counts. Everything that decides is the project's own
(`next_exchange`, `decide`, `expire`, `intend`, `may_submit`, `pins`, `retention`, `transitions`, `offered`); what
stands here in place of the database is one compare-and-set, in place of the network a list of requests that are still
under way.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterFree,
    ClusterShown,
    Conflict,
    CredentialsMissing,
    MemberNamed,
    MemberRefused,
    MemberUnavailable,
    NodeListed,
    NotSent,
    Rejected,
    Seen,
    SignInHeld,
    SignInWanted,
    Silent,
    UnapprovedCertificate,
    Valid,
)
from setup_wizard.attempts.reducer import (
    Exchange,
    Retention,
    Snapshot,
    decide,
    expire,
    intend,
    may_sign_in,
    may_submit,
    next_exchange,
    pins,
    retention,
    with_deadline,
)
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState

EPOCH = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
SPAN = timedelta(minutes=30)
OURS, THEIRS = "redis-prod.example.com", "other.example.com"
MEMBER = "CC:03"
BUDGET = timing.LOCKOUT_THRESHOLD - timing.LOCKOUT_RESERVE
# a request arrives this long after its intent, or never: G, and the time that the POST may take
LATEST_ARRIVAL = timing.SEND_WITHIN + timing.POST_SECONDS


class Way(Enum):
    """The fate of one POST."""

    ARRIVES = "it arrives, and so does its answer"
    ANSWER_LOST = "it arrives, and its answer does not"
    LOST = "it never arrives"
    DELAYED = "nobody waits for it any more when it arrives"
    TWICE = "something on the way sends it twice, and passes on the second answer"
    REFUSED = "something on the way refuses it, and the node never sees it"
    REFUSED_YET_TAKEN = "something on the way refuses it, and the node takes it"


@dataclass
class Node:
    """The bootstraps that the node accepted, and whose they were."""

    word: str = "idle"
    started: int = 0  # seconds since the epoch, unique
    starter: str = ""
    certificate: str = "AA:01"
    cluster: str = ""
    active: bool = False
    up_at: float = 0.0
    foreign_password: bool = False  # whether strangers use our password for a cluster of their own
    accepted: list[str] = field(default_factory=list)
    ever: set[str] = field(default_factory=set)  # whose it took, before it was reset too

    @property
    def start_time(self):
        return (EPOCH + timedelta(seconds=self.started)).isoformat() if self.starter else None

    def post(self, starter: str, now: float) -> int:
        if self.word not in {"idle", "error"}:
            return 409
        self.started = max(self.started + 1, int(now))
        self.word, self.starter = "initiated", starter
        self.accepted.append(starter)
        self.ever.add(starter)
        return 200

    def advance(self, word: str) -> None:
        """Move the bootstrap on: initiated, running, member, completed; or to an error before membership."""
        if self.word == "initiated":
            self.word = "creating_cluster" if word != "error" else "error"
        elif self.word == "creating_cluster" and not self.cluster:
            if word == "error":
                self.word = "error"
            else:
                self.cluster = OURS if self.starter == "us" else THEIRS
        elif self.word == "creating_cluster":
            self.word = "completed"
        elif self.word == "completed":
            self.active = True

    def reset(self) -> None:
        """Reset the node as if it was newly installed."""
        self.word, self.starter = "idle", ""
        self.accepted.clear()

    @property
    def takes_our_sign_in(self):
        return self.cluster == OURS or self.foreign_password

    @property
    def status(self):
        return BootstrapStatus(
            NodeState(self.word), self.word, self.start_time, None, "path_error" if self.word == "error" else None
        )


@dataclass
class Worker:
    """A running tick: what it has read, and its next step."""

    token: int
    snapshot: Snapshot
    seen: object = None
    baseline: BootstrapStatus | None = None
    intended_at: float | None = None
    mark: float = 0.0


class World:
    """One attempt and everything around it. `time` is real; the parts read a clock that may jump.

    On one machine they also have a counter that does not; on several they have the clock alone.
    """

    def __init__(self, action=Action.CREATE, *, accepts_swap=True, foreign_password=False, one_machine=False):
        self.time, self.skew, self.jumped_at = 0.0, 0.0, -1e9
        self.one_machine, self.mark = one_machine, 0.0
        self.node = Node(foreign_password=foreign_password)
        joins = action is Action.JOIN
        self.snapshot = Snapshot(
            state=State.QUEUED, action=action, fingerprint="AA:01", accept_new_certificate=accepts_swap,
            cluster_name="" if joins else OURS, member_address="10.0.0.6:9443" if joins else "",
            member_fingerprint=MEMBER if joins else "",
        )  # fmt: skip
        self.token, self.lease_until, self.next_tick = 0, self.now, self.now
        self.secret = True
        self.events = []
        self.approved = {"AA:01", *([MEMBER] if joins else [])}
        self.in_flight = []  # the real times of intents whose POST is still under way
        self.sent = 0
        self.orders = 1  # how often a person has said "send"
        self.went_back = False
        self.writes = 0
        self.password_changed, self.pair_refused = False, False
        self.refused_at = []  # the real times of sign-ins that were refused

    @property
    def now(self):
        return EPOCH + timedelta(seconds=self.time + self.skew)

    @property
    def is_up(self):
        return self.time >= self.node.up_at

    # -- the database: one row, one compare-and-set ----------------------------------------------------------------

    def claim(self):
        moving = self.snapshot.state.is_moving
        due = self.next_tick <= self.now or self.next_tick > self.now + timing.LONGEST_DELAY
        free = self.lease_until <= self.now or self.lease_until > self.now + timing.LONGEST_LEASE
        if not (moving and due and free):
            return None
        self.token += 1
        self.writes += 1
        self.lease_until = self.now + timing.LEASE
        return Worker(self.token, self.snapshot, mark=self.mark)

    def write(self, worker_token, expected_state, snapshot, notes):
        if self.token != worker_token or self.snapshot.state is not expected_state:
            return False
        assert not self.snapshot.state.is_final, "what has ended has changed"
        self.snapshot, self.mark = snapshot, self.time
        self.writes += 1
        for note in notes:
            self.events.append((len(self.events) + 1, note.kind))
        match retention(snapshot):
            case Retention.DELETED:
                self.secret = False
        return True

    def save_decision(self, token, before, outcome):
        after = outcome.snapshot
        if after.started_at and after.deadline_at is None:
            after = with_deadline(after, after.started_at, SPAN)
        if not self.write(token, before.state, after, outcome.events):
            return False
        self.next_tick, self.lease_until = self.now + timedelta(seconds=outcome.wait), self.now
        return True

    def sweep(self):
        """The supervisor's round, which keeps deadlines."""
        free = self.lease_until <= self.now or self.lease_until > self.now + timing.LONGEST_LEASE
        if (outcome := expire(self.snapshot, self.now)) and (free or self.snapshot.state is State.NEEDS_OPERATOR):
            self.token += 1
            self.save_decision(self.token, self.snapshot, outcome)

    # -- the worker: claim, exchange, record ---------------------------------------------------------------------------

    def exchange(self, worker):
        """Run a tick up to the intent; True when a POST follows."""
        snapshot, node = worker.snapshot, self.node
        wanted = next_exchange(snapshot)
        if wanted is Exchange.QUEUE:
            worker.seen = ClusterFree()
        elif wanted is Exchange.MEMBER:
            worker.seen = self._ask_member(snapshot)
        elif not self.is_up:
            worker.seen = Silent("connect")
        elif node.certificate not in pins(snapshot):
            worker.seen = UnapprovedCertificate({"fingerprint": node.certificate})
        elif wanted is Exchange.VALIDATE:
            worker.seen = self._check(snapshot)
        elif wanted is Exchange.SUBMIT:
            return self._baseline(worker)
        elif wanted is Exchange.POLL:
            worker.seen = self._look(snapshot)
        else:
            worker.seen = self._verify(snapshot, wanted)
        return False

    def _ask_member(self, snapshot):
        if not (self.secret and self.is_up):
            return MemberUnavailable("away")
        if self._holds_back(snapshot):
            return SignInHeld("held back")
        return MemberNamed(OURS) if self._accepts(in_cluster=True) else MemberRefused()

    def _check(self, snapshot):
        node = self.node
        if node.cluster:
            return SignInWanted()
        if not may_submit(snapshot, node.status):
            return Seen(node.status, node.certificate)
        if not self.secret:
            return CredentialsMissing()
        assert node.certificate in self.approved, "a password over a certificate that nobody approved"
        return Valid()

    def _baseline(self, worker):
        node = self.node
        if node.cluster:
            worker.seen = SignInWanted()
        elif not may_submit(worker.snapshot, node.status):
            worker.seen = Seen(node.status, node.certificate)
        elif not self.secret:
            worker.seen = CredentialsMissing()
        else:
            worker.baseline = node.status
            return True
        return False

    def _look(self, snapshot):
        node = self.node
        if snapshot.wants_sign_in and not snapshot.not_ours and not self.secret:
            return CredentialsMissing()
        wants_sign_in = may_sign_in(snapshot, self.now)
        if wants_sign_in:
            assert node.certificate in self.approved, "a sign-in over a certificate that nobody approved"
        if node.cluster and wants_sign_in and self._holds_back(snapshot):
            return SignInHeld("held back")
        if node.cluster and not (wants_sign_in and self._accepts(in_cluster=node.takes_our_sign_in)):
            return SignInWanted(signed_in=wants_sign_in, fingerprint=node.certificate)
        return Seen(node.status, node.certificate, signed_in=wants_sign_in, uid="1" if node.cluster else "")

    def _verify(self, snapshot, wanted):
        node = self.node
        if not self.secret:
            return CredentialsMissing()
        assert node.certificate in self.approved, "a sign-in over a certificate that nobody approved"
        if not may_sign_in(snapshot, self.now):
            return SignInHeld(is_busy=True)
        if self._holds_back(snapshot):
            return SignInHeld("held back")
        if not self._accepts(in_cluster=node.takes_our_sign_in):
            return SignInWanted(signed_in=True, fingerprint=node.certificate)
        if wanted is Exchange.CLUSTER:
            return ClusterShown(node.cluster, node.certificate)
        return NodeListed("active" if node.active else "provisioning", node.certificate)

    # -- the budget of refused sign-ins, as `sign_ins.py` keeps it ---------------------------------------------------

    @property
    def refused_lately(self):
        return sum(self.time - at < timing.LOCKOUT_WINDOW.total_seconds() for at in self.refused_at)

    def _holds_back(self, snapshot):
        return (self.pair_refused and snapshot.refused_since is None) or self.refused_lately >= BUDGET

    def _accepts(self, *, in_cluster):
        self.pair_refused = self.password_changed or not in_cluster
        if self.pair_refused:
            self.refused_at.append(self.time)
        return not self.pair_refused

    def commit_intent(self, worker):
        """Write the intent; False when the attempt was changed meanwhile."""
        intended = intend(worker.snapshot, worker.baseline, self.now)
        if not self.write(worker.token, worker.snapshot.state, intended.snapshot, intended.events):
            return False
        self.lease_until = self.now + timing.LEASE
        worker.snapshot, worker.intended_at, worker.mark = intended.snapshot, self.time, self.time
        return True

    def send(self, worker, way):
        if self.time - worker.intended_at > timing.SEND_WITHIN:
            worker.seen = NotSent()
            return
        self.sent += 1
        node = self.node
        match way:
            case Way.ARRIVES:
                worker.seen = Accepted() if node.post("us", self.time) == 200 else Conflict()
            case Way.ANSWER_LOST:
                node.post("us", self.time)
                worker.seen = AnswerLost()
            case Way.LOST:
                worker.seen = AnswerLost()
            case Way.DELAYED:
                self.in_flight.append(worker.intended_at)
                worker.seen = AnswerLost()
            case Way.TWICE:
                node.post("us", self.time)
                worker.seen = Conflict()
            case Way.REFUSED:
                worker.seen = Rejected(400, "too long")
            case Way.REFUSED_YET_TAKEN:
                node.post("us", self.time)
                worker.seen = Rejected(403, "")

    def record(self, worker):
        passed = timedelta(seconds=self.time - worker.mark) if self.one_machine else None
        outcome = decide(worker.snapshot, worker.seen, self.now, passed)
        self._note_trust(outcome)
        self.save_decision(worker.token, worker.snapshot, outcome)

    def _note_trust(self, outcome):
        """Consent covers one new certificate of a bootstrap that counts as ours."""
        for note in outcome.events:
            if note.kind == "certificate_replaced" and self.snapshot.accept_new_certificate:
                self.approved.add(note.data["new"])

    def tick(self, way=Way.ARRIVES):
        """Run a whole tick, if the attempt can be claimed."""
        worker = self.claim()
        if worker is None:
            return
        if self.exchange(worker):
            if not self.commit_intent(worker):
                return
            self.send(worker, way)
        self.record(worker)

    # -- time ----------------------------------------------------------------------------------------------------------

    def wait(self, seconds):
        self.time += seconds
        self.in_flight = [intended for intended in self.in_flight if self.time - intended <= LATEST_ARRIVAL]

    def jump(self, seconds):
        self.skew += seconds
        self.jumped_at = self.time
        self.went_back = self.went_back or seconds < 0

    def decide_by(self, change, *more):
        """Apply a choice of the operator, which takes the lease away."""
        self.token += 1
        outcome = change(self.snapshot, self.now, "maria", *more)
        self.save_decision(self.token, self.snapshot, outcome)
