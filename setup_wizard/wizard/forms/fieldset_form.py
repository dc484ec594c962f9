"""What the forms of all steps have in common: they declare their texts and fieldsets, and one template renders them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.views.decorators.debug import sensitive_variables


@dataclass(frozen=True, slots=True)
class Fieldset:
    """Fields that belong together; an advanced one is collapsed, `after` names a partial that follows its fields."""

    legend: str
    fields: tuple[str, ...]
    hint: str = ""
    advanced: bool = False
    after: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A fieldset with the bound fields of one form."""

    fieldset: Fieldset
    fields: list[BoundField]

    @property
    def is_open(self) -> bool:
        """Whether a collapsed one is expanded: it has a value, an error, or a mark."""
        return any(field.errors or field.value() or getattr(field.field, "filled_in", "") for field in self.fields)


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """The messages about one field."""

    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


class FieldsetForm(forms.Form):
    """A form that declares its texts and fieldsets."""

    title: ClassVar[str]
    lead: ClassVar[str]
    next_label: ClassVar[str]
    fieldsets: ClassVar[tuple[Fieldset, ...]]

    @property
    def sections(self) -> list[Section]:
        """The fieldsets with their fields, in order and collapsed ones last; those without a field are left out."""
        return [
            Section(fieldset, fields)
            for fieldset in self.fieldsets
            if (fields := [self[name] for name in fieldset.fields if name in self.fields]) or fieldset.after
        ]

    def errors_in_order(self) -> Iterator[tuple[str, str]]:
        """Yield every error as (id of the field, message), in the order of the page."""
        for message in self.non_field_errors():
            yield "", str(message)
        order = [name for fieldset in self.fieldsets for name in fieldset.fields]
        for name in [*order, *(name for name in self.errors if name not in order and name != "__all__")]:
            for message in self.errors.get(name, ()):
                yield f"id_{name}", str(message)

    @sensitive_variables()
    def check_field(self, name: str) -> FieldCheck:
        """Check one field when the person leaves it.

        Raises:
            KeyError: there is no such field.
        """
        field = self.fields[name]
        value = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        if value in field.empty_values:
            return FieldCheck()  # an empty field is not an error before Next
        try:
            cleaned = field.clean(value)
        except forms.ValidationError as error:
            return FieldCheck(errors=[str(message) for message in error.messages])
        values = cleaned if isinstance(cleaned, list) else [cleaned]
        warnings = [warning for value in values for warning in self.warnings_for(name, value)]
        return FieldCheck(warnings=warnings, notes=self.notes_for(name, cleaned))

    def warnings_for(self, name: str, value: Any) -> Sequence[str]:
        """Return warnings about a valid value."""
        warn = getattr(self.fields[name], "warn", None)
        return warn(value) if warn and value else ()

    def notes_for(self, name: str, value: Any) -> Sequence[str]:
        """Return what is good about a valid value; usually nothing."""
        del name, value
        return ()
