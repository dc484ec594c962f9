"""Form fields that apply the rules of `bootstrap/`, and say how a page renders them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request.fields import unique_entries
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.bootstrap.secret import Secret

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


class MultilineField(TextField):
    """Several lines that are one value, such as a license."""

    kind = "multiline"


class PasswordField(TextField):
    """A password: spaces count, and it is never rendered with its value."""

    kind = "password"
    is_code = False

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, widget=forms.PasswordInput, **options)

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


class CheckboxField(forms.BooleanField):
    """A checkbox. Whether it is required depends on the node, so the forms decide that."""

    kind = "checkbox"
    origin = ""
    filled_in = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)


class HiddenField(forms.CharField):
    """A value that the page carries unseen."""

    kind = "hidden"
    origin = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.HiddenInput, **options)
