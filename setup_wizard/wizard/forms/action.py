"""The first step: what to do, and with which node."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db import transaction

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.wizard import cards, drafts
from setup_wizard.wizard.fields import Option, PickField, QuietField, TextField, TickField
from setup_wizard.wizard.forms.step import Fieldset, StepForm
from setup_wizard.wizard.models import BASE, Draft, without_flash


def check_node(text: str) -> str:
    """Give a node's address as "host:port".

    Raises:
        RuleError: it is none, saying what to type instead.
    """
    try:
        return str(Address.parse(text))
    except AddressInvalid as error:
        raise RuleError(str(error)) from error


class ActionForm(StepForm):
    """The action, the node's address, and the approval of its certificate."""

    key = "action"
    title = "What to do, and with which node"
    lead = (
        "Enter the node that is to be set up. It is asked who it is; nothing is changed on it before you press Start."
    )
    next_label = "Next: the node"
    fieldsets = (
        Fieldset("What should this node do?", ("action",)),
        Fieldset("The node", ("address",), after="wizard/_node.html"),
    )
    paths: ClassVar[Mapping[str, str]] = {"action": "action", "address": "address"}

    action = PickField(
        [
            Option(Action.CREATE, "Create a cluster", "This node becomes the first of a new cluster."),
            Option(Action.JOIN, "Join a cluster", "This node is added to a cluster that is up."),
            Option(
                Action.RECOVER,
                "Recover a cluster",
                "This node brings a lost one back from a file.",
            ),
        ],
        label="Action",
        missing="Choose whether the node creates a cluster, joins one or brings a lost one back.",
        asks=True,
    )
    address = TextField(
        label="Address of the node to set up",
        help_text="An IP address or a host name, such as 10.0.0.5. Add the port when it is not 9443.",
        rule=check_node,
        missing="Enter the address of the node to set up, such as 10.0.0.5.",
        asks=True,
    )
    fingerprint = QuietField()
    same = TickField(label="It is the same: I compared it")
    accept_new_certificate = TickField(label="Accept the one new certificate that this node makes during its bootstrap")
    again = TickField(label="I have read why its last setup failed and want to set it up again")

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.failure = ""
        node = self.draft.node
        self.card: cards.Card | None = cards.show(node, by=self.by) if node and not self.is_bound else None

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the node was asked and its certificate approved."""
        return bool(draft.node and draft.fingerprint)

    def suggest(self) -> dict[str, Any]:
        """Show what the draft holds: this step's values are columns of it."""
        return {
            "action": self.draft.action,
            "address": self.draft.address,
            "accept_new_certificate": self.draft.accept_new_certificate,
        }

    @property
    def notice(self) -> str:
        """Say which failed node the draft was begun for."""
        number = self.draft.carried("node.identity.uid")
        if not number or self.is_bound:
            return ""
        return f"This setup replaces failed node {number}. Enter the address of the fresh node that takes its place."

    @property
    def makes_certificate(self) -> bool:
        """Whether the node makes a new certificate of its own under the chosen action."""
        chosen = str(self["action"].value())
        return chosen not in set(Action) or Action(chosen).makes_certificate

    @property
    def asks_now(self) -> bool:
        """Whether there is a node to ask as soon as the page is open."""
        asked = self.card or self.failure or self.errors.get("address")
        return not asked and bool(self["address"].value())

    @property
    def confirmed(self) -> bool:
        """Whether the node's last failure was read already: it is the one that the draft was begun from."""
        return bool(self.card and self.card.run and self.card.run == self.draft.values(self.key).get("read_failure"))

    def meet(self, typed: Mapping[str, Any]) -> None:
        """Ask the node at the typed address, for a card without any judgement."""
        self.card = None
        try:
            self.card = cards.show(probing.probe_node(str(typed.get("address", "")), by=self.by), by=self.by)
        except probing.ProbeFailed as error:
            self.failure = error.message

    def examine(self) -> None:
        """Ask the node, and hold its answer against what was ticked."""
        if "address" not in self.cleaned_data:
            return
        self.meet(self.data)
        card = self.card
        if card is None:
            self.add_error("address", self.failure)
        elif card.obstacle:
            self.add_error("address", card.obstacle)
        else:
            self._examine_ticks(card)

    def _examine_ticks(self, card: cards.Card) -> None:
        ticked = self.cleaned_data
        if unsure := cards.doubt(card, shown=ticked.get("fingerprint", ""), ticked=bool(ticked.get("same"))):
            self.add_error("same", forms.ValidationError(unsure))
        if card.has_failed and not ticked.get("again") and not self.confirmed:
            self.add_error(
                "again", f"{card.address} failed its last setup. Read why, then tick that you want to go on."
            )

    def compared(self) -> list[str]:
        """Compare the tick for the new certificate too."""
        return [*self.paths, "accept_new_certificate"]

    def save(self) -> bool:
        """Approve the certificate, then write the step."""
        if self.card and not self.card.approval and not self.is_repeat:
            trust.approve(self.card.probe.endpoint, self.card.certificate, by=self.by)
        if self.draft.is_saved or self.card is None:
            return super().save()
        with transaction.atomic():
            self.draft = drafts.begin(self.draft, self.card.probe.endpoint.key)
            self.saved = self.read_saved()
            return super().save()

    def marked_as(self) -> str:
        """Leave the pages of the other steps alone when this one was only walked through."""
        same = not any(True for _ in self._differences()) and self.is_complete(self.draft)
        return "" if same else self.key

    def changes(self) -> dict[str, Any]:
        """Write the node and its approval; what was filled in about another node does not fit this one."""
        assert self.card is not None  # noqa: S101 - a valid form has asked its node
        probe = self.card.probe
        before = self.draft.node
        data = {**self.draft.data, self.key: {"read_failure": self.card.run if self.card.has_failed else ""}}
        if before and before.endpoint.key != probe.endpoint.key:
            data.pop("node", None)
            data[BASE] = without_flash(self.draft.values(BASE))
        action = Action(self.cleaned_data["action"])
        return {
            "action": action,
            "address": self.cleaned_data["address"],
            "probe": probe.as_json(),
            "fingerprint": self.card.certificate.fingerprint,
            "accept_new_certificate": action.makes_certificate and self.cleaned_data["accept_new_certificate"],
            "data": data,
        }
