"""What a reviewer enters about an attempt."""

from typing import Any

from django import forms

from setup_wizard.history.reviews import LONGEST


class ReviewForm(forms.Form):
    """A reviewer's note, a mark, or both; its two fields are what `reviews.write` takes."""

    note = forms.CharField(
        label="Note", required=False, max_length=LONGEST, widget=forms.Textarea({"rows": 3, "spellcheck": "true"})
    )
    mark = forms.BooleanField(label="Mark as reviewed", required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse a form that says nothing."""
        said = self.cleaned_data
        if not self.errors and not said.get("note") and not said.get("mark"):
            self.add_error("note", "Write a note, or mark the attempt as reviewed")
        return said
