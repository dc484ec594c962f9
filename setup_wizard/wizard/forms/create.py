"""The third step of a create: the new cluster and its first administrator."""

from collections.abc import Mapping
from typing import ClassVar

from setup_wizard.bootstrap.rules import check_cluster_name, check_license
from setup_wizard.bootstrap.rules.warnings import warn_cluster_name
from setup_wizard.wizard.fields import MultilineField, TextField
from setup_wizard.wizard.forms.credentials import CredentialsForm
from setup_wizard.wizard.forms.step import Fieldset


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
