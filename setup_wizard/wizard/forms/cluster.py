"""The third step: the cluster, and the credentials of its administrator."""

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
    check_recovery_file,
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
from setup_wizard.wizard import drafts
from setup_wizard.wizard.fields import CheckboxField, HiddenField, ListField, MultilineField, PasswordField, TextField
from setup_wizard.wizard.forms.action import check_node
from setup_wizard.wizard.forms.step import Difference, Fieldset, StepForm
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.node_summary import NodeSummary, approval_error, summarize


class CredentialsForm(StepForm):
    """What all three actions share: the user name, and the password, which is sealed and never rendered."""

    next_label = "Next: review"
    secret_fields = frozenset({"password"})

    username = TextField(
        label="User name",
        help_text="Usually an e-mail address: the cluster sends its alerts there.",
        rule=check_username,
        warn=warn_username,
        missing="Enter the administrator's user name, such as admin@example.com.",
    )
    password = PasswordField(label="Password", rule=check_password, required=False)

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the step was saved and its password has not expired."""
        return super().is_complete(draft) and vault.expires_at(draft.pk) is not None

    @property
    def password_entered_at(self) -> datetime | None:
        """When the stored password was entered; None without one."""
        return drafts.password_entered_at(self.draft)

    @property
    def password_expires_at(self) -> datetime | None:
        """When the stored password is deleted; None without one."""
        return vault.expires_at(self.draft.pk)

    @property
    def notice(self) -> str:
        """Ask for the password alone, when everything else is filled in."""
        if self.key not in self.draft.data or self.password_expires_at or self.is_bound:
            return ""
        if self.key not in self.draft.step_versions:
            return "Prefilled from the earlier setup. Enter the password again; it is not stored."
        return "The password was deleted after 15 minutes. Enter it again; everything else is saved."

    def clean_password(self) -> Secret:
        """Require a password unless one is stored."""
        password: Secret = self.cleaned_data["password"]
        if not password and not self.password_expires_at:
            raise forms.ValidationError("Enter the administrator's password.")
        return password

    def warnings_for(self, name: str, value: Any) -> Sequence[str]:
        """Warn about invisible characters in a password and about a weak one, too."""
        if not isinstance(value, Secret):
            return super().warnings_for(name, value)
        return [*warn_password_spelling(value.reveal()), *warn_password(value.reveal())]

    def _differences(self) -> Iterator[Difference]:
        yield from super()._differences()
        typed = self.cleaned_data.get("password")
        if typed and not self._is_stored(typed):
            yield Difference("Password", "another one, or none", "the one you typed; enter it again")

    def _is_stored(self, typed: Secret) -> bool:
        try:
            return vault.open_for(self.draft.pk).password == typed
        except vault.SecretUnavailable:
            return False

    def save(self) -> bool:
        """Write the step, then seal the credentials."""
        if not super().save():
            return False
        if not self.is_duplicate:
            self._seal()
        return True

    def keep_valid_password(self) -> None:
        """Seal a valid password although another field is wrong: it cannot be shown again.

        The draft gets a new version first, so that a review page from before cannot start with it.
        """
        typed = self.cleaned_data.get("password") or (self.password_expires_at and self.cleaned_data.get("username"))
        if not typed or (self.is_stale and not self.is_valid()):
            return
        with suppress(drafts.Stale):
            drafts.save(self.draft, "")
            self._seal()

    def _seal(self) -> None:
        username = str(self.cleaned_data.get("username", ""))
        if password := self.cleaned_data.get("password"):
            drafts.store_password(self.draft, username, password)
        elif self.password_expires_at and username:
            drafts.change_username(self.draft, username)


class CreateForm(CredentialsForm):
    """A new cluster's name, license and first administrator."""

    key = "create"
    title = "New cluster and administrator"
    lead = "Name the cluster and choose the credentials of its first administrator."
    fieldsets = (
        Fieldset("Cluster", ("name",)),
        Fieldset("Administrator", ("username", "password"), hint="You will sign in to the cluster with this account."),
        Fieldset("License", ("license",), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "username": "credentials.username",
        "password": "credentials.password",
        "license": "license",
    }

    name = TextField(
        label="Cluster name",
        help_text="A fully qualified domain name, such as `redis-prod.example.com`: applications connect to it. "
        "It cannot be changed later.",
        rule=check_cluster_name,
        warn=warn_cluster_name,
        missing="Enter the cluster's full name, such as redis-prod.example.com.",
    )
    license = MultilineField(
        label="License",
        help_text="The whole text, with its first and last line. "
        "Without a license the cluster runs as a 30-day trial with 4 shards.",
        rule=check_license,
        required=False,
    )
    field_order = ["name", "username", "password", "license"]


class JoinForm(CredentialsForm):
    """The cluster to join, by its members, and the approval of its certificate."""

    key = "join"
    title = "Cluster to join"
    lead = "Enter one node of the cluster. The new node joins through it."
    fieldsets = (
        Fieldset("Cluster", ("members", "port"), after="wizard/_probed_member.html"),
        Fieldset("Administrator", ("username", "password"), hint="Use an account that exists in the cluster."),
        Fieldset("Cluster name, reachable address", ("name", "member_address"), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "members": "cluster.nodes",
        "port": "cnm_https_port",
        "username": "credentials.username",
        "password": "credentials.password",
    }

    members = ListField(
        label="Addresses of cluster nodes",
        help_text="Internal addresses of nodes in the cluster, one per line. We read the details of the first.",
        rule=check_member,
        missing="Enter the address of at least one node in the cluster.",
        probes=True,
    )
    port = TextField(
        label="API port",
        help_text="Default: 9443.",
        rule=check_port,
        missing="Enter the port of the cluster's API. The default is 9443.",
        probes=True,
    )
    member_address = TextField(
        label="Reachable address of the first node",
        help_text="Only if this server cannot reach its internal address: another address of the same node.",
        rule=check_node,
        required=False,
        probes=True,
    )
    name = TextField(
        label="Cluster name",
        help_text="If you enter it, the join stops when the nodes belong to another cluster.",
        rule=check_existing_cluster_name,
        required=False,
    )
    member_fingerprint = HiddenField()
    member_fingerprints_match = CheckboxField(label="The fingerprints match")
    field_order = ["members", "port", "name", "member_address", "username", "password"]

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.failure = ""
        member = self.draft.member
        self.summary: NodeSummary | None = summarize(member) if member and not self.is_bound else None

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the member was probed and its certificate approved, too."""
        return super().is_complete(draft) and bool(draft.member and draft.member_fingerprint)

    def suggest(self) -> dict[str, Any]:
        """Suggest the default port."""
        return {"port": DEFAULT_PORT}

    @property
    def notice(self) -> str:
        """Say how many rejected sign-ins count towards a lockout, too."""
        username = str(self["username"].value() or "")
        if not self.draft.member_fingerprint or not username:
            return super().notice
        counted = sign_ins.count_refused(sign_ins.Account((self.draft.member_fingerprint,), username)).describe(
            username
        )
        return f"{super().notice} {counted}".strip()

    @property
    def probes_on_load(self) -> bool:
        """Whether there is a member that was not probed yet."""
        probed = self.summary or self.failure or self.errors.get("members") or self.errors.get("member_address")
        return not probed and bool(self["members"].value())

    def probe(self, typed: Mapping[str, Any]) -> None:
        """Probe the first member, without validation."""
        self.summary = None
        read = {name: self.fields[name].clean for name in ("members", "port", "member_address")}
        try:
            values = {name: clean(typed.get(name, "")) for name, clean in read.items()}
            address = values["member_address"] or _join_host_port(values["members"][0], values["port"])
            self.summary = summarize(probing.probe_node(address, by=self.by))
        except forms.ValidationError as error:
            self.failure = error.messages[0]
        except probing.ProbeFailed as error:
            self.failure = error.message

    @property
    def blocked_reason(self) -> str:
        """Why the probed node is not a member to join through; empty when it is."""
        summary, node = self.summary, self.draft.node
        if summary is None or node is None:
            return ""
        if summary.probe.endpoint.key == node.endpoint.key:
            return f"{summary.address} is the node that joins. Enter a node that is already in the cluster."
        if summary.state.is_running:
            return f"{summary.address} is still being set up. Wait until that has ended, then check again."
        if not summary.is_member:
            return f"{summary.address} is not in a cluster. Enter a node that is, or set this one up first."
        return ""

    def clean_step(self) -> None:
        """Probe the member, and compare its certificate with what was confirmed."""
        if not {"members", "port", "member_address"} <= self.cleaned_data.keys():
            return
        self.probe(self.data)
        field = "member_address" if self.cleaned_data["member_address"] else "members"
        if self.summary is None:
            self.add_error(field, self.failure)
        elif self.blocked_reason:
            self.add_error(field, self.blocked_reason)
        else:
            shown = self.cleaned_data.get("member_fingerprint", "")
            confirmed = self.cleaned_data["member_fingerprints_match"]
            if error := approval_error(self.summary, shown=shown, confirmed=confirmed):
                self.add_error("member_fingerprints_match", error)

    def values(self) -> dict[str, Any]:
        """Keep the reachable address, which is not part of the request, too."""
        return {**super().values(), "member_address": self.cleaned_data["member_address"]}

    def compared_fields(self) -> list[str]:
        """Compare the reachable address, too."""
        return [*super().compared_fields(), "member_address"]

    def save(self) -> bool:
        """Approve the member's certificate, then write the step."""
        if self.summary and not self.summary.approval and not self.is_duplicate:
            trust.approve(self.summary.probe.endpoint, self.summary.certificate, by=self.by)
        return super().save()

    def changes(self) -> dict[str, Any]:
        """Write the member and its approval, too."""
        assert self.summary is not None  # noqa: S101 - a valid form has probed its member
        return {
            **super().changes(),
            "member_probe": self.summary.probe.as_json(),
            "member_fingerprint": self.summary.certificate.fingerprint,
        }


class RecoverForm(CredentialsForm):
    """The file with the lost cluster's configuration, and an account of that cluster."""

    key = "recover"
    title = "Cluster to recover"
    lead = (
        "A cluster keeps its name, nodes, accounts and databases in one file. "
        "This node restores the cluster from that file."
    )
    fieldsets = (
        Fieldset("Cluster", ("recovery_filename", "name")),
        Fieldset(
            "Administrator",
            ("username", "password"),
            hint="Use an account of the lost cluster, with the password that it had there.",
        ),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "recovery_filename": "recovery_filename",
        "name": "cluster.name",
        "username": "credentials.username",
        "password": "credentials.password",
    }

    recovery_filename = TextField(
        label="Recovery file",
        help_text="Each node of the lost cluster kept a copy in its persistent storage, usually `ccs/ccs-redis.rdb`. "
        "Copy the newest one to this node, let the user `redislabs` read it, and enter its full path. "
        "A bare file name is looked up in the persistent storage.",
        rule=check_recovery_file,
        missing="Enter the recovery file, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb.",
    )
    name = TextField(
        label="Name of the lost cluster",
        help_text="If you know it, such as `redis-prod.example.com`. "
        "You are warned when the file belongs to another cluster.",
        rule=check_existing_cluster_name,
        required=False,
    )
    field_order = ["recovery_filename", "name", "username", "password"]


def _join_host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
