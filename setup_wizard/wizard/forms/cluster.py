"""The third step: the cluster, and the sign-in of its administrator."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from setup_wizard.attempts import sign_ins, vault
from setup_wizard.bootstrap.rules import (
    check_cluster_name,
    check_existing_cluster_name,
    check_license,
    check_member,
    check_password,
    check_port,
    check_username,
)
from setup_wizard.bootstrap.rules.warnings import (
    warn_cluster_name,
    warn_password,
    warn_password_spelling,
    warn_username,
)
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import DEFAULT_PORT
from setup_wizard.wizard import cards, drafts
from setup_wizard.wizard.fields import BlockField, LinesField, PasswordField, QuietField, TextField, TickField
from setup_wizard.wizard.forms.action import check_node
from setup_wizard.wizard.forms.step import Difference, Fieldset, StepForm
from setup_wizard.wizard.models import Draft


class SignInForm(StepForm):
    """What create and join share: the user name, and the password that is sealed and never drawn."""

    next_label = "Next: review"
    secret_fields = frozenset({"password"})

    username = TextField(
        label="User name",
        help_text="An e-mail address as a rule: the cluster sends its alerts there.",
        rule=check_username,
        advice=warn_username,
        missing="Enter the user name of the cluster's administrator, such as admin@example.com.",
    )
    password = PasswordField(label="Password", rule=check_password, required=False)

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the step was saved and its password is still kept."""
        return super().is_complete(draft) and vault.expires_at(draft.pk) is not None

    @property
    def kept_since(self) -> datetime | None:
        """When the kept password was entered; None when none is kept."""
        return drafts.kept_since(self.draft)

    @property
    def kept_until(self) -> datetime | None:
        """Until when it is kept."""
        return vault.expires_at(self.draft.pk)

    @property
    def notice(self) -> str:
        """Say why the password is asked for, when everything else is filled in."""
        if self.key not in self.draft.data or self.kept_until or self.is_bound:
            return ""
        if self.key not in self.draft.written:
            return "Filled in from the earlier setup. Only the password is missing: it is forgotten when a setup ends."
        return "Enter the password again: it is kept for 15 minutes at most. Everything else is still here."

    def clean_password(self) -> Secret:
        """Ask for a password unless one is kept."""
        password: Secret = self.cleaned_data["password"]
        if not password and not self.kept_until:
            raise forms.ValidationError("Enter the password of the cluster's administrator.")
        return password

    def remark(self, name: str, value: Any) -> Sequence[str]:
        """Say which unseen characters it has, and how strong the password is, beside what the fields say themselves."""
        if not isinstance(value, Secret):
            return super().remark(name, value)
        return [*warn_password_spelling(value.reveal()), *warn_password(value.reveal())]

    def _differences(self) -> Iterator[Difference]:
        yield from super()._differences()
        typed = self.cleaned_data.get("password")
        if typed and not self._is_kept(typed):
            yield Difference("Password", "another one, or none any more", "the one you typed; enter it again")

    def _is_kept(self, typed: Secret) -> bool:
        try:
            return vault.open_for(self.draft.pk).password == typed
        except vault.SecretUnavailable:
            return False

    def save(self) -> bool:
        """Write the step, then seal the sign-in: a typed password anew, a kept one under the user name of now."""
        if not super().save():
            return False
        if not self.is_repeat:
            self._seal()
        return True

    def keep_what_is_right(self) -> None:
        """Seal a password that is right even when another field is wrong: it cannot be shown again to be corrected.

        The draft gets a new version first, so that a page that was reviewed before cannot start with it.
        """
        typed = self.cleaned_data.get("password") or (self.kept_until and self.cleaned_data.get("username"))
        if not typed or (self.is_stale and not self.is_valid()):
            return
        with suppress(drafts.Stale):
            drafts.save(self.draft, "")
            self._seal()

    def _seal(self) -> None:
        username = str(self.cleaned_data.get("username", ""))
        if password := self.cleaned_data.get("password"):
            drafts.keep_password(self.draft, username, password)
        elif self.kept_until and username:
            drafts.rename_kept(self.draft, username)


class CreateForm(SignInForm):
    """A new cluster's name, license and first administrator."""

    key = "create"
    title = "The new cluster and its administrator"
    lead = "The name is how applications find the cluster. The administrator is made with it, and you sign in as them."
    fieldsets = (
        Fieldset("The cluster", ("name",)),
        Fieldset("Its administrator", ("username", "password")),
        Fieldset("More: license", ("license",), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "username": "credentials.username",
        "password": "credentials.password",
        "license": "license",
    }

    name = TextField(
        label="Cluster name",
        help_text="A full name such as redis-prod.example.com. It can never be changed.",
        rule=check_cluster_name,
        advice=warn_cluster_name,
        missing="Enter the cluster's full name, such as redis-prod.example.com.",
    )
    license = BlockField(
        label="License",
        help_text="The whole text, with its first and last line. "
        "Without one the cluster runs a 30-day trial of 4 shards.",
        rule=check_license,
        required=False,
    )
    field_order = ["name", "username", "password", "license"]


class JoinForm(SignInForm):
    """The cluster to join, by its members, and the approval of the certificate that it shows."""

    key = "join"
    title = "The cluster to join and its administrator"
    lead = (
        "One node that is already in the cluster is enough: it is asked who it is, and the new node joins through it."
    )
    fieldsets = (
        Fieldset("The cluster", ("members", "port"), after="wizard/_member.html"),
        Fieldset("Its administrator", ("username", "password"), hint="An account that the cluster has already."),
        Fieldset("More: cluster name, another way to the member", ("name", "reach"), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "members": "cluster.nodes",
        "port": "cnm_https_port",
        "username": "credentials.username",
        "password": "credentials.password",
    }

    members = LinesField(
        label="Addresses of nodes that are already in the cluster",
        help_text="Their internal addresses, one on each line; not the node that is to join. "
        "The first one is asked who it is.",
        rule=check_member,
        missing="Enter the address of at least one node that is already in the cluster.",
        asks=True,
    )
    port = TextField(
        label="API port of those nodes",
        help_text="9443 unless it was moved.",
        rule=check_port,
        missing="Enter the port of the cluster's API, as a rule 9443.",
        asks=True,
    )
    reach = TextField(
        label="Where this page reaches the first member",
        help_text="Only when its internal address cannot be reached from here: another address of that same node.",
        rule=check_node,
        required=False,
        asks=True,
    )
    name = TextField(
        label="Cluster name",
        help_text="If you know it. The join stops when the members are in another cluster.",
        rule=check_existing_cluster_name,
        required=False,
    )
    member_fingerprint = QuietField()
    member_same = TickField(label="It is the same: I compared it")
    field_order = ["members", "port", "name", "reach", "username", "password"]

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.failure = ""
        member = self.draft.member
        self.card: cards.Card | None = cards.show(member) if member and not self.is_bound else None

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the member was asked and its certificate approved, too."""
        return super().is_complete(draft) and bool(draft.member and draft.member_fingerprint)

    def suggest(self) -> dict[str, Any]:
        """Suggest the usual port."""
        return {"port": DEFAULT_PORT}

    @property
    def notice(self) -> str:
        """Say how many refused sign-ins count at the cluster already, too."""
        username = str(self["username"].value() or "")
        if not self.draft.member_fingerprint or not username:
            return super().notice
        counted = sign_ins.tally(sign_ins.Account((self.draft.member_fingerprint,), username)).words(username)
        return f"{super().notice} {counted}".strip()

    @property
    def asks_now(self) -> bool:
        """Whether there is a member to ask as soon as the page is open."""
        asked = self.card or self.failure or self.errors.get("members") or self.errors.get("reach")
        return not asked and bool(self["members"].value())

    def meet(self, typed: Mapping[str, Any]) -> None:
        """Ask the first member, for a card without any judgement."""
        self.card = None
        read = {name: self.fields[name].clean for name in ("members", "port", "reach")}
        try:
            found = {name: clean(typed.get(name, "")) for name, clean in read.items()}
            self.card = cards.show(
                probing.probe_node(found["reach"] or _place(found["members"][0], found["port"]), by=self.by)
            )
        except forms.ValidationError as error:
            self.failure = error.messages[0]
        except probing.ProbeFailed as error:
            self.failure = error.message

    @property
    def obstacle(self) -> str:
        """Why the node that was asked is no member to join through; empty when it is."""
        card, node = self.card, self.draft.node
        if card is None or node is None:
            return ""
        if card.probe.endpoint.key == node.endpoint.key:
            return f"{card.address} is the node that is to join. Enter a node that is already in the cluster."
        if card.state.is_running:
            return f"{card.address} is being set up itself right now. Wait until it has ended, then ask again."
        if not card.is_member:
            return f"{card.address} is not part of a cluster yet. Enter a node that is, or set this one up first."
        return ""

    def examine(self) -> None:
        """Ask the member, and hold its certificate against what was ticked."""
        if not {"members", "port", "reach"} <= self.cleaned_data.keys():
            return
        self.meet(self.data)
        at = "reach" if self.cleaned_data["reach"] else "members"
        if self.card is None:
            self.add_error(at, self.failure)
        elif self.obstacle:
            self.add_error(at, self.obstacle)
        else:
            shown, ticked = self.cleaned_data["member_fingerprint"], self.cleaned_data["member_same"]
            if unsure := cards.doubt(self.card, shown=shown, ticked=ticked):
                self.add_error("member_same", forms.ValidationError(unsure))

    def values(self) -> dict[str, Any]:
        """Keep the way to the member too: it is no part of the request."""
        return {**super().values(), "reach": self.cleaned_data["reach"]}

    def compared(self) -> list[str]:
        """Compare the way to the member too."""
        return [*super().compared(), "reach"]

    def save(self) -> bool:
        """Approve the member's certificate, then write the step."""
        if self.card and not self.card.approval and not self.is_repeat:
            trust.approve(self.card.probe.endpoint, self.card.certificate, by=self.by)
        return super().save()

    def changes(self) -> dict[str, Any]:
        """Write the member and its approval."""
        assert self.card is not None  # noqa: S101 - a valid form has asked its member
        return {
            **super().changes(),
            "member_probe": self.card.probe.as_json(),
            "member_fingerprint": self.card.certificate.fingerprint,
        }


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
