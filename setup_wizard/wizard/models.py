"""The row behind a setup that is still being filled in."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from setup_wizard.bootstrap.actions import Action
from setup_wizard.nodes.probe import Probe

ACTIONS = tuple(Action)
BASE = "request"  # the draft's key for what a request holds beyond the fields of the steps that were saved


def without_flash(request: dict[str, Any]) -> dict[str, Any]:
    """Give a part of a request without what asks for flash: it belongs to the path that a step asks for."""
    node = {key: value for key, value in request.get("node", {}).items() if not key.startswith("bigstore_")}
    return {**request, "node": node}


class Draft(models.Model):
    """A setup that its owner is filling in. `drafts.py` alone writes it.

    `data` holds the cleaned values of each step by its key, never a credential: the password exists only inside the
    request that posts it and, sealed, in the vault with this row's id as its owner. `written` says at which version
    each step was last saved, so that a page opened before that is known to be stale.

    Reference: docs/failure-modes.md, S4 and S7.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    action = models.CharField(max_length=32, choices=[(action.value, action.label) for action in ACTIONS])
    address = models.CharField("node as typed", max_length=300, blank=True)
    data = models.JSONField("cleaned values by step", default=dict)
    written = models.JSONField("the version at which each step was last saved", default=dict)
    probe = models.JSONField("what the node said of itself", null=True)
    fingerprint = models.CharField("the node's approved certificate", max_length=95, blank=True)
    member_probe = models.JSONField("what the cluster's member said of itself", null=True)
    member_fingerprint = models.CharField("the member's approved certificate", max_length=95, blank=True)
    accept_new_certificate = models.BooleanField(
        "accept the one that the node makes while it bootstraps", default=False
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    attempt_id = models.UUIDField("the attempt that it became", null=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["owner", "-updated_at"], name="drafts_of_owner")]

    def __str__(self) -> str:
        return f"{Action(self.action).label}, {self.address or 'no node yet'}"

    @property
    def wanted(self) -> Action:
        """The action as the enum that answers."""
        return Action(self.action)

    @property
    def is_saved(self) -> bool:
        """Whether its first step was accepted: before that there is no row."""
        return not self._state.adding

    @property
    def is_open(self) -> bool:
        """Whether it is still being filled in."""
        return self.attempt_id is None

    @property
    def node(self) -> Probe | None:
        """What the node said of itself when its certificate was approved here."""
        return Probe.from_json(self.probe) if self.probe else None

    @property
    def member(self) -> Probe | None:
        """What the cluster's member said of itself, for a join."""
        return Probe.from_json(self.member_probe) if self.member_probe else None

    def values(self, key: str) -> dict[str, Any]:
        """Give the saved values of the step with this key; empty before it was saved."""
        return dict(self.data.get(key, {}))

    def carried(self, path: str) -> Any:
        """Give a part of the request that came with the draft and that no step has asked for yet; None without one."""
        value: Any = self.values(BASE)
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value
