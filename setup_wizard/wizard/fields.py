"""Form fields that apply the rules of `bootstrap/`, and say how a page renders them.

Most fields keep their value in the draft as the request has it; the others translate it in `to_request` and
`from_request`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request.fields import read_number, unique_entries
from setup_wizard.bootstrap.request.suffixes import read_suffix, write_suffix
from setup_wizard.bootstrap.rules import RuleError, check_pem
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.live.fields import TextOrFile

Rule = Callable[[str], object]
Warn = Callable[[str], Sequence[str]]


def no_warnings(_: str) -> Sequence[str]:
    """Return no warnings."""
    return ()


class TextField(forms.CharField):
    """One line of text under one rule.

    `rule` returns the cleaned value or raises RuleError; `warn` returns warnings about a valid value;
    `missing` is the error for an empty required value; `probes` says that a new value probes a node;
    `conditional` that another answer decides whether a value is needed; `origin` where a suggested value comes from;
    `filled_in` marks what a remedy changed; `kind` tells the template how to render it.
    """

    kind = "text"
    is_code = True
    filled_in = ""

    def __init__(
        self,
        *,
        rule: Rule,
        warn: Warn = no_warnings,
        missing: str = "",
        probes: bool = False,
        conditional: bool = False,
        **options: Any,
    ) -> None:
        self.rule, self.warn, self.probes, self.origin = rule, warn, probes, ""
        self.conditional = conditional
        options.setdefault("error_messages", {"required": missing or "Enter a value."})
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """Return the value as its rule cleans it; "" for an empty optional one.

        Raises:
            ValidationError: with the rule's message.
        """
        text = super().clean(value)
        return self._apply_rule(text) if text else ""

    def _apply_rule(self, text: str) -> object:
        try:
            return self.rule(text)
        except RuleError as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Treat None and "" as equal."""
        return str(initial or "") != str(data or "")


class NumberField(TextField):
    """A whole number, within the range that the request has for this kind, such as `HighPort`."""

    kind = "number"

    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__(rule=partial(read_number, kind), required=False, **options)


class MultilineField(TextField):
    """Several lines that are one value, such as a license, as text or as a file."""

    kind = "multiline"

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=TextOrFile, **options)


class PemField(MultilineField):
    """A certificate or key in PEM, as text or as a file; it is never rendered with its value."""

    kind = "pem"

    def __init__(self, block: str, **options: Any) -> None:
        super().__init__(rule=partial(check_pem, kind=block), required=False, conditional=True, **options)

    @sensitive_variables()
    def clean(self, value: Any) -> Secret:
        """Return it as a Secret, which nothing shows by accident; an empty one is false.

        Raises:
            ValidationError: with the rule's message.
        """
        return Secret(str(super().clean(value)))


class PasswordField(TextField):
    """A password: spaces count, and it is never rendered with its value.

    `autocomplete` tells password managers whether it is a new one.
    """

    kind = "password"
    is_code = False

    def __init__(self, *, autocomplete: str = "current-password", **options: Any) -> None:
        self.autocomplete = autocomplete
        super().__init__(strip=False, widget=forms.PasswordInput, required=False, **options)

    @sensitive_variables()
    def clean(self, value: Any) -> Secret:
        """Return the password as a Secret, which nothing shows by accident; an empty one is false.

        Raises:
            ValidationError: with the rule's message.
        """
        return Secret(str(super().clean(value)))


class ListField(TextField):
    """Several values, one per line or separated by commas, each under the rule; `clean` returns a list."""

    kind = "list"

    def clean(self, value: Any) -> Any:
        """Return the values in order, each once.

        Raises:
            ValidationError: with a message for each value that breaks the rule.
        """
        text = forms.CharField.clean(self, value)
        found: list[str] = []
        messages: list[str] = []
        for line in re.split(r"[\s,;]+", text.strip()):
            try:
                found += [str(self._apply_rule(line))] if line else []
            except forms.ValidationError as error:
                messages += error.messages
        if messages:
            raise forms.ValidationError(messages)
        return list(unique_entries(found))

    def prepare_value(self, value: Any) -> Any:
        """Render a list with one value per line."""
        return "\n".join(value) if isinstance(value, list | tuple) else value


class SuffixesField(TextField):
    """DNS suffixes, one per line with its options; `clean` returns them as the request has them."""

    kind = "list"

    def __init__(self, **options: Any) -> None:
        super().__init__(rule=read_suffix, required=False, **options)

    def clean(self, value: Any) -> Any:
        """Return the suffixes in order.

        Raises:
            ValidationError: with a message for each line that breaks the rule.
        """
        found: list[object] = []
        messages: list[str] = []
        for number, line in enumerate(str(value or "").splitlines(), 1):
            try:
                found += [self._apply_rule(line)] if line.strip() else []
            except forms.ValidationError as error:
                messages += [f"Line {number}: {message}" for message in error.messages]
        if messages:
            raise forms.ValidationError(messages)
        return found

    def prepare_value(self, value: Any) -> Any:
        """Render one suffix per line."""
        return "\n".join(map(write_suffix, value)) if isinstance(value, list) else value

    def label_for(self, value: Any) -> str:
        """Return the suffixes as a person reads them."""
        return str(self.prepare_value(value) or "").replace("\n", ", ")


@dataclass(frozen=True, slots=True)
class RadioOption:
    """One option of a `RadioField`: its value, its label, and a remark beside it."""

    value: str
    label: str
    remark: str = ""
    is_code: bool = False


class RadioField(forms.ChoiceField):
    """One of a few options, as radio buttons with remarks."""

    kind = "radio"
    is_code = False
    origin = ""
    filled_in = ""

    def __init__(self, options: Sequence[RadioOption] = (), *, missing: str, probes: bool = False, **rest: Any) -> None:
        self.probes = probes
        messages = {"required": missing, "invalid_choice": missing}
        super().__init__(widget=forms.RadioSelect, error_messages=messages, **rest)
        self.set_options(options)

    def set_options(self, options: Sequence[RadioOption]) -> None:
        """Replace the options."""
        self.options = list(options)
        self.choices = [(option.value, option.label) for option in options]

    def label_for(self, value: object) -> str:
        """Return the label of a value; the value itself when it is no option."""
        return next((option.label for option in self.options if option.value == value), str(value or ""))


class SelectField(forms.ChoiceField):
    """One of a few options in a list; the first one leaves the choice to the node.

    `is_flag` says that the request has true or false for it. A value that is no option, from an import, becomes one.
    """

    kind = "select"
    is_code = False
    origin = ""
    filled_in = ""

    def __init__(self, options: Mapping[str, str], *, is_flag: bool = False, **rest: Any) -> None:
        self.is_flag = is_flag
        super().__init__(required=False, **rest)
        self._set_options({"": "Default", **options})

    def __deepcopy__(self, memo: dict[int, Any]) -> "SelectField":
        copied: SelectField = super().__deepcopy__(memo)
        copied.options = dict(self.options)
        return copied

    def allow(self, value: object) -> None:
        """Offer this value too."""
        if value and str(value) not in self.options:
            self._set_options({**self.options, str(value): str(value)})

    def label_for(self, value: object) -> str:
        """Return the label of a value; the value itself when it is no option."""
        return self.options.get(str(value), str(value)) if value else ""

    def _set_options(self, options: Mapping[str, str]) -> None:
        self.options = dict(options)
        self.choices = list(options.items())

    def to_request(self, value: Any) -> Any:
        """Return what the request has for a chosen option."""
        return {"true": True, "false": False}.get(value) if self.is_flag else value

    def from_request(self, value: Any) -> Any:
        """Return the option for what the request has."""
        return str(value).lower() if self.is_flag else value


class CheckboxField(forms.BooleanField):
    """A checkbox. Whether it is required depends on the node, so the forms decide that.

    `sends` is what a tick means in the request: False for "Takes no shards". Without a tick nothing is sent, and the
    opposite, which only an import has, is left as it is.
    """

    kind = "checkbox"
    origin = ""
    filled_in = ""

    def __init__(self, *, sends: bool = True, **options: Any) -> None:
        self.sends = sends
        super().__init__(required=False, **options)

    def to_request(self, value: Any) -> bool | None:
        """Return what the request has for a tick."""
        return self.sends if value is True else None

    def from_request(self, value: Any) -> bool | None:
        """Return a tick, or None for a value that no tick stands for."""
        return True if value is self.sends else None


class HiddenField(forms.CharField):
    """A value that the page carries unseen."""

    kind = "hidden"
    origin = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.HiddenInput, **options)
