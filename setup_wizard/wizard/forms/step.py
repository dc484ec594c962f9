"""What every step's form has in common: its words, its place in the draft, and what another tab did meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.actions import Action
from setup_wizard.wizard import drafts
from setup_wizard.wizard.models import Draft

CONFLICT = (
    "This setup was saved in another tab or window after this page was opened, so nothing was changed now. What you "
    "typed is still here. Choose the button at the end again to put it in place of what was saved."
)


@dataclass(frozen=True, slots=True)
class Fieldset:
    """Fields that belong together; an advanced one is folded away, `after` names a partial that follows its fields."""

    legend: str
    fields: tuple[str, ...]
    hint: str = ""
    advanced: bool = False
    after: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A fieldset of one form, ready to be drawn."""

    fieldset: Fieldset
    fields: list[BoundField]

    @property
    def is_open(self) -> bool:
        """Whether a folded one has something to show: a value, or something wrong."""
        return any(field.errors or field.value() for field in self.fields)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that another tab saved otherwise than it stands here."""

    label: str
    saved: str
    typed: str


class StepForm(forms.Form):
    """A step of one draft, for one person.

    `key` is its place in the draft's data; `paths` says which part of the request each of its fields is.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    lead: ClassVar[str]
    next_label: ClassVar[str]
    fieldsets: ClassVar[tuple[Fieldset, ...]]
    paths: ClassVar[Mapping[str, str]]

    def __init__(self, data: Mapping[str, Any] | None = None, *, draft: Draft, by: User) -> None:
        self.draft, self.by = draft, by
        self.is_repeat = False
        self.differences: list[Difference] = []
        super().__init__(data, auto_id="id_%s", use_required_attribute=False)
        self.saved = self.read_saved()
        self.initial = dict(self.saved)

    def read_saved(self) -> dict[str, Any]:
        """Give the values that a page opened now would show."""
        return {**self.suggest(), **self.draft.values(self.key)}

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the draft has what this step asks for."""
        return cls.key in draft.data

    @classmethod
    def paths_for(cls, action: Action) -> Mapping[str, str]:
        """Say which part of the request each field is that the form has for this action."""
        del action
        return cls.paths

    @property
    def notice(self) -> str:
        """What this page has to say before anything is typed; empty as a rule."""
        return ""

    @property
    def asks_now(self) -> bool:
        """Whether the page asks a node as soon as it is open."""
        return False

    def draw(self, typed: Mapping[str, Any]) -> None:
        """Show what is typed at this moment, without judging it: for a part of the page that is drawn again."""
        self.initial.update({name: typed.get(name, "") for name in self.fields if name not in self.secret_fields})

    def suggest(self) -> dict[str, Any]:
        """Give values for fields that were not filled in yet."""
        return {}

    def examine(self) -> None:
        """Check what one field alone cannot show; add errors where something is wrong."""

    def values(self) -> dict[str, Any]:
        """Give the cleaned values to keep in the draft."""
        return {name: self.cleaned_data[name] for name in self.paths if name not in self.secret_fields}

    def changes(self) -> dict[str, Any]:
        """Give the columns of the draft to write."""
        return {"data": {**self.draft.data, self.key: self.values()}}

    secret_fields: ClassVar[frozenset[str]] = frozenset()

    def clean(self) -> dict[str, Any]:
        """Check the fields together, unless another tab has saved this step since the page was opened."""
        if self.is_stale:
            self.compare()
        else:
            self.examine()
        return self.cleaned_data

    def save(self) -> bool:
        """Write the step; False when another tab came first, which the form then says.

        Raises:
            Draft.DoesNotExist: when the draft was discarded meanwhile.
        """
        if self.is_repeat:
            return True
        try:
            drafts.save(self.draft, self.marked_as(), **self.changes())
        except drafts.Stale:
            self.draft.refresh_from_db()
            self.saved = self.read_saved()
            self.compare()
            return self.is_repeat
        return True

    def marked_as(self) -> str:
        """Name the step whose pages are stale after this save; empty when nothing that they show changes."""
        return self.key

    def keep_what_is_right(self) -> None:
        """Keep what a refused form cannot show again; nothing as a rule."""

    @property
    def is_stale(self) -> bool:
        """Whether the page that was posted is older than what is saved of this step, or of the node it is about."""
        written = self.draft.written
        return self.seen_version < max(int(written.get(self.key, 1)), int(written.get("action", 1)))

    @property
    def seen_version(self) -> int:
        """The version that the posted page was made from; 0 when it does not say."""
        return read_version(self.data)

    def compare(self) -> None:
        """Set what was typed against what is saved. The same values sent twice are no conflict but a double click."""
        self.differences = list(self._differences())
        self.is_repeat = not self.differences and not self.errors_besides_conflict
        if not self.is_repeat:
            self.add_error(None, forms.ValidationError(CONFLICT, code="conflict"))

    @property
    def errors_besides_conflict(self) -> bool:
        """Whether something is wrong with the fields themselves."""
        return bool(self.errors)

    def _differences(self) -> Iterator[Difference]:
        for name in self.compared():
            saved = self.in_words(name, self.saved.get(name))
            typed = self.in_words(name, self.cleaned_data.get(name, self.data.get(name)))
            if saved != typed:
                yield Difference(str(self.fields[name].label), saved or "nothing", typed or "nothing")

    def compared(self) -> Sequence[str]:
        """Name the fields that two tabs may fill in differently."""
        return [name for name in self.paths if name not in self.secret_fields]

    def in_words(self, name: str, value: Any) -> str:
        """Give a value of a field as a person reads it."""
        field = self.fields[name]
        if hasattr(field, "label_of"):
            return str(field.label_of(value))
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return "yes" if value is True else str(value or "").replace("\r\n", "\n")

    @property
    def sections(self) -> list[Section]:
        """The fieldsets with their fields, in order, those without a field left out."""
        return [
            Section(fieldset, fields)
            for fieldset in self.fieldsets
            if (fields := [self[name] for name in fieldset.fields if name in self.fields]) or fieldset.after
        ]

    def problems(self) -> Iterator[tuple[str, str]]:
        """Give everything that is wrong as (id of the field, message), in the order of the page."""
        for message in self.non_field_errors():
            yield "", str(message)
        order = [name for fieldset in self.fieldsets for name in fieldset.fields]
        for name in [*order, *(name for name in self.errors if name not in order and name != "__all__")]:
            for message in self.errors.get(name, ()):
                yield f"id_{name}", str(message)

    @sensitive_variables()
    def check(self, name: str) -> tuple[list[str], list[str]]:
        """Check one field as it is left: what is wrong with it, and what is only worth knowing.

        Raises:
            KeyError: when there is no such field.
        """
        field = self.fields[name]
        value = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        if value in field.empty_values:
            return [], []  # an empty field is not wrong before Next
        try:
            cleaned = field.clean(value)
        except forms.ValidationError as error:
            return [str(message) for message in error.messages], []
        return [], [remark for item in _each(cleaned) for remark in self.remark(name, item)]

    def remark(self, name: str, value: Any) -> Sequence[str]:
        """Say what is worth knowing about a valid value."""
        advice = getattr(self.fields[name], "advice", None)
        return advice(value) if advice and value else ()


def read_version(posted: Mapping[str, Any]) -> int:
    """Give the version of the draft that the posted page was made from; 0 when it does not say."""
    text = str(posted.get("version", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
