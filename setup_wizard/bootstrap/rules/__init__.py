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
from setup_wizard.bootstrap.rules.warnings import (
    warn_address,
    warn_cluster_name,
    warn_password,
    warn_paths,
    warn_sizing,
    warn_username,
    warn_version,
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
    "warn_address",
    "warn_cluster_name",
    "warn_password",
    "warn_paths",
    "warn_sizing",
    "warn_username",
    "warn_version",
]
