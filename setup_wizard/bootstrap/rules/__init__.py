"""What may stand in a field of a bootstrap request, and what is allowed but deserves a warning."""

from setup_wizard.bootstrap.rules.fields import (
    RuleError,
    check_address,
    check_choice,
    check_cluster_name,
    check_license,
    check_member,
    check_password,
    check_path,
    check_pem,
    check_port,
    check_rack_id,
    check_text,
    check_username,
)

__all__ = [
    "RuleError",
    "check_address",
    "check_choice",
    "check_cluster_name",
    "check_license",
    "check_member",
    "check_password",
    "check_path",
    "check_pem",
    "check_port",
    "check_rack_id",
    "check_text",
    "check_username",
]
