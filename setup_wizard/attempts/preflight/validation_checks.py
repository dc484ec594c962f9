"""The node's own check of the request, which comes last."""

from typing import Final

from setup_wizard.attempts.observations import Invalid, NotValidated, Seen, Valid
from setup_wizard.attempts.preflight.check import EVERYTHING, Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_checks import facts_of
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.bootstrap.error_catalogue import explain


def _validation(setup: NodeSetup, findings: Findings) -> Result | None:
    match findings.validation:
        case Valid():
            return Result(level=Level.PASSED, message=f"{setup.address} accepts the request.", part="")
        case Invalid(status=status):
            why = explain(
                status.error_code or "",
                status.error_details,
                request=setup.request.with_credentials(setup.credentials).redacted(),
                node=str(setup.address),
                facts=facts_of(findings),
            )
            return Result(
                level=Level.FAILED,
                message=f"{setup.address} rejects the request. {why.title}. {why.meaning}",
                part=why.part,
                can_override=True,  # nothing is sent before the node has checked it once more
                remedies=why.remedies,
                figures=why.figures,
            )
        case Seen(status=status):
            message = f"{setup.address} is {status.word} now, so it did not check the request. Check again."
            return Result(level=Level.NOT_CHECKED, message=message)
        case NotValidated(why=why_not):
            message = f"{setup.address} did not check the request: {why_not}. It tells after Start."
            return Result(level=Level.NOT_CHECKED, message=message)
    return None


VALIDATION_CHECKS: Final = (
    Check(
        name="validation",
        title="The node's own check",
        judge=_validation,
        needs=frozenset({Source.NODE, Source.VALIDATION}),
        depends_on=EVERYTHING,
    ),
)
