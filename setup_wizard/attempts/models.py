"""Attempts, their events, encrypted credentials, sent sign-ins and cluster locks."""

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
LONGEST_VERSION = 64
LONGEST_ANSWER = 4096


class Attempt(models.Model):
    """One bootstrap of one node. Only `attempts.engine` writes it, by compare-and-set under a lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    action = models.CharField(max_length=32, choices=[(action.value, action.label) for action in Action])
    host = models.CharField("node as typed", max_length=255)
    address = models.CharField("node as resolved, ip:port", max_length=64)
    cluster_name = models.CharField(max_length=255, blank=True)
    member_address = models.CharField("member that a join was checked against, ip:port", max_length=64, blank=True)
    cluster_keys = models.JSONField("keys of the cluster's lock", default=list)
    request = models.JSONField("request without secrets")
    username = models.CharField(max_length=255, blank=True)
    facts = models.JSONField("details of the node before Start", default=dict)
    software_version = models.CharField("version in these details", max_length=LONGEST_VERSION, blank=True)
    search_text = models.TextField("what a search looks in; see search_text.py", blank=True)
    is_reviewed = models.BooleanField("a reviewer has marked it", default=False, db_default=False)

    state = models.CharField(
        max_length=16, choices=[(state.value, state.label) for state in State], default=State.QUEUED
    )
    reason = models.CharField(max_length=32, blank=True)
    resume_state = models.CharField(max_length=16, blank=True)
    waiting_since = models.DateTimeField(null=True)
    blocked_by = models.CharField("node that a queued attempt waits for", max_length=255, blank=True)
    blocker_needs_operator = models.BooleanField("that attempt waits for the operator", default=False, db_default=False)

    node_state = models.CharField("the node's own state", max_length=64, blank=True)
    error_code = models.CharField("the node's own code", max_length=64, blank=True)
    error_details = models.JSONField(default=dict, null=True)
    answer = models.CharField("answer of a node that refused", max_length=LONGEST_ANSWER, blank=True)
    answer_status = models.PositiveSmallIntegerField("status code of that answer", default=0, db_default=0)

    fingerprint = models.CharField(max_length=95)
    member_fingerprint = models.CharField(max_length=95, blank=True)
    accept_new_certificate = models.BooleanField(default=False)
    overrides = models.JSONField("checks that were accepted, with the reasons", default=list)
    accepted_permanent = models.BooleanField("accepted what can never be changed", default=False)
    new_fingerprint = models.CharField("certificate since the bootstrap", max_length=95, blank=True)
    seen_certificate = models.JSONField("certificate that waits for approval", default=dict, null=True)

    was_validated = models.BooleanField("validated by the node, or cannot be", default=False)
    baseline_state = models.CharField(max_length=64, blank=True)
    submit_intent_at = models.DateTimeField(null=True)
    submits = models.PositiveSmallIntegerField(default=0)
    accepted_start_time = models.CharField(max_length=64, blank=True)
    unconfirmed = models.BooleanField("taken for ours without the node's answer", default=False)
    not_ours = models.BooleanField("watched, but not ours", default=False)
    name_from_member = models.CharField("cluster name from the approved member", max_length=255, blank=True)
    found_name = models.CharField("cluster name from the node", max_length=255, blank=True)
    name_proved = models.BooleanField("cluster name confirmed by the cluster", default=False)
    node_uid = models.CharField("the node's ID in its cluster", max_length=LONGEST_UID, blank=True)
    listed_as = models.CharField("status in the cluster's list of nodes", max_length=64, blank=True)
    refused_since = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    silent_phase = models.CharField(max_length=16, blank=True)
    silent_error_text = models.CharField(
        "text of an HTTP error of the node", max_length=DETAIL_CHARACTERS, blank=True, db_default=""
    )
    failed_ticks = models.PositiveSmallIntegerField(
        "ticks that failed in a row, by a bug of ours", default=0, db_default=0
    )

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    duration = models.FloatField("seconds from Start to the outcome", null=True)
    last_seq = models.PositiveIntegerField(default=0)
    offered_seq = models.PositiveIntegerField("event that first offered these choices", default=0, db_default=0)

    next_tick_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True)
    lease_held = models.BooleanField(default=False)
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(state__in=OPEN_STATES), name="one_open_attempt_per_node"
            ),
        ]
        indexes = [
            models.Index(fields=["next_tick_at"], condition=Q(state__in=MOVING_STATES), name="attempts_due"),
            # one for each filter and each order of the list; the key at the end makes the order complete
            models.Index(fields=["-created_at", "-id"], name="attempts_newest"),
            models.Index(fields=["-created_at", "-id"], condition=Q(ended_at__isnull=True), name="attempts_open"),
            # with what a search for frequent words reads, so that counting its matches reads no row (not on SQLite)
            models.Index(
                fields=["state", "-created_at", "-id"], include=["ended_at", "search_text"], name="attempts_by_state"
            ),
            models.Index(
                fields=["state", "-created_at", "-id"], condition=Q(is_reviewed=False), name="attempts_not_reviewed"
            ),
            models.Index(fields=["-created_at", "-id"], condition=Q(is_reviewed=True), name="attempts_reviewed"),
            models.Index(fields=["action", "-created_at", "-id"], name="attempts_by_action"),
            models.Index(fields=["error_code", "-created_at", "-id"], name="attempts_by_code"),
            models.Index(fields=["reason", "-created_at", "-id"], name="attempts_by_reason"),
            models.Index(fields=["requested_by", "-created_at", "-id"], name="attempts_by_person"),
            models.Index(fields=["address", "created_at", "id"], name="attempts_by_node"),
            models.Index(fields=["cluster_name", "created_at", "id"], name="attempts_by_cluster"),
            models.Index(fields=["software_version", "-created_at", "-id"], name="attempts_by_version"),
            models.Index(fields=["duration", "id"], condition=Q(ended_at__isnull=False), name="attempts_by_duration"),
            models.Index(
                fields=["state", "duration", "id"],
                condition=Q(ended_at__isnull=False),
                name="attempts_by_state_duration",
            ),
            # for the newest that brought in a node; with a condition on the state, SQLite would not use it
            models.Index(fields=["state", "ended_at", "id"], name="attempts_by_end"),
            models.Index(
                fields=["action", "software_version", "-created_at"],
                condition=Q(state=State.SUCCEEDED),
                name="attempts_usual",
            ),
            # all that the pictures count, so that they read no row
            models.Index(
                fields=[
                    *("created_at", "state", "action", "error_code", "reason"),
                    *("software_version", "duration", "requested_by"),
                ],
                condition=Q(ended_at__isnull=False),
                name="attempts_figures",
            ),
        ]

    def __str__(self) -> str:
        return f"{Action(self.action).verb} {self.address}"

    @property
    def as_target(self) -> Target:
        """The attempt as target of an audit entry."""
        return Target("attempt", str(self.pk), f"{self}{f', {self.cluster_name}' if self.cluster_name else ''}")

    @property
    def status(self) -> State:
        """The state as an enum."""
        return State(self.state)

    @property
    def tone(self) -> str:
        """The colour of its state; waiting for an operator's choice about another attempt is a warning."""
        return "warn" if self.blocker_needs_operator else self.status.tone

    @property
    def why(self) -> Reason:
        """The reason as an enum."""
        return Reason(self.reason)

    @property
    def is_open(self) -> bool:
        """Whether the attempt still holds the node."""
        return self.status.is_open

    @property
    def may_have_sent(self) -> bool:
        """Whether a POST may have been sent."""
        return self.submits > 0

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the operator can choose now, the likeliest first."""
        return offered(self.status, self.why, may_have_sent=self.may_have_sent)

    @property
    def current_fingerprint(self) -> str:
        """The certificate that the node has now: from its bootstrap, or the first."""
        return self.new_fingerprint or self.fingerprint

    @property
    def replaces(self) -> int | None:
        """The ID of the failed node that this one replaces; None for a new node."""
        node = self.request.get("node") or {}
        return (node.get("identity") or {}).get("uid") if self.action == Action.JOIN else None

    @property
    def done(self) -> str:
        """What it did in a word or two, for lists of the past: "Joined"; what it tries until it succeeds."""
        has_succeeded = self.status is State.SUCCEEDED
        if self.replaces is not None:
            return f"{'Replaced' if has_succeeded else 'Replace'} node {self.replaces}"
        return Action(self.action).done if has_succeeded else Action(self.action).verb

    @property
    def target(self) -> str:
        """The cluster for people: its name, or that of a member."""
        if not self.cluster_name and self.action == Action.RECOVER:
            return f"the cluster of {self.address}"
        return self.cluster_name or (f"the cluster of {self.member_address}" if self.member_address else "")


class ReducerState(models.Model):
    """What the reducer remembers between two ticks; nothing else reads it.

    It is written after the attempt, in the same transaction: the compare-and-set on the attempt guards both rows.
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="reducer_state", primary_key=True)
    baseline_start_time = models.CharField(max_length=64, blank=True)
    began = models.BooleanField("the node was seen to start it", default=False)
    resubmits = models.PositiveSmallIntegerField("automatic retries of the POST", default=0)
    settled_for = models.FloatField("seconds watched since the intent", default=0)
    earlier_unknown = models.BooleanField("an earlier POST may have arrived", default=False)
    not_accepted_at = models.DateTimeField("when it was clear that the node had not accepted the POST", null=True)
    refusal = models.PositiveSmallIntegerField("HTTP status of a refusal, until it is confirmed", default=0)
    member_asked = models.BooleanField("the member was asked for the cluster's name", default=False)
    wants_sign_in = models.BooleanField("the node asks for credentials", default=False)
    refused_sign_ins = models.PositiveSmallIntegerField("sign-ins refused in a row", default=0, db_default=0)
    silence_reported = models.BooleanField("long silence reported", default=False)
    unchanged_reads = models.PositiveSmallIntegerField(default=0)
    idle_reads = models.PositiveSmallIntegerField(default=0)
    error_since = models.DateTimeField(null=True)
    error_patience = models.FloatField("seconds for which the node must report error", default=2.0, db_default=2.0)
    time_left = models.FloatField("seconds to the deadline, counted poll by poll", null=True)
    last_asked_at = models.DateTimeField(null=True)
    marked_by = models.CharField("machine that set the mark", max_length=36, blank=True, db_default="")
    mark = models.FloatField("monotonic clock of that machine at the last write, in seconds", default=0, db_default=0)

    def __str__(self) -> str:
        return f"reducer state of {self.attempt_id}"


class Event(AppendOnlyModel):
    """One thing that happened in an attempt.

    Database triggers refuse changes. They are put back after each migration, because SQLite recreates altered tables.
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
        constraints = [models.UniqueConstraint(fields=["attempt", "seq"], name="one_event_per_seq")]

    def __str__(self) -> str:
        return f"{self.seq}. {self.message}"

    @property
    def node_state(self) -> NodeState:
        """The node's state in this event, unrecognised when there is none."""
        return NodeState(str(self.data.get("node_state", "")))


class PreflightResult(models.Model):
    """The latest result of one check of a draft; only `preflight.stored_runs` reads and writes it.

    `run` is the run that may write it. Without a message the check has nothing to say.
    """

    owner = models.UUIDField("draft")
    version = models.PositiveIntegerField("version of the draft")
    run = models.UUIDField()
    name = models.CharField(max_length=64)
    digest = models.CharField("keyed digest of what it depends on", max_length=64)
    level = models.CharField(max_length=16, default="pending")
    message = models.TextField(blank=True)
    part = models.CharField("field of the request", max_length=120, blank=True)
    can_override = models.BooleanField(default=False)
    confirmation = models.CharField(max_length=300, blank=True)
    remedies = models.JSONField(default=list)
    figures = models.JSONField(default=list)
    data = models.JSONField("for the next run of the check", default=dict)
    checked_at = models.DateTimeField("when it began, then when it ended", default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "version", "name"], name="one_result_per_check")]

    def __str__(self) -> str:
        return f"{self.name}: {self.level}"


class SealedCredentials(models.Model):
    """Encrypted credentials of a draft or an attempt; only `vault.py` reads and writes them.

    Those of a draft that retries a failed attempt were copied from it: `origin` is that attempt.
    """

    owner = models.UUIDField(primary_key=True)
    sealed = models.TextField()
    origin = models.UUIDField("failed attempt that they were copied from", null=True, db_index=True)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"credentials of {self.owner}"


class UsedCredentials(models.Model):
    """Credentials that were sent to a node and are no longer used to sign in; its answers are searched for them.

    An empty `sealed` means that there were some. Only `vault.py` reads and writes them.
    """

    owner = models.UUIDField("attempt", db_index=True)
    address = models.CharField("node, ip:port", max_length=64, db_index=True)
    sealed = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"used credentials of {self.owner}"


class SignInOutcome(models.TextChoices):
    """The outcome of a sign-in that was sent; `allowed` means that the operator insists on sending it."""

    SENT = "sent"
    LOST = "lost"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    ALLOWED = "allowed"

    @property
    def counts(self) -> bool:
        """Whether the cluster may hold it against the account."""
        return self in {SignInOutcome.SENT, SignInOutcome.LOST, SignInOutcome.REFUSED}

    @property
    def is_trusted(self) -> bool:
        """Whether the same credentials may be sent even when the limit is reached."""
        return self in {SignInOutcome.ACCEPTED, SignInOutcome.ALLOWED}


class SentSignIn(models.Model):
    """A sign-in that may count towards a cluster's lockout; only `sign_ins` reads and writes it.

    Both hashes are HMACs: one of cluster and user name, one of these and the credentials.
    """

    account_hash = models.CharField(max_length=64, db_index=True)
    credentials_hash = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=SignInOutcome, default=SignInOutcome.SENT)
    at = models.DateTimeField("when it was sent or its outcome became known", default=timezone.now, db_index=True)
    bootstrap_of = models.UUIDField("attempt whose node signs in by itself", null=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at:%H:%M:%S}"

    @property
    def result(self) -> SignInOutcome:
        """The outcome as an enum."""
        return SignInOutcome(self.outcome)


class ClusterLockoutPolicy(models.Model):
    """When a cluster locks an account, as read from the cluster; parallel sign-ins wait for a lock on this row.

    The key is a keyed hash of the cluster's certificate. Only `sign_ins` reads and writes it.
    """

    cluster_hash = models.CharField(primary_key=True, max_length=64)
    threshold = models.PositiveIntegerField(null=True)
    window_seconds = models.PositiveIntegerField(null=True)
    read_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField("last time that we asked for it", null=True)

    def __str__(self) -> str:
        return f"{self.threshold} within {self.window_seconds} s"


class ClusterLock(models.Model):
    """The right to change one cluster, held by one attempt from leaving the queue to its end."""

    key = models.CharField(primary_key=True, max_length=LONGEST_KEY)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="locks")

    def __str__(self) -> str:
        return self.key
