"""The third step of a recovery: the file that remembers the old cluster, and the sign-in of its administrator."""

from collections.abc import Mapping
from typing import ClassVar

from setup_wizard.bootstrap.rules import check_existing_cluster_name, check_recovery_file
from setup_wizard.wizard.fields import TextField
from setup_wizard.wizard.forms.cluster import SignInForm
from setup_wizard.wizard.forms.step import Fieldset


class RecoverForm(SignInForm):
    """Where the old cluster's configuration lies on the node, and who administers that cluster."""

    key = "recover"
    title = "The lost cluster and its administrator"
    lead = (
        "A cluster writes down its name, its nodes, its accounts and its databases in one file. "
        "From that file this node brings it back."
    )
    fieldsets = (
        Fieldset("The cluster", ("recovery_filename", "name")),
        Fieldset(
            "Its administrator",
            ("username", "password"),
            hint="An account of the lost cluster, with the password that it had there. No new one is made.",
        ),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "recovery_filename": "recovery_filename",
        "name": "cluster.name",
        "username": "credentials.username",
        "password": "credentials.password",
    }

    recovery_filename = TextField(
        label="File to recover from",
        help_text="Each node of the lost cluster kept a copy in its persistent storage, as a rule "
        "/var/opt/redislabs/persist/ccs/ccs-redis.rdb. Bring the newest copy to this node, where the user redislabs "
        "can read it, and enter its whole path. A name alone is looked for in the persistent storage.",
        rule=check_recovery_file,
        missing="Enter the file to recover from, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb.",
    )
    name = TextField(
        label="Name of the lost cluster",
        help_text="If you know it, such as redis-prod.example.com. Should the file turn out to be that of another "
        "cluster, you are told.",
        rule=check_existing_cluster_name,
        required=False,
    )
    field_order = ["recovery_filename", "name", "username", "password"]
