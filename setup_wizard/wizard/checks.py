"""The checks as the review page shows them, and what the operator accepts of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from setup_wizard.attempts.preflight import MAX_REASON, CheckOutcome, Level, Result
from setup_wizard.bootstrap.error_catalogue import Remedy
from setup_wizard.wizard import steps
from setup_wizard.wizard.forms import StepForm
from setup_wizard.wizard.models import Draft


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """The outcome of one check, with the field that it is about.

    A remedy has the URL of its own field, if there is one.
    """

    outcome: CheckOutcome
    url: str
    field: str
    remedies: Sequence[tuple[Remedy, str]] = ()

    @property
    def result(self) -> Result:
        """What the check found."""
        return self.outcome.result


@dataclass(frozen=True, slots=True)
class ShownChecks:
    """All checks in groups, in the order of the page."""

    results: list[ShownCheck]

    def _of(self, *levels: Level) -> list[ShownCheck]:
        return [each for each in self.results if each.result.level in levels and each.result.message]

    def _silent(self, level: Level) -> list[ShownCheck]:
        return [each for each in self.results if each.result.level is level and not each.result.message]

    @property
    def problems(self) -> list[ShownCheck]:
        """Failed checks, then warnings, then checks that were not made and have to be accepted."""
        unchecked = [each for each in self._of(Level.NOT_CHECKED) if each.result.needs_consent]
        return [*self._of(Level.FAILED), *self._of(Level.WARNING), *unchecked]

    @property
    def unchecked(self) -> list[tuple[str, list[ShownCheck]]]:
        """Checks without an answer, by what was not seen; those without a message of their own come last."""
        found = [each for each in self._of(Level.NOT_CHECKED) if not each.result.needs_consent]
        found += self._silent(Level.NOT_CHECKED)
        return [
            (message, [each for each in found if each.result.message == message])
            for message in dict.fromkeys(each.result.message for each in found)
        ]

    @property
    def passed(self) -> list[ShownCheck]:
        """Checks that found nothing wrong."""
        return self._of(Level.PASSED)

    @property
    def silent(self) -> list[ShownCheck]:
        """Checks that ended and have nothing to report."""
        return self._silent(Level.PASSED)

    @property
    def pending(self) -> list[ShownCheck]:
        """Checks that have no result yet."""
        return [each for each in self.results if each.result.level is Level.PENDING]

    @property
    def is_blocked(self) -> bool:
        """Whether Start is refused, whatever is accepted."""
        return any(each.result.blocks for each in self.results)

    @property
    def needs_consent(self) -> bool:
        """Whether something has to be accepted before Start."""
        return any(each.result.needs_consent for each in self.results)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was ticked and typed on the review page."""

    names: frozenset[str] = frozenset()
    typed_reasons: Mapping[str, str] = field(default_factory=dict)
    permanent: bool = False

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "Accepted":
        """Read it from a posted form."""
        reasons = {
            name.removeprefix("reason:"): text.strip()[:MAX_REASON]
            for name, text in posted.items()
            if name.startswith("reason:")
        }
        names = frozenset(name.removeprefix("accept:") for name in posted if name.startswith("accept:"))
        return cls(names, reasons, "accept_permanent" in posted)

    def reasons(self, outcomes: Sequence[CheckOutcome]) -> dict[str, str]:
        """Give the reason for each result that is accepted: a failed check needs a tick and a typed reason."""
        found = {}
        for each in outcomes:
            if each.name in self.names and each.result.needs_consent:
                reason = each.result.confirmation or self.typed_reasons.get(each.name, "")
                if reason:
                    found[each.name] = reason
        return found


NOTHING_ACCEPTED: Final = Accepted()


def show_checks(draft: Draft, outcomes: Sequence[CheckOutcome]) -> ShownChecks:
    """Give the outcomes with the fields that they are about."""
    forms = {step.name: step.form(draft, draft.owner) for step in steps.for_draft(draft)}  # slow to make
    return ShownChecks([_show(draft, each, forms) for each in outcomes])


def _show(draft: Draft, outcome: CheckOutcome, forms: Mapping[str, StepForm]) -> ShownCheck:
    remedies = [(remedy, _url(draft, remedy.part)) for remedy in outcome.result.remedies]
    found = steps.find_field(draft, outcome.result.part)
    if not found:
        return ShownCheck(outcome, "", "", remedies)
    step, name = found
    field = forms[step.name].fields.get(name)
    return ShownCheck(outcome, step.url(draft, name, from_review=True), str(field.label) if field else "", remedies)


def _url(draft: Draft, part: str) -> str:
    found = steps.find_field(draft, part)
    return found[0].url(draft, found[1], from_review=True) if found else ""
