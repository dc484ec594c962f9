"""Webhooks, what is to be told, and each delivery of it."""

import uuid
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from setup_wizard.access.audit import Target

MAX_NAME: Final = 80
MAX_ERROR: Final = 500
MAX_ANSWER: Final = 300


class Format(models.TextChoices):
    """The body that a receiver expects."""

    JSON = "json", "JSON"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams (Workflows)"
    MATTERMOST = "mattermost", "Mattermost"


class NoticeKind(models.TextChoices):
    """What a notice is about."""

    ENDED = "ended", "A setup of a node ended"
    NEEDS_OPERATOR = "needs_operator", "An operator is needed"
    RUN_ENDED = "run_ended", "The setup of a cluster ended"
    TEST = "test", "Test"


class Webhook(models.Model):
    """A receiver of notices. URL and signing key are sealed; `secrets.py` reads and writes them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=MAX_NAME, unique=True)
    format = models.CharField(max_length=16, choices=Format.choices, default=Format.JSON)
    host = models.CharField("host and port of its URL", max_length=300)
    sealed = models.TextField("URL and signing key, encrypted")
    on_ended = models.BooleanField(NoticeKind.ENDED.label, default=True)
    on_needs_operator = models.BooleanField(NoticeKind.NEEDS_OPERATOR.label, default=True)
    on_run_ended = models.BooleanField(NoticeKind.RUN_ENDED.label, default=True)
    is_enabled = models.BooleanField("Enabled", default=True)
    stopped_because = models.CharField("why it was turned off", max_length=MAX_ERROR, blank=True)
    told_since = models.DateTimeField("gets events from then on", default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def owner(self) -> uuid.UUID:
        """Who the sealed text is bound to."""
        return self.id

    @property
    def as_target(self) -> Target:
        """The webhook as target of an audit entry."""
        return Target("webhook", str(self.pk), f"{self.name} ({self.host})")

    def wants(self, kind: NoticeKind) -> bool:
        """Tell whether it gets notices of this kind."""
        return {
            NoticeKind.ENDED: self.on_ended,
            NoticeKind.NEEDS_OPERATOR: self.on_needs_operator,
            NoticeKind.RUN_ENDED: self.on_run_ended,
        }.get(kind, False)


class Preferences(models.Model):
    """What a person is notified of: by e-mail, and in the browser where they turned that on."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True)
    all_setups = models.BooleanField("Also setups that others started", default=True)
    email_on_ended = models.BooleanField(NoticeKind.ENDED.label, default=False)
    email_on_needs_operator = models.BooleanField(NoticeKind.NEEDS_OPERATOR.label, default=False)
    email_on_run_ended = models.BooleanField(NoticeKind.RUN_ENDED.label, default=False)
    told_since = models.DateTimeField("gets events from then on", default=timezone.now)

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"


class EventCursor(models.Model):
    """How far the events of a source have been read.

    Every event up to `position` has been read for good. Those after it are read again until they are old enough that no
    transaction with a lower number can still commit. `newest` is the latest number seen.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=16, unique=True)
    position = models.BigIntegerField(default=0)
    newest = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.position}"


class Notice(models.Model):
    """One thing to tell: an event that matters. `document` holds what a message says about it, without secrets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=16)
    event_id = models.BigIntegerField("number of the event in its source", null=True)
    kind = models.CharField(max_length=16, choices=NoticeKind.choices)
    at = models.DateTimeField("when it happened")
    starter_id = models.BigIntegerField("user ID of the person who started the setup", null=True)
    document = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "event_id"], name="one_notice_per_event")]

    def __str__(self) -> str:
        return str(self.document.get("title", self.kind))


class DeliveryState(models.TextChoices):
    """How a delivery stands."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    GIVEN_UP = "given_up", "Given up"

    @property
    def tone(self) -> str:
        """Its colour: live, good or bad."""
        return {"waiting": "live", "delivered": "good", "given_up": "bad"}[self.value]


class Delivery(models.Model):
    """One notice for one webhook or person. Only `deliveries.py` writes it, by compare-and-set on the number of tries.

    `message_id` is the same in every try, so that a receiver can tell a repetition. A try that has begun holds the row
    until `busy_until`; if its worker dies, the next try begins then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, null=True, related_name="deliveries")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", verbose_name="by e-mail"
    )
    message_id = models.CharField("webhook-id or Message-ID", max_length=64, unique=True)
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    busy_until = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField("when the last try began", null=True)
    duration = models.FloatField("seconds that the last try took", null=True)
    status_code = models.PositiveSmallIntegerField("of the last answer", null=True)
    error = models.CharField("why the last try failed", max_length=MAX_ERROR, blank=True)
    answer = models.CharField("beginning of the last answer", max_length=MAX_ANSWER, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "notice"], name="one_delivery_per_notice"),
            models.UniqueConstraint(fields=["person", "notice"], name="one_email_per_notice"),
            models.CheckConstraint(
                condition=Q(webhook=None, person__isnull=False) | Q(webhook__isnull=False, person=None),
                name="delivery_to_one_receiver",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(state="waiting"), name="deliveries_due"),
            models.Index(fields=["webhook", "-created_at", "-id"], name="deliveries_newest"),
            models.Index(fields=["person", "-created_at", "-id"], name="deliveries_newest_email"),
        ]

    def __str__(self) -> str:
        return f"{self.notice} to {self.webhook or self.person}: {self.state}"

    @property
    def status(self) -> DeliveryState:
        """The state as an enum."""
        return DeliveryState(self.state)
