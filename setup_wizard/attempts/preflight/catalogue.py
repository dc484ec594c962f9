"""Every check before Start."""

from typing import Final

from setup_wizard.attempts.preflight.check import Check
from setup_wizard.attempts.preflight.cluster_checks import CLUSTER_CHECKS
from setup_wizard.attempts.preflight.create_checks import CREATE_CHECKS
from setup_wizard.attempts.preflight.defect_checks import DEFECT_CHECKS
from setup_wizard.attempts.preflight.join_checks import JOIN_CHECKS
from setup_wizard.attempts.preflight.machine_checks import MACHINE_CHECKS
from setup_wizard.attempts.preflight.node_checks import NODE_CHECKS
from setup_wizard.attempts.preflight.option_checks import OPTION_CHECKS
from setup_wizard.attempts.preflight.rack_checks import RACK_CHECKS
from setup_wizard.attempts.preflight.recovery_checks import RECOVERY_CHECKS
from setup_wizard.attempts.preflight.replacement_checks import REPLACEMENT_CHECKS
from setup_wizard.attempts.preflight.validation_checks import VALIDATION_CHECKS

CHECKS: Final[tuple[Check, ...]] = (
    *NODE_CHECKS,
    *OPTION_CHECKS,
    *MACHINE_CHECKS,
    *CREATE_CHECKS,
    *JOIN_CHECKS,
    *CLUSTER_CHECKS,
    *RACK_CHECKS,
    *REPLACEMENT_CHECKS,
    *RECOVERY_CHECKS,
    *DEFECT_CHECKS,
    *VALIDATION_CHECKS,
)
_TITLES: Final = {check.name: check.title for check in CHECKS}


def title_of(name: str) -> str:
    """Give the title of a check, which names it for people."""
    return _TITLES.get(name, name)
