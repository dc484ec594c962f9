"""The third step of a create: the new cluster and its first administrator."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from setup_wizard.access.password_validation import MIN_SCORE, estimate_strength
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.suffixes import private_and_public
from setup_wizard.bootstrap.rules import RuleError, check_cluster_name
from setup_wizard.bootstrap.rules.warnings import warn_password
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard.documents import find_value, put_value
from setup_wizard.wizard.fields import (
    CheckboxField,
    SelectField,
    SuffixesField,
)
from setup_wizard.wizard.forms.credentials import CredentialsForm
from setup_wizard.wizard.forms.fieldset_form import Fieldset
from setup_wizard.wizard.forms.new_cluster import NewClusterFields
from setup_wizard.wizard.passwords import ALPHABET, describe_difference

SUFFIXES = "dns_suffixes"
_PROXIES = {
    "single": "One proxy",
    "all-master-shards": "The nodes with a master shard",
    "all-nodes": "All nodes",
}
_YES_NO = {"true": "Yes", "false": "No"}


class CreateForm(NewClusterFields, CredentialsForm):
    """A new cluster's name, its first administrator, its license, endpoints and defaults."""

    key = "create"
    title = "New cluster and administrator"
    lead = "Name the cluster and choose the credentials of its first administrator."
    fieldsets = (
        Fieldset("Cluster", ("name",)),
        Fieldset(
            "Administrator",
            ("username", "password", "password_again"),
            hint="You will sign in to the cluster with this account.",
        ),
        Fieldset("License", ("license",), advanced=True),
        Fieldset("Private and public endpoints", ("private_endpoints", "dns_suffixes"), advanced=True),
        Fieldset(
            "Defaults for databases",
            (
                "default_shards_placement",
                "default_sharded_proxy_policy",
                "default_non_sharded_proxy_policy",
                "default_fork_evict_ram",
                "shards_overbooking",
            ),
            hint="Each database can have its own settings later.",
            advanced=True,
        ),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "name": "cluster.name",
        "username": "credentials.username",
        "password": "credentials.password",
        "license": "license",
        "dns_suffixes": SUFFIXES,
        "default_shards_placement": "policy.default_shards_placement",
        "default_sharded_proxy_policy": "policy.default_sharded_proxy_policy",
        "default_non_sharded_proxy_policy": "policy.default_non_sharded_proxy_policy",
        "default_fork_evict_ram": "policy.default_fork_evict_ram",
        "shards_overbooking": "policy.shards_overbooking",
    }
    secret_fields = frozenset({"password", "password_again"})
    password_alphabet = ALPHABET
    generated_password: Secret | None = None  # shown on this page, once

    private_endpoints = CheckboxField(
        label="Private and public endpoints",
        help_text="Adds a second name, the cluster name after `internal.`, which leads to the internal addresses. "
        "It cannot be changed later.",
    )
    dns_suffixes = SuffixesField(
        label="Other DNS suffixes",
        help_text="One per line, with options such as `use_internal_addr` or `slaves=10.0.0.9`.",
    )
    default_shards_placement = SelectField(
        {"dense": "Dense: on as few nodes as possible", "sparse": "Sparse: on as many nodes as possible"},
        label="Placement of shards",
        help_text="Which nodes a new database uses.",
    )
    default_sharded_proxy_policy = SelectField(
        _PROXIES, label="Endpoints of sharded databases", help_text="Which nodes accept their connections."
    )
    default_non_sharded_proxy_policy = SelectField(
        _PROXIES, label="Endpoints of other databases", help_text="Which nodes accept their connections."
    )
    default_fork_evict_ram = SelectField(
        _YES_NO,
        is_flag=True,
        label="Evict data to copy a shard",
        help_text="Frees memory so that replication and persistence succeed.",
    )
    shards_overbooking = SelectField(
        _YES_NO,
        is_flag=True,
        label="Overbook memory",
        help_text="Places shards without regard to the memory limits of databases.",
    )
    field_order = ["name", "username", "password", "password_again", "license"]

    @classmethod
    def put_values(cls, values: Mapping[str, Any], document: dict[str, Any], action: Action) -> None:
        """Put the two suffixes of private and public endpoints before the others."""
        super().put_values(values, document, action)
        name = find_value(document, "cluster.name")
        if values.get("private_endpoints") and name:
            put_value(document, SUFFIXES, [*private_and_public(name), *document.get(SUFFIXES, [])])

    @classmethod
    def take_values(cls, document: Mapping[str, Any], action: Action) -> dict[str, Any]:
        """Recognize the two suffixes of private and public endpoints."""
        name = find_value(document, "cluster.name")
        taken = super().take_values(document, action)
        suffixes = taken.get(SUFFIXES)
        if isinstance(name, str) and isinstance(suffixes, list) and suffixes[:2] == private_and_public(name):
            taken |= {"private_endpoints": True, SUFFIXES: suffixes[2:]}
        return taken

    def own_fields(self) -> list[str]:
        """Keep the choice of endpoints, too."""
        return [*super().own_fields(), "private_endpoints"]

    def display_value(self, name: str, value: Any) -> str:
        """Name the internal endpoints, too."""
        if name == "private_endpoints" and value and (cluster := self.shown.get("name")):
            return f"yes, also internal.{cluster}"
        return super().display_value(name, value)

    def clean_password_again(self) -> Secret:
        """Compare the two passwords; when they differ, neither is stored."""
        again: Secret = self.cleaned_data["password_again"]
        password = self.cleaned_data.get("password") or Secret("")
        if difference := describe_difference(password, again):
            self.cleaned_data.pop("password", None)
            raise forms.ValidationError(difference)
        return again

    def clean_step(self) -> None:
        """Check the name of the internal endpoints, which is longer, and what takes several fields."""
        self.clean_request()
        name = self.cleaned_data.get("name")
        if name and self.cleaned_data.get("private_endpoints"):
            try:
                check_cluster_name(f"internal.{name}")
            except RuleError as error:
                self.add_error("private_endpoints", f"internal.{name}: {error.message}")

    def warnings_for(self, name: str, value: Any) -> Sequence[str]:
        """Warn about a weak password, too."""
        warnings = super().warnings_for(name, value)
        if name != "password":
            return warnings if name != "password_again" else ()
        strength = estimate_strength(value.reveal())
        weak = [strength.text] if strength.score < MIN_SCORE else []
        return [*warnings, *weak, *warn_password(value.reveal())]

    def notes_for(self, name: str, value: Any) -> Sequence[str]:
        """Say how strong a good password is."""
        if name != "password":
            return ()
        strength = estimate_strength(value.reveal())
        return [strength.text] if strength.score >= MIN_SCORE else ()
