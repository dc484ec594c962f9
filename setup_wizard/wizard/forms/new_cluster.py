"""The fields that describe a new cluster, for a single node and for a plan."""

from django import forms

from setup_wizard.bootstrap.rules import check_cluster_name, check_license, check_password
from setup_wizard.bootstrap.rules.warnings import warn_cluster_name
from setup_wizard.wizard.fields import MultilineField, PasswordField, TextField


class NewClusterFields(forms.Form):
    """Its name, the password of its first administrator, and its license."""

    name = TextField(
        label="Cluster name",
        help_text="A fully qualified domain name, such as `redis-prod.example.com`: applications connect to it. "
        "It cannot be changed later.",
        rule=check_cluster_name,
        warn=warn_cluster_name,
        missing="Enter the cluster's full name, such as redis-prod.example.com.",
    )
    password = PasswordField(label="Password", rule=check_password, autocomplete="new-password")
    password_again = PasswordField(label="Repeat password", rule=check_password, autocomplete="new-password")
    license = MultilineField(
        label="License",
        help_text="The whole text, with its first and last line, or its file. "
        "Without a license the cluster runs as a 30-day trial with 4 shards.",
        rule=check_license,
        required=False,
    )
