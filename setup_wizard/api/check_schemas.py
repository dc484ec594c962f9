"""Response bodies of the checks before a start."""

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
    def of(cls, outcome: CheckOutcome, field: str) -> "CheckOut":
        """Describe the outcome of a check; of its remedies, the first that changes the request."""
        result = outcome.result
        remedy = next((each for each in result.remedies if each.values), None)
        return cls(
            name=outcome.name,
            level=cast("CheckLevel", result.level.value),  # a run that has ended has none that is pending
            message=result.message,
            field=field,
            can_override=result.needs_consent,
            remedy=CheckRemedyOut(label=remedy.label, change=dict(remedy.values)) if remedy else None,
        )


class PreflightOut(Schema):
    """Every check, and whether the same body would start the setup."""

    checks: list[CheckOut]
    ready: bool
