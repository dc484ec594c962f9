"""Form fields that ask the rules of `bootstrap/`, and know how a page shows them."""

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
Advice = Callable[[str], Sequence[str]]


def no_advice(_: str) -> Sequence[str]:
    """Have nothing to say about a valid value."""
    return ()


class TextField(forms.CharField):
    """One line of text under one rule.

    `rule` gives the cleaned value or raises RuleError; `advice` gives remarks on a valid value, which never block;
    `origin` says where a suggested value comes from; `depends` that another answer decides whether it is needed;
    `asks` that a new value sends the page to ask the node behind it;
    `kind` tells the template how to draw it.
    """

    kind = "text"
    is_code = True

    def __init__(
        self,
        *,
        rule: Rule,
        advice: Advice = no_advice,
        missing: str = "",
        asks: bool = False,
        depends: bool = False,
        **options: Any,
    ) -> None:
        self.rule, self.advice, self.asks, self.origin = rule, advice, asks, ""
        self.depends = depends
        options.setdefault("error_messages", {"required": missing or "This is needed."})
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """Give the value as its rule cleans it; an empty optional one as "".

        Raises:
            ValidationError: with the rule's own message.
        """
        text = super().clean(value)
        return self._ruled(text) if text else ""

    def _ruled(self, text: str) -> object:
        try:
            return self.rule(text)
        except RuleError as error:
            raise forms.ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as a person would: nothing and an empty text are the same."""
        return str(initial or "") != str(data or "")


class BlockField(TextField):
    """Several lines that are one value, such as a license."""

    kind = "block"


class PasswordField(TextField):
    """A password: blanks count, and it is never drawn with its value. Reference: docs/failure-modes.md, S11."""

    kind = "password"
    is_code = False

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, widget=forms.PasswordInput, **options)

    @sensitive_variables()
    def clean(self, value: Any) -> Secret:
        """Give the password so that nothing shows it by accident; an empty one is false.

        Raises:
            ValidationError: with the rule's own message.
        """
        return Secret(str(super().clean(value)))


class LinesField(TextField):
    """Several values, one on each line or with commas between, each under the rule; clean gives a list."""

    kind = "lines"

    def clean(self, value: Any) -> Any:
        """Give the values in their order, each once.

        Raises:
            ValidationError: naming each line that breaks the rule.
        """
        text = forms.CharField.clean(self, value)
        found: list[str] = []
        messages: list[str] = []
        for line in re.split(r"[\s,;]+", text.strip()):
            try:
                found += [str(self._ruled(line))] if line else []
            except forms.ValidationError as error:
                messages += error.messages
        if messages:
            raise forms.ValidationError(messages)
        return list(unique_entries(found))

    def prepare_value(self, value: Any) -> Any:
        """Draw a list with one value on each line."""
        return "\n".join(value) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a `PickField`: what is sent, what is read, and a remark beside it."""

    value: str
    label: str
    remark: str = ""
    is_code: bool = False


class PickField(forms.ChoiceField):
    """One of a few options, drawn as radio buttons with remarks."""

    kind = "pick"
    is_code = False
    origin = ""

    def __init__(self, options: Sequence[Option] = (), *, missing: str, asks: bool = False, **rest: Any) -> None:
        self.asks = asks
        messages = {"required": missing, "invalid_choice": missing}
        super().__init__(widget=forms.RadioSelect, error_messages=messages, **rest)
        self.offer(options)

    def offer(self, options: Sequence[Option]) -> None:
        """Take these options in place of the earlier ones."""
        self.options = list(options)
        self.choices = [(option.value, option.label) for option in options]

    def label_of(self, value: object) -> str:
        """Give what a person reads for a value; the value itself when it is not on offer."""
        return next((option.label for option in self.options if option.value == value), str(value or ""))


class TickField(forms.BooleanField):
    """A tick. Whether it is needed depends on what the node said, so the forms decide that."""

    kind = "tick"
    origin = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)


class QuietField(forms.CharField):
    """A value that the page carries and nobody sees."""

    kind = "quiet"
    origin = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.HiddenInput, **options)
