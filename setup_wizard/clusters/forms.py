"""The second page of a plan: the cluster, its administrator, the storage, and what differs from node to node."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials, Paths
from setup_wizard.bootstrap.request.fields import Uid
from setup_wizard.bootstrap.rules import (
    RuleError,
    check_address,
    check_password,
    check_path,
    check_rack_id,
    check_recovery_file,
    check_username,
)
from setup_wizard.bootstrap.rules.warnings import warn_username
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.clusters.document import PlanDocument, PlanKind
from setup_wizard.clusters.models import Plan
from setup_wizard.clusters.node_rows import NodeRow, rows_of
from setup_wizard.wizard.fields import CheckboxField, NumberField, TextField
from setup_wizard.wizard.forms.fieldset_form import Fieldset, FieldsetForm
from setup_wizard.wizard.forms.new_cluster import NewClusterFields
from setup_wizard.wizard.passwords import ALPHABET, describe_difference

PERSISTENT = "/var/opt/redislabs/persist"
EPHEMERAL = "/var/opt/redislabs/tmp"
LEFT_OUT: Mapping[PlanKind, frozenset[str]] = {
    PlanKind.CREATE: frozenset(),
    PlanKind.EXTEND: frozenset(
        {"name", "recovery_filename", "rack_aware", "accept_new_certificate", "license", "password_again"}
    ),
    PlanKind.RECOVER: frozenset({"rack_aware", "license", "password_again"}),
}
"""The fields that each kind of plan does not have."""


class ClusterForm(NewClusterFields, FieldsetForm):
    """What all nodes have in common, and a row of fields for each node: `addr-0`, `rack_id-0`, `external_addr-0`."""

    title = "Cluster and storage"
    lead = "What the nodes have in common, then what differs."
    next_label = "Next: review"
    fieldsets = (
        Fieldset("Cluster", ("name", "rack_aware", "accept_new_certificate")),
        Fieldset("Administrator", ("username", "password", "password_again")),
        Fieldset("Storage on every node", ("persistent_path", "ephemeral_path")),
        Fieldset("License", ("license",), advanced=True),
        Fieldset("Recovery of a lost cluster", ("recovery_filename",), advanced=True),
    )
    secret_fields: ClassVar[frozenset[str]] = frozenset({"password", "password_again"})
    password_alphabet = ALPHABET
    generated_password: Secret | None = None  # shown on this page, once
    lost_password = False  # one was typed, and this page does not send it back

    recovery_filename = TextField(
        label="Recovery file",
        help_text="To bring back a lost cluster: the full path of its newest `ccs-redis.rdb` on the first node. "
        "Leave it empty for a new cluster.",
        rule=check_recovery_file,
        required=False,
    )
    rack_aware = CheckboxField(
        label="Rack-aware cluster",
        help_text="Keeps the copies of the data in different racks. Every node needs a rack ID. "
        "It can be turned on later, but never off.",
    )
    accept_new_certificate = CheckboxField(
        label="Trust the new certificate that the first node creates during setup",
        help_text="Without it the setup pauses and asks you to compare the new certificate.",
    )
    username = TextField(
        label="User name",
        help_text="Usually an e-mail address: the cluster sends its alerts there.",
        rule=check_username,
        warn=warn_username,
        missing="Enter the administrator's user name, such as admin@example.com.",
    )
    persistent_path = TextField(
        label="Persistent storage",
        help_text="Keeps data across restarts. Use a local or block volume, not NFS. "
        "If empty, each node uses the path that it reports.",
        rule=check_path,
        required=False,
    )
    ephemeral_path = TextField(
        label="Ephemeral storage",
        help_text="Holds temporary data. Use a fast local disk. If empty, each node uses the path that it reports.",
        rule=check_path,
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, files: Any = None, *, plan: Plan, by: User) -> None:
        self.plan, self.content, self.by = plan, plan.content, by
        self.rows = rows_of(plan)
        super().__init__(data, files, auto_id="id_%s", use_required_attribute=False)
        for name in LEFT_OUT[self.content.kind]:
            del self.fields[name]
        if "password_again" not in self.fields:
            self._ask_for_known_credentials()
        else:
            self.fields["password"].help_text = "Keep a copy: after this page it is not shown again."
        self._table_names: tuple[str, ...] = ("addr", "rack_id", "external_addr")
        if self.content.kind is PlanKind.RECOVER:
            self._table_names = ("uid", *self._table_names)
        for row in self.rows:
            self._add_row(row)
        self.initial = self._saved()

    def _ask_for_known_credentials(self) -> None:
        """Ask for the account that the cluster already has, and offer no new password."""
        self.password_alphabet = ""
        self.fields["username"].help_text = "An administrator that the cluster already has."
        self.fields["password"].help_text = "The password of that account."

    @property
    def racks_hint(self) -> str:
        """Say whether racks are needed."""
        if self.content.kind is PlanKind.EXTEND and self.content.cluster.rack_aware:
            return f"{self.plan.target} is rack-aware: every node needs a rack. External addresses are optional."
        return "Racks and external addresses are optional."

    def _add_row(self, row: NodeRow) -> None:
        at = row.position
        addresses = [each.address for each in row.summary.facts.addresses] if row.summary else []
        self.fields[f"addr-{at}"] = AddressChoice(addresses, label=f"Internal address of {row.address}")
        self.fields[f"rack_id-{at}"] = TextField(label=f"Rack ID of {row.address}", rule=check_rack_id, required=False)
        if at and "uid" in self._table_names:
            missing = f"Enter the ID of the lost node that {row.address} replaces."
            number = NumberField(Uid, label=f"ID of the lost node that {row.address} replaces", missing=missing)
            number.required = True
            self.fields[f"uid-{at}"] = number
        self.fields[f"external_addr-{at}"] = TextField(
            label=f"External address of {row.address}", rule=check_address, required=False
        )

    def _saved(self) -> dict[str, Any]:
        content = self.content
        paths = content.defaults.paths
        shown = {
            "name": content.cluster.name,
            "recovery_filename": content.recovery_filename,
            "rack_aware": content.cluster.rack_aware,
            "accept_new_certificate": content.accept_new_certificate,
            "username": content.username,
            "license": content.license,
            "persistent_path": paths.persistent_path or self._shared_path("persistent_storage_path"),
            "ephemeral_path": paths.ephemeral_path or self._shared_path("ephemeral_storage_path"),
        }
        for row in self.rows:
            node = row.planned
            shown |= {
                f"addr-{row.position}": node.addr or _likeliest_address(row),
                f"rack_id-{row.position}": node.rack_id,
                f"external_addr-{row.position}": node.external_addr[0] if node.external_addr else "",
            }
        uids = {f"uid-{row.position}": row.planned.uid or row.position + 1 for row in self.rows}
        return shown | uids

    def _shared_path(self, name: str) -> str:
        """Return the path that all nodes report; empty when they report different ones."""
        reported = {getattr(row.summary.facts, name) or "" for row in self.rows if row.summary}
        return reported.pop() if len(reported) == 1 else ""

    @property
    def table(self) -> list[tuple[NodeRow, list[Any]]]:
        """The rows of the table of nodes: each with its bound fields."""
        named = [(row, [f"{name}-{row.position}" for name in self._table_names]) for row in self.rows]
        return [(row, [self[name] if name in self.fields else None for name in names]) for row, names in named]

    @property
    def begins_recovery(self) -> bool:
        """Whether the plan of a new cluster has become one for a lost cluster."""
        return self.content.kind is PlanKind.CREATE and bool(self.cleaned_data.get("recovery_filename"))

    @property
    def password_expires_at(self) -> datetime | None:
        """When the password that this person stored is deleted; None without one."""
        return vault.expires_at(self.plan.pk) if self.plan.credentials_by_id == self.by.pk else None

    @property
    def password_entered_at(self) -> datetime | None:
        """When the stored password was entered; None without one."""
        expires_at = self.password_expires_at
        return expires_at - DRAFT_SECRET_LIFE if expires_at else None

    @property
    def notice(self) -> str:
        """Say why the password that somebody entered is asked for again."""
        if self.lost_password:
            return "The racks are filled in below. Enter the password again: a page never sends one back."
        entered_by = self.plan.credentials_by
        if self.is_bound or entered_by is None or self.password_expires_at:
            return ""
        if entered_by.pk != self.by.pk:
            return f"{entered_by} entered the password. Enter it again to continue; everything else is saved."
        return "The password was deleted after 15 minutes. Enter it again; everything else is saved."

    def clean_password(self) -> Secret:
        """Require a password unless one is stored."""
        password: Secret = self.cleaned_data["password"]
        if not password and not self.password_expires_at:
            raise forms.ValidationError("Enter the administrator's password.")
        return password

    def clean_password_again(self) -> Secret:
        """Compare the two passwords."""
        again: Secret = self.cleaned_data["password_again"]
        if difference := describe_difference(self.cleaned_data.get("password") or Secret(""), again):
            self.cleaned_data.pop("password", None)
            raise forms.ValidationError(difference)
        return again

    def clean(self) -> dict[str, Any]:
        """Require a rack for every node of a rack-aware cluster."""
        if self.cleaned_data.get("rack_aware", self.content.cluster.rack_aware):
            for row in self.rows:
                name = f"rack_id-{row.position}"
                if name not in self.errors and not self.cleaned_data.get(name):
                    self.add_error(name, f"{row.address} needs a rack ID: the cluster is rack-aware.")
        return self.cleaned_data

    def document(self) -> PlanDocument:
        """Return the plan with what was entered."""
        entered, content = self.cleaned_data, self.content
        nodes = tuple(
            row.planned.model_copy(
                update={
                    "addr": entered[f"addr-{row.position}"],
                    "rack_id": entered[f"rack_id-{row.position}"],
                    "external_addr": tuple(filter(None, [entered[f"external_addr-{row.position}"]])),
                    "paths": self._own_paths(row),
                    "uid": entered.get(f"uid-{row.position}") or None,
                }
            )
            for row in self.rows
        )
        paths = content.defaults.paths.model_copy(
            update={name: entered[name] for name in ("persistent_path", "ephemeral_path")}
        )
        changes: dict[str, Any] = {
            "username": entered["username"],
            "nodes": nodes,
            "defaults": content.defaults.model_copy(update={"paths": paths}),
        }
        for name in ("license", "recovery_filename", "accept_new_certificate"):
            if name in entered:
                changes[name] = entered[name]
        if "name" in entered:
            changes["cluster"] = content.cluster.model_copy(
                update={"name": entered["name"], "rack_aware": entered.get("rack_aware") or None}
            )
        return content.model_copy(update=changes)

    def _own_paths(self, row: NodeRow) -> Paths:
        """Return the paths that a node reports, where all nodes have none in common."""
        facts = row.summary.facts if row.summary else NodeFacts()
        reported = {
            "persistent_path": facts.persistent_storage_path or PERSISTENT,
            "ephemeral_path": facts.ephemeral_storage_path or EPHEMERAL,
        }
        own = {name: path for name, path in reported.items() if not self.cleaned_data[name]}
        return row.planned.paths.model_copy(update={"persistent_path": "", "ephemeral_path": "", **own})

    @sensitive_variables()
    def credentials(self) -> Credentials | None:
        """Return the credentials that were entered; None when the stored ones stay."""
        password = self.cleaned_data.get("password")
        return Credentials(username=self.cleaned_data["username"], password=password) if password else None


class AddressChoice(forms.ChoiceField):
    """One of the addresses that a node reports; another one is kept when the plan has it."""

    def __init__(self, addresses: list[str], **options: Any) -> None:
        super().__init__(choices=[(each, each) for each in addresses], required=bool(addresses), **options)

    def valid_value(self, value: str) -> bool:
        """Accept any address: an imported plan may name another than the node reports."""
        try:
            check_address(value)
        except RuleError:
            return False
        return True


def spread_racks(racks: list[str], count: int) -> list[str]:
    """Give each node one of the racks, as evenly as possible and in turn."""
    return [racks[position % len(racks)] for position in range(count)] if racks else [""] * count


def _likeliest_address(row: NodeRow) -> str:
    if row.summary is None:
        return ""
    used = row.summary.probe.endpoint.ip
    known = [each.address for each in row.summary.facts.addresses if not each.is_bridge]
    return used if used in known or not known else known[0]


class RunCredentialsForm(forms.Form):
    """The credentials of the cluster, with which a paused run continues."""

    username = forms.CharField(label="User name", max_length=255, error_messages={"required": "Enter the user name."})
    password = forms.CharField(
        label="Password",
        strip=False,
        error_messages={"required": "Enter the password."},
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        """Apply the rules of the API."""
        return _checked(check_username, self.cleaned_data["username"])

    @sensitive_variables()
    def clean_password(self) -> str:
        """Apply the rules of the API."""
        return _checked(check_password, self.cleaned_data["password"])

    @property
    def credentials(self) -> Credentials:
        """The entered credentials, of a valid form."""
        return Credentials(username=self.cleaned_data["username"], password=Secret(self.cleaned_data["password"]))


@sensitive_variables()
def _checked(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except RuleError as problem:
        raise forms.ValidationError(problem.message) from None
