"""The form of a review."""

from typing import Any

from django import forms

from setup_wizard.history.reviews import MAX_LENGTH


class ReviewForm(forms.Form):
    """A note, a mark, or both: the arguments of `reviews.write`."""

    note = forms.CharField(
        label="Note", required=False, max_length=MAX_LENGTH, widget=forms.Textarea({"rows": 3, "spellcheck": "true"})
    )
    mark = forms.BooleanField(label="Mark as reviewed", required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse an empty form."""
        entered = self.cleaned_data
        if not self.errors and not entered.get("note") and not entered.get("mark"):
            self.add_error("note", "Write a note or mark the attempt as reviewed.")
        return entered
