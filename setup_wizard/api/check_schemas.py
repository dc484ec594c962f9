"""Response bodies of the checks before a start."""

from collections.abc import Callable
from typing import Any, Literal, cast

from ninja import Schema

from setup_wizard.attempts.preflight import CheckOutcome

CheckLevel = Literal["passed", "warning", "failed", "not_checked"]


class CheckRemedyOut(Schema):
    """A change of the request that fixes what a check found: values by the path of their field."""

    label: str
    change: dict[str, Any]


class CheckOut(Schema):
    """The result of one check; `field` is the field of this call that it is about, or empty."""

    name: str
    level: CheckLevel
    message: str
    field: str
    can_override: bool
    remedy: CheckRemedyOut | None

    @classmethod
    def of(cls, outcome: CheckOutcome, field: str, path_of: Callable[[str], str] = str) -> "CheckOut":
        """Describe the outcome of a check; of its remedies, the first that changes the request.

        `path_of` says where a field of the request stands in the body of the call.
        """
        result = outcome.result
        remedy = next((each for each in result.remedies if each.values), None)
        return cls(
            name=outcome.name,
            level=cast("CheckLevel", result.level.value),  # a run that has ended has none that is pending
            message=result.message,
            field=field,
            can_override=result.needs_consent,
            remedy=CheckRemedyOut(
                label=remedy.label, change={path_of(path): value for path, value in remedy.values.items()}
            )
            if remedy
            else None,
        )


class PreflightOut(Schema):
    """Every check, and whether the same body would start the setup."""

    checks: list[CheckOut]
    ready: bool
