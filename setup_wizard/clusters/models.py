"""Plans, what their nodes answered, and runs with their steps and events."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

from setup_wizard.access.append_only import AppendOnlyModel
from setup_wizard.access.audit import Target
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.document import PlanDocument, PlanKind, read_document
from setup_wizard.nodes.probe import Probe

MAX_ADDRESS = 300
MAX_MESSAGE = 1024
CLUSTER_CHECK = "cluster_check"
"""The name of the cluster's own check among the results of a run."""


class Plan(models.Model):
    """A cluster that operators describe together. Only `plans.py` writes it, by compare-and-set on its version.

    `document` is a `PlanDocument` as JSON; it never holds credentials, which are sealed under the plan's id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="plans")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    credentials_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    document = models.JSONField(default=dict)
    overrides = models.JSONField("accepted checks with their reasons, by the address of the node", default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["-updated_at"], name="plans_latest")]

    def __str__(self) -> str:
        return f"{self.kind.label}: {self.target}"

    @property
    def content(self) -> PlanDocument:
        """The document, read; again only when it was replaced, because 50 nodes take a while."""
        known: tuple[object, PlanDocument] | None = self.__dict__.get("_read")
        if known is None or known[0] is not self.document:
            known = self.document, read_document(self.document)
            self.__dict__["_read"] = known
        return known[1]

    @property
    def kind(self) -> PlanKind:
        """What the plan does."""
        return self.content.kind

    @property
    def target(self) -> str:
        """The cluster for people: its name, or a member of it."""
        content = self.content
        if content.cluster.name:
            return content.cluster.name
        return f"the cluster of {content.members[0]}" if content.members else "cluster without a name"

    @property
    def as_target(self) -> Target:
        """The plan as target of an audit entry."""
        return Target("plan", str(self.pk), str(self))


class NodeLook(models.Model):
    """What a node of a plan answered when it was probed; without `probe` and `message` it has not been probed yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="looks")
    address = models.CharField("node as typed", max_length=MAX_ADDRESS)
    probe = models.JSONField(null=True)
    message = models.CharField("why there is no answer", max_length=MAX_MESSAGE, blank=True)
    host_facts = models.JSONField("what an operator collected on it", null=True)
    batch = models.UUIDField("the nodes that are asked together", default=uuid.uuid4)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    enqueued_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "address"], name="one_look_per_node")]
        indexes = [models.Index(fields=["asked_at"], condition=Q(answered_at=None), name="looks_due")]

    def __str__(self) -> str:
        return f"{self.address}: {self.message or ('answered' if self.probe else 'not answered yet')}"

    @property
    def answer(self) -> Probe | None:
        """The probe, read."""
        return Probe.from_json(self.probe) if self.probe else None

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the certificate that the node showed; empty without an answer."""
        return self.answer.certificate.fingerprint if self.answer else ""


OPEN_RUNS = [state.value for state in RunState if not state.is_final]


class Run(models.Model):
    """A plan that is carried out, one attempt after the other. Only `engine` writes it, by compare-and-set.

    `fit_nodes` says how many nodes were done when the cluster last passed its check, and `fit_since` since when the run
    waits for the cluster: to be fit after a node came in, or not to be busy before the next one.
    """

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="run", primary_key=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="runs")
    continued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="took it over"
    )
    state = models.CharField(
        max_length=16, choices=[(state.value, state.label) for state in RunState], default=RunState.RUNNING
    )
    reason = models.CharField(max_length=32, blank=True)
    pause_requested = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)
    fit_nodes = models.PositiveSmallIntegerField(default=0)
    fit_since = models.DateTimeField("since when the cluster is asked whether it is fit", null=True)
    accepted_permanent = models.BooleanField("accepted what can never be changed", default=False)
    old_machines_off = models.BooleanField("confirmed that the machines of the old cluster are off", default=False)
    known_problems = models.JSONField("problems of the cluster before the run", null=True)
    results = models.JSONField("results of the checks that paused it", default=list)

    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    last_seq = models.PositiveIntegerField(default=0)

    next_at = models.DateTimeField("when it is looked at next", default=timezone.now)
    enqueued_at = models.DateTimeField(null=True)
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["next_at"], condition=Q(state__in=OPEN_RUNS), name="runs_due")]

    def __str__(self) -> str:
        return f"run of {self.plan_id}"

    @property
    def status(self) -> RunState:
        """The state as an enum."""
        return RunState(self.state)

    @property
    def why(self) -> PauseReason:
        """The reason of a pause as an enum."""
        return PauseReason(self.reason)

    @property
    def operator(self) -> User:
        """The person that new attempts belong to: who started it, or took it over from a person who may not."""
        return self.continued_by or self.started_by

    @property
    def why_paused(self) -> str:
        """What paused it, in words; empty while it runs."""
        if self.status is not RunState.PAUSED:
            return ""
        event = self.events.filter(kind="paused").last()
        return event.message if event else ""


class RunStep(models.Model):
    """One try with one node. The id of its attempt is stored before the attempt is begun, so it is begun only once."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField("node, by its position in the plan")
    number = models.PositiveSmallIntegerField("try with this node, from 1")
    attempt_id = models.UUIDField(default=uuid.uuid4, unique=True)
    skip_requested = models.BooleanField(default=False)
    skipped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "position", "number"], name="one_step_per_try")]

    def __str__(self) -> str:
        return f"node {self.position + 1}, try {self.number}"


class RunEvent(AppendOnlyModel):
    """One thing that happened in a run, beside the events of its attempts."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=32)
    message = models.CharField(max_length=MAX_MESSAGE)
    data = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="one_run_event_per_seq")]

    def __str__(self) -> str:
        return f"{self.seq}. {self.message}"


class Cluster(models.Model):
    """A cluster that attempts have touched: a name and a certificate. Only `inventory.py` writes it.

    `checked_at` is when it was last asked for its nodes; what was never asked is empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    fingerprint = models.CharField("of the certificate that its nodes show", max_length=95)
    rack_aware = models.BooleanField(null=True)
    problems = models.JSONField("what the cluster's own check found", default=list)
    checked_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField("when a node last came in", default=timezone.now)
    dns = models.JSONField("what the last check of its DNS records found", default=dict)
    dns_checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-changed_at"]
        constraints = [models.UniqueConstraint(fields=["name", "fingerprint"], name="one_row_per_cluster")]

    def __str__(self) -> str:
        return self.name


class ClusterNode(models.Model):
    """A node of a cluster, as an attempt brought it in and as the cluster last listed it."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    uid = models.CharField(max_length=40)
    address = models.CharField("its API, ip:port, if an attempt brought it in", max_length=64, blank=True)
    addr = models.CharField("internal address", max_length=64, blank=True)
    external_addr = models.JSONField(default=list)
    rack_id = models.CharField(max_length=63, blank=True)
    version = models.CharField(max_length=64, blank=True)
    memory = models.FloatField("bytes", null=True)
    status = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField("when the status was read", default=timezone.now)
    attempt = models.ForeignKey("attempts.Attempt", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["cluster", "uid"]
        constraints = [models.UniqueConstraint(fields=["cluster", "uid"], name="one_row_per_cluster_node")]

    def __str__(self) -> str:
        return f"node {self.uid} of {self.cluster}"


class InventoryCursor(models.Model):
    """How far the attempts have been read into the inventory; there is one row."""

    read_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"read until {self.read_until}"
