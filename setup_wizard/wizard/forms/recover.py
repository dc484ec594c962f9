"""The third step of a recovery: the file of the lost cluster, and an account of it."""

from collections.abc import Mapping
from typing import ClassVar

from setup_wizard.bootstrap.rules import check_existing_cluster_name, check_recovery_file
from setup_wizard.wizard.fields import TextField
from setup_wizard.wizard.forms.credentials import CredentialsForm
from setup_wizard.wizard.forms.fieldset_form import Fieldset


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
        help_text="Such as `redis-prod.example.com`. The setup pauses if the file belongs to another cluster.",
        rule=check_existing_cluster_name,
        required=False,
    )
    field_order = ["recovery_filename", "name", "username", "password"]
