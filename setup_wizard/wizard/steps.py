"""The steps of each action, and their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.bootstrap.actions import Action
from setup_wizard.wizard.forms import ActionForm, CreateForm, JoinForm, NodeForm, RecoverForm, StepForm
from setup_wizard.wizard.models import Draft

REVIEW = "review"
FROM_REVIEW = "?from=review"


@dataclass(frozen=True, slots=True)
class WizardStep:
    """One page of the setup: `name` is the last part of its URL."""

    name: str
    title: str
    form_class: type[StepForm]

    def is_complete(self, draft: Draft) -> bool:
        """Whether the draft has everything from this step."""
        return self.form_class.is_complete(draft)

    def form(
        self, draft: Draft, by: User, data: Mapping[str, Any] | None = None, files: Mapping[str, Any] | None = None
    ) -> StepForm:
        """Return the step's form, bound if there is data."""
        return self.form_class(data, files, draft=draft, by=by)

    def url(self, draft: Draft, field: str = "", *, from_review: bool = False) -> str:
        """Return the URL of the step, or of a field on it; `from_review` leads back there once it is saved."""
        query = FROM_REVIEW if from_review else ""
        anchor = f"#id_{field}" if field else ""
        return reverse("wizard:step", args=[draft.pk, self.name]) + query + anchor


ACTION = WizardStep("action", "Node and action", ActionForm)
NODE = WizardStep("node", "Storage and network", NodeForm)
STEPS: Mapping[Action, tuple[WizardStep, ...]] = {
    Action.CREATE: (ACTION, NODE, WizardStep("cluster", "Cluster and credentials", CreateForm)),
    Action.JOIN: (ACTION, NODE, WizardStep("cluster", "Cluster and credentials", JoinForm)),
    Action.RECOVER: (ACTION, NODE, WizardStep("cluster", "Lost cluster and credentials", RecoverForm)),
}


def for_draft(draft: Draft) -> tuple[WizardStep, ...]:
    """Return the steps of the draft's action, in order."""
    return STEPS[draft.chosen_action]


def find(draft: Draft, name: str) -> WizardStep | None:
    """Return the step with this name, or None."""
    return next((step for step in for_draft(draft) if step.name == name), None)


def first_incomplete(draft: Draft) -> WizardStep | None:
    """Return the first incomplete step; None when the draft can be reviewed."""
    return next((step for step in for_draft(draft) if not step.is_complete(draft)), None)


def first_incomplete_before(draft: Draft, target: WizardStep) -> WizardStep | None:
    """Return the first incomplete step before `target`; None when `target` may be opened."""
    for step in for_draft(draft):
        if step == target:
            return None
        if not step.is_complete(draft):
            return step
    return None


def next_url(draft: Draft, step: WizardStep, *, from_review: bool = False) -> str:
    """Return where Next leads: the next step, or the review after the last one and when nothing is missing there."""
    if from_review:
        missing = first_incomplete(draft)
        return missing.url(draft, from_review=True) if missing else review_url(draft)
    steps = for_draft(draft)
    following = steps[steps.index(step) + 1 :] if step in steps else ()
    return following[0].url(draft) if following else review_url(draft)


def previous_url(draft: Draft, step: WizardStep) -> str:
    """Return where Back leads: the previous step, or the home page before the first."""
    index = for_draft(draft).index(step)
    return for_draft(draft)[index - 1].url(draft) if index else reverse("wizard:home")


def resume_url(draft: Draft) -> str:
    """Return where the draft continues."""
    incomplete = first_incomplete(draft)
    return incomplete.url(draft) if incomplete else review_url(draft)


def url_of(draft: Draft, part: str) -> str:
    """Return the URL of the field for this part; if an earlier step is incomplete, where the draft continues."""
    found = find_field(draft, part)
    if found and not first_incomplete_before(draft, found[0]):
        return found[0].url(draft, found[1])
    return resume_url(draft)


def find_field(draft: Draft, part: str) -> tuple[WizardStep, str] | None:
    """Find the step and the field for a part of the request, which its path names, such as "node.identity.rack_id".

    A part without a field of its own leads to the first field inside it, or else inside the nearest object around it;
    None when there is none.
    """
    if part == "address":
        return ACTION, "address"
    fields = {
        path: (step, field)
        for step in for_draft(draft)
        for field, path in step.form_class.paths_for(draft.chosen_action).items()
    }
    while part:
        if found := fields.get(part) or next((fields[path] for path in fields if path.startswith(f"{part}.")), None):
            return found
        part = part.rpartition(".")[0]
    return None


@dataclass(frozen=True, slots=True)
class ProgressItem:
    """One entry of the progress line at the top of each page; without a URL it cannot be opened yet."""

    title: str
    url: str
    is_current: bool
    is_done: bool


def progress(draft: Draft, current: str) -> list[ProgressItem]:
    """List the steps and the review, as the page with this name shows them."""
    done = {step.name: step.is_complete(draft) for step in for_draft(draft)}
    items = [
        ProgressItem(
            step.title,
            "" if step.name == current or first_incomplete_before(draft, step) else step.url(draft),
            step.name == current,
            done[step.name],
        )
        for step in for_draft(draft)
    ]
    review = review_url(draft) if all(done.values()) and current != REVIEW else ""
    return [*items, ProgressItem("Review", review, current == REVIEW, is_done=False)]


def review_url(draft: Draft) -> str:
    """Return where all answers are reviewed."""
    return reverse("wizard:review", args=[draft.pk])
