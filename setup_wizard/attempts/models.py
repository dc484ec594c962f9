"""The rows that are the truth: attempts, their events, sealed credentials and cluster locks."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from setup_wizard.access.append_only import AppendOnlyModel
from setup_wizard.access.audit import Target
from setup_wizard.attempts.choices import Choice, offered
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import NodeState
from setup_wizard.nodes.limits import DETAIL_CHARACTERS

OPEN_STATES = [state.value for state in State if state.is_open]
MOVING_STATES = [state.value for state in State if state.is_moving]
LONGEST_KEY = 300  # of a cluster's lock
LONGEST_UID = 40
LONGEST_ANSWER = 4096


class Attempt(models.Model):
    """One bootstrap of one node. Only `attempts.engine` writes it, by compare-and-set under a lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attempts")
    action = models.CharField(max_length=32, choices=[(action.value, action.label) for action in Action])
    host = models.CharField("node as typed", max_length=255)
    address = models.CharField("node as resolved, ip:port", max_length=64, db_index=True)
    cluster_name = models.CharField(max_length=255, blank=True)
    member_address = models.CharField("member that a join was checked against, ip:port", max_length=64, blank=True)
    cluster_keys = models.JSONField("what stands for the cluster's lock", default=list)
    request = models.JSONField("the request, redacted")
    username = models.CharField(max_length=255, blank=True)
    facts = models.JSONField("what the node said of itself before Start", default=dict)

    state = models.CharField(
        max_length=16, choices=[(state.value, state.label) for state in State], default=State.QUEUED
    )
    reason = models.CharField(max_length=32, blank=True)
    resume_state = models.CharField(max_length=16, blank=True)
    waiting_since = models.DateTimeField(null=True)
    blocked_by = models.CharField("whom a queued attempt waits for", max_length=255, blank=True)
    blocker_needs_operator = models.BooleanField("that one needs a decision itself", default=False, db_default=False)

    node_state = models.CharField("the node's own word", max_length=64, blank=True)
    error_code = models.CharField("the node's own code", max_length=64, blank=True)
    error_details = models.JSONField(default=dict, null=True)
    answer = models.CharField("what a refusing node said", max_length=LONGEST_ANSWER, blank=True)
    answer_status = models.PositiveSmallIntegerField("the status code of that answer", default=0, db_default=0)

    fingerprint = models.CharField(max_length=95)
    member_fingerprint = models.CharField(max_length=95, blank=True)
    accept_new_certificate = models.BooleanField(default=False)
    new_fingerprint = models.CharField("what replaced it during the bootstrap", max_length=95, blank=True)
    seen_certificate = models.JSONField("one that waits for approval", default=dict, null=True)

    was_validated = models.BooleanField("the node has looked at the request, or cannot", default=False)
    baseline_state = models.CharField(max_length=64, blank=True)
    submit_intent_at = models.DateTimeField(null=True)
    submits = models.PositiveSmallIntegerField(default=0)
    accepted_start_time = models.CharField(max_length=64, blank=True)
    unconfirmed = models.BooleanField("ours by all appearances, not by the node's answer", default=False)
    not_ours = models.BooleanField("watched, but somebody else's", default=False)
    given_name = models.CharField("the cluster's name as the approved member gave it", max_length=255, blank=True)
    found_name = models.CharField("the name that the node's cluster gave", max_length=255, blank=True)
    name_proved = models.BooleanField("the cluster itself has confirmed its name", default=False)
    node_uid = models.CharField("the node's number in its cluster", max_length=LONGEST_UID, blank=True)
    listed_as = models.CharField("the cluster's word for the node", max_length=64, blank=True)
    refused_since = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    silent_phase = models.CharField(max_length=16, blank=True)
    silent_words = models.CharField(
        "what came with an HTTP status that is not an answer", max_length=DETAIL_CHARACTERS, blank=True, db_default=""
    )
    failed_ticks = models.PositiveSmallIntegerField(
        "ticks that broke on a fault of ours, in a row", default=0, db_default=0
    )

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    last_seq = models.PositiveIntegerField(default=0)
    offered_seq = models.PositiveIntegerField("the event since which it offers these choices", default=0, db_default=0)

    next_tick_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True)
    lease_held = models.BooleanField(default=False)
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(state__in=OPEN_STATES), name="one_open_attempt_a_node"
            ),
        ]
        indexes = [
            models.Index(fields=["next_tick_at"], condition=Q(state__in=MOVING_STATES), name="attempts_due"),
            models.Index(fields=["-created_at"], name="attempts_newest"),
            models.Index(fields=["state", "-created_at"], name="attempts_by_state"),
            models.Index(fields=["requested_by", "-created_at"], name="attempts_by_person"),
        ]

    def __str__(self) -> str:
        return f"{Action(self.action).verb} {self.address}"

    @property
    def as_target(self) -> Target:
        """What the audit log calls it."""
        return Target("attempt", str(self.pk), f"{self}{f', {self.cluster_name}' if self.cluster_name else ''}")

    @property
    def status(self) -> State:
        """The state as the enum that answers."""
        return State(self.state)

    @property
    def tone(self) -> str:
        """How its state is coloured: one that waits for a decision about another setup does not move."""
        return "warn" if self.blocker_needs_operator else self.status.tone

    @property
    def why(self) -> Reason:
        """The reason as the enum that answers."""
        return Reason(self.reason)

    @property
    def is_open(self) -> bool:
        """Whether the node is still taken by this attempt."""
        return self.status.is_open

    @property
    def has_sent(self) -> bool:
        """Whether a POST may have left."""
        return self.submits > 0

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What an operator may do now, the likeliest first."""
        return offered(self.status, self.why, has_sent=self.has_sent)

    @property
    def current_fingerprint(self) -> str:
        """The certificate that the node shows now: the one it got during the bootstrap, or the first."""
        return self.new_fingerprint or self.fingerprint

    @property
    def target(self) -> str:
        """The cluster in words: its name, or the member that a join was checked against."""
        if not self.cluster_name and self.action == Action.RECOVER:
            return f"the cluster of {self.address}"
        return self.cluster_name or (f"the cluster of {self.member_address}" if self.member_address else "")


class ReducerState(models.Model):
    """What the reducer remembers of an attempt between two ticks, and nobody else reads.

    Written second, in the transaction that has moved the attempt: the compare-and-set on the attempt guards both rows.
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="reducer_state", primary_key=True)
    baseline_start_time = models.CharField(max_length=64, blank=True)
    began = models.BooleanField("the node was seen to begin it", default=False)
    resubmits = models.PositiveSmallIntegerField("how often it was sent again without being told to", default=0)
    settle_time = models.FloatField("seconds watched since the intent, whatever clocks say", default=0)
    earlier_unknown = models.BooleanField("an earlier POST may have arrived, nobody knows", default=False)
    conflict_at = models.DateTimeField("when the node answered that a bootstrap runs", null=True)
    refusal = models.PositiveSmallIntegerField("HTTP status of a refusal that waits for a look", default=0)
    member_asked = models.BooleanField("the member was asked for the cluster's name", default=False)
    wants_sign_in = models.BooleanField("the node has asked for the sign-in", default=False)
    refused_sign_ins = models.PositiveSmallIntegerField("sign-ins refused in a row", default=0, db_default=0)
    silence_reported = models.BooleanField("its long silence has been told", default=False)
    unchanged_reads = models.PositiveSmallIntegerField(default=0)
    idle_reads = models.PositiveSmallIntegerField(default=0)
    error_since = models.DateTimeField(null=True)
    error_patience = models.FloatField(
        "seconds for which the node must say error until it is believed", default=2.0, db_default=2.0
    )
    time_left = models.FloatField("seconds to the deadline by the looks taken, whatever clocks say", null=True)
    last_asked_at = models.DateTimeField(null=True)
    marked_by = models.CharField("the machine whose counter the mark is of", max_length=36, blank=True, db_default="")
    mark = models.FloatField(
        "where its steady counter stood when this row was last written, in seconds", default=0, db_default=0
    )

    def __str__(self) -> str:
        return f"reducer state of {self.attempt_id}"


class Event(AppendOnlyModel):
    """One thing that happened in an attempt; an answer without news is none.

    Triggers in the database refuse every change: a migration that alters this table has to put them back, for SQLite
    makes the table anew.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=32)
    message = models.CharField(max_length=1024)
    data = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["attempt", "seq"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.seq}. {self.message}"

    @property
    def node_state(self) -> NodeState:
        """The node's state that this event reports, unrecognised when it reports none."""
        return NodeState(str(self.data.get("node_state", "")))


class SealedCredentials(models.Model):
    """One owner's credentials, sealed. The owner is a draft or an attempt; `vault.py` alone reads and writes it."""

    owner = models.UUIDField(primary_key=True)
    sealed = models.TextField()
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"credentials of {self.owner}"


class SpentCredentials(models.Model):
    """Credentials that were sent to a node and sign in nowhere any more: its answers are searched for them.

    They are sealed and deleted like the others; an empty `sealed` says that there were some. `vault.py` alone reads and
    writes this.
    """

    owner = models.UUIDField("the attempt", db_index=True)
    address = models.CharField("the node, ip:port", max_length=64, db_index=True)
    sealed = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"spent credentials of {self.owner}"


class SignInOutcome(models.TextChoices):
    """What became of a sign-in that was sent; `ordered` is one that an operator wants sent in spite of everything."""

    SENT = "sent"
    LOST = "lost"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    ORDERED = "ordered"

    @property
    def counts(self) -> bool:
        """Whether the cluster may hold it against the account."""
        return self in {SignInOutcome.SENT, SignInOutcome.LOST, SignInOutcome.REFUSED}

    @property
    def is_trusted(self) -> bool:
        """Whether the same credentials may be sent even when no more refused ones are allowed."""
        return self in {SignInOutcome.ACCEPTED, SignInOutcome.ORDERED}


class SentSignIn(models.Model):
    """A sign-in that may count towards a cluster's lockout; `sign_ins.py` alone reads and writes it.

    `account` and `pair` are keyed hashes, of cluster and user name, and of these with the secret.
    """

    account = models.CharField(max_length=64, db_index=True)
    pair = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=SignInOutcome, default=SignInOutcome.SENT)
    at = models.DateTimeField("when it was sent, or its outcome known", default=timezone.now, db_index=True)
    bootstrap_of = models.UUIDField("the attempt whose node signs in with it by itself", null=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at:%H:%M:%S}"

    @property
    def result(self) -> SignInOutcome:
        """The outcome as the enum that answers."""
        return SignInOutcome(self.outcome)


class LockoutPolicy(models.Model):
    """When a cluster locks an account, as read from the cluster; its row is also what parallel sign-ins queue at.

    `cluster` is a keyed hash of the cluster's certificate. `sign_ins.py` alone reads and writes it.
    """

    cluster = models.CharField(primary_key=True, max_length=64)
    threshold = models.PositiveIntegerField(null=True)
    window_seconds = models.PositiveIntegerField(null=True)
    read_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField("when it was last asked for, whether it could be read or not", null=True)

    def __str__(self) -> str:
        return f"{self.threshold} within {self.window_seconds} s"


class ClusterLock(models.Model):
    """The right to change one cluster, held by one attempt from leaving the queue to its end."""

    key = models.CharField(primary_key=True, max_length=LONGEST_KEY)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="locks")

    def __str__(self) -> str:
        return self.key
