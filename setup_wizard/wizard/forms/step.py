"""What every step's form has in common: its texts, its part of the request, and conflicts with another tab."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import InvalidRequest, parse_request
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.wizard import drafts
from setup_wizard.wizard.documents import EMPTY, find_value, put_value, take_value
from setup_wizard.wizard.fields import CheckboxField, RadioField, SelectField, TextField
from setup_wizard.wizard.forms.fieldset_form import FieldsetForm
from setup_wizard.wizard.models import EXTRA, FILLED, IMPORT, Draft

CONFLICT = (
    "Nothing was saved: another tab saved this step after you opened this page. Your input is still here. "
    "Press the button again to overwrite the saved values."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that another tab saved with another value."""

    label: str
    saved: str
    typed: str


class StepForm(FieldsetForm):
    """A step of one draft, for one person.

    `key` is its key in `Draft.data`; `paths` maps each field to the dotted path of its part of the request.
    """

    key: ClassVar[str]
    paths: ClassVar[Mapping[str, str]]
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, data: Mapping[str, Any] | None = None, files: Any = None, *, draft: Draft, by: User) -> None:
        self.draft, self.by = draft, by
        self.is_duplicate = False
        self.differences: list[Difference] = []
        super().__init__(data, files, auto_id="id_%s", use_required_attribute=False)
        self.shown = self.shown_values()
        self.initial = dict(self.shown)
        for name, field in self.fields.items():
            if isinstance(field, SelectField):
                field.allow(self.shown.get(name))
        self._mark_filled_in()

    def full_clean(self) -> None:
        """Validate; a form that was not sent shows what was wrong with imported values, until its step is saved."""
        super().full_clean()
        if self.is_bound or self.key in self.draft.step_versions:
            return
        messages = self.draft.values(IMPORT).get("errors", {})
        for name, path in self.paths_for(self.draft.chosen_action).items():
            if path in messages:
                self.errors[name] = self.error_class(messages[path])

    def _mark_filled_in(self) -> None:
        """Mark the fields that a remedy filled in, until the step is saved."""
        if self.is_bound or self.key in self.draft.step_versions:
            return
        filled = self.draft.values(FILLED)
        for name, path in self.paths_for(self.draft.chosen_action).items():
            field = self.fields.get(name)
            is_kept = path in filled and str(self.shown.get(name) or "") == filled[path]
            if is_kept and isinstance(field, TextField | RadioField | SelectField | CheckboxField):
                field.filled_in = _describe_change(filled[path], ticks=isinstance(field, CheckboxField))

    def shown_values(self) -> dict[str, Any]:
        """Return the values that a page opened now shows: saved ones, prefilled ones, then suggestions."""
        prefilled = self.take_values(deepcopy(self.draft.values(EXTRA)), self.draft.chosen_action)
        return {**self.suggest(), **prefilled, **self.draft.values(self.key)}

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the draft has everything from this step."""
        return cls.key in draft.data

    @classmethod
    def paths_for(cls, action: Action) -> Mapping[str, str]:
        """Return `paths` for the fields that the form has for this action."""
        del action
        return cls.paths

    @classmethod
    def put_values(cls, values: Mapping[str, Any], document: dict[str, Any], action: Action) -> None:
        """Put the values of this step into a request, where they replace what is there."""
        for name, path in cls.paths_for(action).items():
            field, value = cls.base_fields[name], values.get(name)
            if isinstance(field, CheckboxField) and not value and find_value(document, path) is not field.sends:
                continue
            put_value(document, path, field.to_request(value) if hasattr(field, "to_request") else value)

    @classmethod
    def take_values(cls, document: Mapping[str, Any], action: Action) -> dict[str, Any]:
        """Return the values that a request has for this step; `document` loses them."""
        taken = {}
        for name, path in cls.paths_for(action).items():
            field, value = cls.base_fields[name], find_value(document, path)
            kept = field.from_request(value) if hasattr(field, "from_request") and value is not None else value
            if kept is not None:
                take_value(document, path)
            if kept not in EMPTY and kept != MASK:
                taken[name] = kept
        return taken

    @property
    def notice(self) -> str:
        """A message above the empty form; usually none."""
        return ""

    @property
    def probes_on_load(self) -> bool:
        """Whether the page probes a node as soon as it is open."""
        return False

    def show_typed(self, typed: Mapping[str, Any], files: Any = None) -> None:
        """Show what is typed, without validation: for a page, or a part of it, that is rendered again."""
        shown = {name: field.widget for name, field in self.fields.items() if name not in self.secret_fields}
        read = {name: widget.value_from_datadict(typed, files or {}, name) for name, widget in shown.items()}
        self.initial.update(read)

    def suggest(self) -> dict[str, Any]:
        """Return values for fields that are not filled in yet."""
        return {}

    def clean_step(self) -> None:
        """Validate what one field alone cannot show; add errors."""

    def clean_request(self) -> None:
        """Apply the rules that the request has about several fields, at the fields of this step."""
        action = self.draft.chosen_action
        document = deepcopy(self.draft.values(EXTRA)) | {"action": action.value}
        self.put_values({name: self.cleaned_data.get(name) for name in self.fields}, document, action)
        document.pop("credentials", None)
        try:
            parse_request(document, credentials_required=False)
        except InvalidRequest as error:
            names = {path: name for name, path in self.paths_for(action).items() if name in self.fields}
            for path in error.fields.keys() & names.keys():
                if names[path] not in self.errors:
                    self.add_error(names[path], forms.ValidationError(error.fields[path]))

    def values(self) -> dict[str, Any]:
        """Return the cleaned values to keep in the draft."""
        return {name: self.cleaned_data[name] for name in self.own_fields()}

    def own_fields(self) -> list[str]:
        """Name the fields with a value that is kept."""
        return [name for name in self.paths if name in self.fields and name not in self.secret_fields]

    def changes(self) -> dict[str, Any]:
        """Return the columns of the draft to write."""
        return {"data": {**self.draft.data, self.key: self.values()}}

    def clean(self) -> dict[str, Any]:
        """Validate the fields together, unless another tab saved this step after the page was opened."""
        if self.is_stale:
            self.compare()
        else:
            self.clean_step()
        return self.cleaned_data

    def save(self) -> bool:
        """Write the step; return False, with an error on the form, when another tab saved it first.

        Raises:
            Draft.DoesNotExist: the draft was discarded.
        """
        if self.is_duplicate:
            return True
        try:
            drafts.save(self.draft, self.step_to_mark(), **self.changes())
        except drafts.Stale:
            self.draft.refresh_from_db()
            self.shown = self.shown_values()
            self.compare()
            return self.is_duplicate
        return True

    def step_to_mark(self) -> str:
        """Return the step whose open pages become stale with this save; empty when nothing on them changes."""
        return self.key

    def keep_valid_password(self) -> None:
        """Store a valid password of a rejected form, which cannot show it again."""

    @property
    def is_stale(self) -> bool:
        """Whether this step, or the node it is about, was saved after the posted page was opened."""
        versions = self.draft.step_versions
        return parse_version(self.data) < max(int(versions.get(self.key, 1)), int(versions.get("action", 1)))

    def compare(self) -> None:
        """Compare the input with what is saved. The same values sent twice are a double click, not a conflict."""
        self.differences = list(self._differences())
        self.is_duplicate = not self.differences and not self.errors
        if not self.is_duplicate:
            self.add_error(None, forms.ValidationError(CONFLICT, code="conflict"))

    def _differences(self) -> Iterator[Difference]:
        for name in self.compared_fields():
            saved = self.display_value(name, self.shown.get(name))
            typed = self.display_value(name, self.cleaned_data.get(name, self.data.get(name)))
            if saved != typed:
                yield Difference(str(self.fields[name].label), saved or "empty", typed or "empty")

    def compared_fields(self) -> Sequence[str]:
        """Name the fields that two tabs may fill in differently."""
        return self.own_fields()

    def unused_fields(self) -> frozenset[str]:
        """Name the fields that another answer makes superfluous."""
        return frozenset()

    def display_value(self, name: str, value: Any) -> str:
        """Return a field's value as a person reads it."""
        field = self.fields[name]
        if hasattr(field, "label_for"):
            return str(field.label_for(value))
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return "yes" if value is True else str("" if value is None or value is False else value).replace("\r\n", "\n")


def parse_version(posted: Mapping[str, Any]) -> int:
    """Return the version of the draft on the posted page; 0 when it has none."""
    text = str(posted.get("version", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _describe_change(value: str, *, ticks: bool) -> str:
    if not value:
        return "Cleared"
    return "Ticked" if ticks else f"Filled in: `{value}`"
