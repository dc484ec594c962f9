"""Every check before Start."""

from typing import Final

from setup_wizard.attempts.preflight.create_checks import CREATE_CHECKS
from setup_wizard.attempts.preflight.defect_checks import DEFECT_CHECKS
from setup_wizard.attempts.preflight.join_checks import JOIN_CHECKS
from setup_wizard.attempts.preflight.node_checks import NODE_CHECKS
from setup_wizard.attempts.preflight.recovery_checks import RECOVERY_CHECKS
from setup_wizard.attempts.preflight.registry import Check

CHECKS: Final[tuple[Check, ...]] = (*NODE_CHECKS, *CREATE_CHECKS, *JOIN_CHECKS, *RECOVERY_CHECKS, *DEFECT_CHECKS)
