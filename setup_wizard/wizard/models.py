"""The row behind a setup that is still being filled in."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from setup_wizard.bootstrap.actions import Action
from setup_wizard.nodes.probe import Probe
from setup_wizard.wizard.documents import find_value

ACTIONS = tuple(Action)
EXTRA = "request"  # the key in `Draft.data` for parts of the request that no saved step holds

IMPORT = "import"  # the key in `Draft.data` for messages about an import
FILLED = "filled"  # the key in `Draft.data` for what a remedy filled in: text by the path of its field


def without_flash(request: dict[str, Any]) -> dict[str, Any]:
    """Return a partial request without the flash options, which belong to the flash path of a step."""
    node = {key: value for key, value in request.get("node", {}).items() if not key.startswith("bigstore_")}
    return {**request, "node": node}


class Draft(models.Model):
    """A setup that its owner is filling in. Only `drafts.py` writes it.

    `data` holds the cleaned values of each step by its key, never a credential: the password exists only in the
    request that posts it and, sealed, in the vault under this row's id. `step_versions` holds the version at which each
    step was last saved, which shows whether an open page is stale.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    action = models.CharField(max_length=32, choices=[(action.value, action.label) for action in ACTIONS])
    address = models.CharField("node as typed", max_length=300, blank=True)
    data = models.JSONField("values by step", default=dict)
    step_versions = models.JSONField(default=dict)
    probe = models.JSONField("probe of the node", null=True)
    fingerprint = models.CharField("approved fingerprint of the node", max_length=95, blank=True)
    member_probe = models.JSONField("probe of the cluster member", null=True)
    member_fingerprint = models.CharField("approved fingerprint of the member", max_length=95, blank=True)
    accept_new_certificate = models.BooleanField("trust the node's new certificate", default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    attempt_id = models.UUIDField("started attempt", null=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["owner", "-updated_at"], name="drafts_of_owner")]

    def __str__(self) -> str:
        return f"{Action(self.action).label}, {self.address or 'no node chosen'}"

    @property
    def chosen_action(self) -> Action:
        """The action as an enum member."""
        return Action(self.action)

    @property
    def is_saved(self) -> bool:
        """Whether it has a row; it gets one when its first step is accepted."""
        return not self._state.adding

    @property
    def is_open(self) -> bool:
        """Whether it has not been started."""
        return self.attempt_id is None

    @property
    def node(self) -> Probe | None:
        """The probe of the node when its certificate was approved."""
        return Probe.from_json(self.probe) if self.probe else None

    @property
    def member(self) -> Probe | None:
        """The probe of the cluster member, for a join."""
        return Probe.from_json(self.member_probe) if self.member_probe else None

    @property
    def replaces(self) -> Any:
        """The ID of the failed node whose place the node takes; None for every other setup."""
        if self.chosen_action is not Action.JOIN:
            return None
        node = self.data.get("node")
        return (node.get("uid") if node else self.extra_value("node.identity.uid")) or None

    def values(self, key: str) -> dict[str, Any]:
        """Return the saved values of the step with this key; empty before it is saved."""
        return dict(self.data.get(key, {}))

    def extra_value(self, path: str) -> Any:
        """Return a prefilled part of the request that no saved step holds, or None."""
        return find_value(self.values(EXTRA), path)
