"""Make the change of a remedy in a draft, and remember what it changed."""

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from setup_wizard.attempts import preflight
from setup_wizard.wizard import drafts, steps
from setup_wizard.wizard.documents import put_value
from setup_wizard.wizard.models import EXTRA, Draft

CHANGED: Final = "changed"  # the key in `Draft.data` for answers that a remedy changed


class RemedyGone(Exception):
    """The check does not offer this remedy now."""


def apply_remedy(draft: Draft, version: int, *, check: str, label: str) -> None:
    """Change exactly what the remedy of a check names, in this version of the draft.

    Raises:
        RemedyGone: the check does not offer it any more, or its field does not take the value.
        Stale: the draft was changed meanwhile.
    """
    if draft.version != version:
        raise drafts.Stale
    outcomes = preflight.stored_runs.read(draft.pk, version).outcomes
    offered = [(each, remedy) for each in outcomes if each.name == check for remedy in each.result.remedies]
    outcome, remedy = next(((each, remedy) for each, remedy in offered if remedy.label == label), (None, None))
    if outcome is None or remedy is None or not remedy.values:
        raise RemedyGone
    change = _Change(draft, deepcopy(draft.data), outcome.title)
    for path, value in remedy.values.items():
        change.put(path, value)
    drafts.save(draft, "", data=change.data)


def changed_by(draft: Draft, key: str, field: str) -> str:
    """Name the check whose remedy gave this field its value; empty when it was changed since."""
    mark = draft.values(CHANGED).get(f"{key}.{field}")
    return str(mark["by"]) if mark and mark["value"] == draft.values(key).get(field) else ""


@dataclass(frozen=True, slots=True)
class _Change:
    """The new data of a draft, and the check that it is marked with."""

    draft: Draft
    data: dict[str, Any]
    by: str

    def put(self, path: str, value: object) -> None:
        """Put a value into its field, or into the rest of the request when no step has it."""
        step, name = _field(self.draft, path)
        if step is None and not path.startswith("credentials."):
            put_value(self.data.setdefault(EXTRA, {}), path, value)
            return
        if step is None or step is steps.ACTION or name in step.form_class.secret_fields:
            raise RemedyGone
        key, cleaned = step.form_class.key, self._clean(step, name, value)
        self.data.setdefault(key, {})[name] = cleaned
        self.data.setdefault(CHANGED, {})[f"{key}.{name}"] = {"by": self.by, "value": cleaned}

    def _clean(self, step: steps.WizardStep, name: str, value: object) -> Any:
        """Return the value as the field keeps it; the field beside one of a few options takes all others."""
        fields = step.form(self.draft, self.draft.owner).fields
        for field in filter(None, (fields.get(name), fields.get(f"other_{name}"))):
            if value is None or isinstance(value, bool):
                return field.from_request(value) if hasattr(field, "from_request") and value is not None else value
            with suppress(forms.ValidationError):
                return field.clean("\n".join(map(str, value)) if isinstance(value, list) else str(value))
        raise RemedyGone


def _field(draft: Draft, path: str) -> tuple[steps.WizardStep | None, str]:
    """Find the field for exactly this path."""
    for step in steps.for_draft(draft):
        for name, own in step.form_class.paths_for(draft.chosen_action).items():
            if own == path:
                return step, name
    return None, ""
