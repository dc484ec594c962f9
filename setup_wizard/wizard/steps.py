"""The steps as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.bootstrap.actions import Action
from setup_wizard.wizard.forms import ActionForm, CreateForm, JoinForm, NodeForm, RecoverForm, StepForm
from setup_wizard.wizard.models import Draft

REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the setup: `name` is the last part of its URL."""

    name: str
    title: str
    form_class: type[StepForm]

    def is_complete(self, draft: Draft) -> bool:
        """Whether the draft has what this step asks for."""
        return self.form_class.is_complete(draft)

    def form(self, draft: Draft, by: User, data: Mapping[str, Any] | None = None) -> StepForm:
        """Give the step's form, bound when there is data."""
        return self.form_class(data, draft=draft, by=by)

    def url(self, draft: Draft, field: str = "") -> str:
        """Say where the step is, and the field on it."""
        anchor = f"#id_{field}" if field else ""
        return reverse("wizard:step", args=[draft.pk, self.name]) + anchor


ACTION = Step("action", "Action", ActionForm)
NODE = Step("node", "Node", NodeForm)
STEPS: Mapping[Action, tuple[Step, ...]] = {
    Action.CREATE: (ACTION, NODE, Step("cluster", "Cluster and credentials", CreateForm)),
    Action.JOIN: (ACTION, NODE, Step("cluster", "Cluster and credentials", JoinForm)),
    Action.RECOVER: (ACTION, NODE, Step("cluster", "Lost cluster and credentials", RecoverForm)),
}


def of(draft: Draft) -> tuple[Step, ...]:
    """Give the steps of this draft's action, in order."""
    return STEPS[draft.wanted]


def find(draft: Draft, name: str) -> Step | None:
    """Give the step with this name; None when there is none."""
    return next((step for step in of(draft) if step.name == name), None)


def first_unfinished(draft: Draft) -> Step | None:
    """Give the first step that lacks something; None when the draft can be reviewed."""
    return next((step for step in of(draft) if not step.is_complete(draft)), None)


def missing_before(draft: Draft, wanted: Step) -> Step | None:
    """Give the first unfinished step that comes before `wanted`; None when `wanted` may be opened."""
    for step in of(draft):
        if step == wanted:
            return None
        if not step.is_complete(draft):
            return step
    return None


def url_after(draft: Draft, step: Step) -> str:
    """Say where Next leads: the step that follows, the review after the last one."""
    following = of(draft)[of(draft).index(step) + 1 :] if step in of(draft) else ()
    return following[0].url(draft) if following else reverse("wizard:review", args=[draft.pk])


def url_before(draft: Draft, step: Step) -> str:
    """Say where Back leads: the step before, the start page before the first one."""
    at = of(draft).index(step)
    return of(draft)[at - 1].url(draft) if at else reverse("wizard:start")


def url_to_go_on(draft: Draft) -> str:
    """Say where the draft is gone on with."""
    unfinished = first_unfinished(draft)
    return unfinished.url(draft) if unfinished else reverse("wizard:review", args=[draft.pk])


def locate(draft: Draft, part: str) -> tuple[Step, str] | None:
    """Find the step and the field that hold a part of the request, such as "node.identity.rack_id".

    A part that has no field of its own leads to the nearest one around it; None when there is none.
    """
    if part == "address":
        return ACTION, "address"
    held = {
        path: (step, field) for step in of(draft) for field, path in step.form_class.paths_for(draft.wanted).items()
    }
    wanted = part
    while wanted:
        if found := held.get(wanted) or next((held[path] for path in held if path.startswith(f"{wanted}.")), None):
            return found
        wanted = wanted.rpartition(".")[0]
    return None


@dataclass(frozen=True, slots=True)
class Milestone:
    """One entry of the line of steps at the top of each page; without a URL it cannot be opened yet."""

    title: str
    url: str
    is_current: bool
    is_done: bool


def trail(draft: Draft, current: str) -> list[Milestone]:
    """List the steps and the review as the page with this name shows them."""
    done = {step.name: step.is_complete(draft) for step in of(draft)}
    line = [
        Milestone(
            step.title,
            "" if step.name == current or missing_before(draft, step) else step.url(draft),
            step.name == current,
            done[step.name],
        )
        for step in of(draft)
    ]
    open_now = all(done.values()) and current != REVIEW
    review = reverse("wizard:review", args=[draft.pk]) if open_now else ""
    return [*line, Milestone("Review", review, current == REVIEW, is_done=False)]
