"""The first step: the action, the node, and the approval of its certificate."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.wizard import drafts
from setup_wizard.wizard.documents import put_value
from setup_wizard.wizard.fields import CheckboxField, HiddenField, RadioField, RadioOption, TextField
from setup_wizard.wizard.forms.fieldset_form import Fieldset
from setup_wizard.wizard.forms.node import NodeForm
from setup_wizard.wizard.forms.step import StepForm
from setup_wizard.wizard.models import EXTRA, IMPORT, Draft, without_flash
from setup_wizard.wizard.node_summary import NodeSummary, approval_error, summarize


def check_node(text: str) -> str:
    """Return a node's address as "host:port".

    Raises:
        RuleError: it is not an address; the message says what to type instead.
    """
    try:
        return str(Address.parse(text))
    except AddressInvalid as error:
        raise RuleError(str(error)) from error


class ActionForm(StepForm):
    """The action, the node's address, and the approval of its certificate."""

    key = "action"
    title = "Choose a node and an action"
    lead = "We read the node's details. Nothing on it changes until you press Start."
    next_label = "Next: storage and network"
    fieldsets = (
        Fieldset("Action", ("action",)),
        Fieldset("Node", ("address",), after="wizard/_probed_node.html"),
    )
    paths: ClassVar[Mapping[str, str]] = {"action": "action", "address": "address"}

    action = RadioField(
        [
            RadioOption(Action.CREATE, "Create a cluster", "This node becomes the first node of a new cluster."),
            RadioOption(Action.JOIN, "Join a cluster", "Add this node to a running cluster."),
            RadioOption(
                Action.RECOVER,
                "Recover a cluster",
                "Restore a lost cluster on this node. Its other nodes and its data follow later.",
            ),
        ],
        label="Action",
        missing="Choose an action.",
        probes=True,
    )
    address = TextField(
        label="Node address",
        help_text="An IP address or a host name, such as `10.0.0.5`. Add the port if it is not 9443.",
        rule=check_node,
        missing="Enter the address of the node to set up, such as 10.0.0.5.",
        probes=True,
    )
    fingerprint = HiddenField()
    fingerprints_match = CheckboxField(label="The fingerprints match")
    accept_new_certificate = CheckboxField(label="Trust the new certificate that this node creates during setup")
    read_failure = CheckboxField(label="I have read why the last setup failed and want to retry")

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        if self.draft.replaces is not None:
            self._offer_only_join()
        self.failure = ""
        node = self.draft.node
        self.summary: NodeSummary | None = summarize(node, by=self.by) if node and not self.is_bound else None

    def _offer_only_join(self) -> None:
        """Offer no other action: only a join can take the place of a failed node."""
        field = self.fields["action"]
        assert isinstance(field, RadioField)  # noqa: S101 - tells the type checker what the class body says
        field.set_options([option for option in field.options if option.value == Action.JOIN])

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the node was probed and its certificate approved."""
        return bool(draft.node and draft.fingerprint)

    def suggest(self) -> dict[str, Any]:
        """Return this step's values, which are columns of the draft."""
        return {
            "action": self.draft.action,
            "address": self.draft.address,
            "accept_new_certificate": self.draft.accept_new_certificate,
        }

    @property
    def notice(self) -> str:
        """Say what was not imported."""
        return "" if self.is_bound else " ".join(self.draft.values(IMPORT).get("notes", []))

    @property
    def makes_certificate(self) -> bool:
        """Whether the node creates a new certificate under the chosen action."""
        chosen = str(self["action"].value())
        return chosen not in set(Action) or Action(chosen).makes_certificate

    @property
    def probes_on_load(self) -> bool:
        """Whether there is an address that was not probed yet."""
        probed = self.summary or self.failure or self.errors.get("address")
        return not probed and bool(self["address"].value())

    @property
    def failure_is_known(self) -> bool:
        """Whether the operator comes from the page that explains the node's last failure."""
        started = self.summary.bootstrap_start_time if self.summary else ""
        return bool(started) and started == self.draft.values(self.key).get("known_failure")

    def probe(self, typed: Mapping[str, Any]) -> None:
        """Probe the node at the typed address, without validation."""
        self.summary = None
        try:
            self.summary = summarize(probing.probe_node(str(typed.get("address", "")), by=self.by), by=self.by)
        except probing.ProbeFailed as error:
            self.failure = error.message

    def clean_step(self) -> None:
        """Probe the node, and compare its answer with what was confirmed."""
        if "address" not in self.cleaned_data:
            return
        self.probe(self.data)
        if self.summary is None:
            self.add_error("address", self.failure)
        elif self.summary.blocked_reason:
            self.add_error("address", self.summary.blocked_reason)
        else:
            self._clean_checkboxes(self.summary)

    def _clean_checkboxes(self, summary: NodeSummary) -> None:
        shown, confirmed = self.cleaned_data.get("fingerprint", ""), self.cleaned_data["fingerprints_match"]
        if error := approval_error(summary, shown=shown, confirmed=confirmed):
            self.add_error("fingerprints_match", error)
        if summary.has_failed and not self.cleaned_data["read_failure"] and not self.failure_is_known:
            self.add_error("read_failure", f"The last setup of {summary.address} failed. Read why, then confirm it.")

    def compared_fields(self) -> list[str]:
        """Compare the trust in the new certificate too."""
        return [*self.paths, "accept_new_certificate"]

    def save(self) -> bool:
        """Approve the certificate, then write the step."""
        if self.summary and not self.summary.approval and not self.is_duplicate:
            trust.approve(self.summary.probe.endpoint, self.summary.certificate, by=self.by)
        if self.draft.is_saved or self.summary is None:
            return super().save()
        with transaction.atomic():
            self.draft = drafts.add_or_reuse(self.draft, self.summary.probe.endpoint.key)
            self.shown = self.shown_values()
            return super().save()

    def step_to_mark(self) -> str:
        """Leave open pages valid when this step is sent again without a change."""
        unchanged = self.is_complete(self.draft) and not list(self._differences())
        return "" if unchanged else self.key

    def changes(self) -> dict[str, Any]:
        """Write the node and its approval; values for another node are dropped, except which node it replaces."""
        assert self.summary is not None  # noqa: S101 - a valid form has probed its node
        probe = self.summary.probe
        before = self.draft.node
        known_failure = self.summary.bootstrap_start_time if self.summary.has_failed else ""
        data = {**self.draft.data, self.key: {"known_failure": known_failure}}
        if before and before.endpoint.key != probe.endpoint.key:
            of_old_node = data.pop("node", {})
            data[EXTRA] = without_flash(self.draft.values(EXTRA))
            for name in ("rack_aware", "uid"):  # these are about the cluster
                if of_old_node.get(name):
                    put_value(data[EXTRA], NodeForm.paths[name], of_old_node[name])
        action = Action(self.cleaned_data["action"])
        return {
            "action": action,
            "address": self.cleaned_data["address"],
            "probe": probe.as_json(),
            "fingerprint": self.summary.certificate.fingerprint,
            "member_probe": self.draft.member_probe,
            "member_fingerprint": self.draft.member_fingerprint,
            "accept_new_certificate": action.makes_certificate and self.cleaned_data["accept_new_certificate"],
            "data": data,
        }
