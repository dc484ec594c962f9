"""The third step of a join: the cluster, by its members, and an account of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import sign_ins
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.rules import check_existing_cluster_name, check_member, check_port
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import DEFAULT_PORT
from setup_wizard.wizard.fields import CheckboxField, HiddenField, ListField, TextField
from setup_wizard.wizard.forms.action import check_node
from setup_wizard.wizard.forms.fieldset_form import Fieldset
from setup_wizard.wizard.forms.sign_in import SIGN_IN_FIELDS, SIGN_IN_PATHS, SignInForm
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.node_summary import NodeSummary, approval_error, summarize


class JoinForm(SignInForm):
    """The cluster to join, by its members, and the approval of its certificate."""

    key = "join"
    title = "Cluster to join"
    lead = "Enter one or more nodes of the cluster. The new node joins through one of them."
    fieldsets = (
        Fieldset("Cluster", ("members", "port"), after="wizard/_probed_member.html"),
        Fieldset("Administrator", SIGN_IN_FIELDS, hint="Use an account that exists in the cluster."),
        Fieldset("Cluster name, reachable address", ("name", "member_address"), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "members": "cluster.nodes",
        "port": "cnm_https_port",
        **SIGN_IN_PATHS,
    }

    members = ListField(
        label="Addresses of cluster nodes",
        help_text="One or more internal addresses of nodes in the cluster, one per line. "
        "We read the details of the first node.",
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
        help_text="Only if this server cannot reach the first node's internal address: another of its addresses.",
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
    field_order = ["members", "port", "name", "member_address", *SIGN_IN_FIELDS]

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
        """Suggest the default port, and a password."""
        return {**super().suggest(), "port": DEFAULT_PORT}

    @property
    def notice(self) -> str:
        """Say how many rejected sign-ins count towards a lockout, too."""
        username = str(self["username"].value() or "")
        if not self.draft.member_fingerprint or not username:
            return super().notice
        refused = "The cluster refused what is stored, so it is not used again." if self._is_refused() else ""
        counted = sign_ins.count_refused(sign_ins.Account((self.draft.member_fingerprint,), username)).describe(
            username
        )
        return " ".join(filter(None, (super().notice, refused, counted)))

    @property
    def cluster_name(self) -> str:
        """The name of the probed cluster, where an earlier setup knows its certificate; "" otherwise."""
        return trust.cluster_of(self.summary.certificate.fingerprint) if self.summary else ""

    @sensitive_variables()
    def _stored(self) -> Credentials | None:
        """Do not offer credentials that the cluster has just refused."""
        return None if self._is_refused() else super()._stored()

    @sensitive_variables()
    def _is_refused(self) -> bool:
        stored, fingerprint = super()._stored(), self.draft.member_fingerprint
        username = str(self["username"].value() or "")
        if not stored or not fingerprint or username != stored.username:
            return False
        return sign_ins.was_refused(sign_ins.Account((fingerprint,), stored.username), stored)

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
            elif self.authority and (error := probing.find_chain_error(self.summary.probe, self.authority)):
                self.add_error("trusted_ca", error)

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


def _join_host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
