"""The last, optional step of a run: turn rack awareness on, where the software did not heed the bootstrap.

From 8.0 on, `policy` in a bootstrap is deprecated. Rack awareness can never be turned off again, so this step has a
consent of its own. The credentials of the run are deleted at its end: they are entered again, and kept nowhere.
"""

from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.attempts.explanations import RACK_AWARENESS
from setup_wizard.attempts.models import Event
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.clusters import inventory
from setup_wizard.clusters.audit_actions import PlanAudit
from setup_wizard.clusters.cluster_check import NotAnswered, turn_rack_aware
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.engine.choices import TRIES, ChoiceRefused
from setup_wizard.clusters.engine.lease import NewRunEvent, RunLeaseLost, write
from setup_wizard.clusters.models import Run
from setup_wizard.clusters.progress import RunProgress
from setup_wizard.clusters.setups import members_of

CONSENT: Final = "Turn rack awareness on. It can never be turned off again."
_REQUESTED, _DONE, _FAILED = "rack_awareness_requested", "rack_awareness_on", "rack_awareness_failed"


def offers_rack_awareness(progress: RunProgress) -> bool:
    """Whether rack awareness was asked for, the cluster did not confirm it, and it was not turned on since."""
    if progress.run.status is not RunState.SUCCEEDED:
        return False
    looked = Event.objects.filter(attempt__in=[attempt.pk for attempt in progress.done], kind=RACK_AWARENESS)
    found = looked.order_by("at").last()
    is_missing = found is not None and found.data.get("rack_aware") is not True
    return is_missing and not progress.run.events.filter(kind=_DONE).exists()


@sensitive_variables()
def turn_on_rack_awareness(run_id: UUID, credentials: Credentials, *, by: User) -> Run:
    """Turn rack awareness on at the cluster of the run, and read it back; `by` has consented to `CONSENT`.

    The consent is written first, the result after it. Doing it again changes nothing at the cluster.

    Raises:
        ChoiceRefused: `not_offered`; `not_done` with the reason; or `busy`.
    """
    progress = RunProgress(_read(run_id))
    if not offers_rack_awareness(progress):
        raise ChoiceRefused("not_offered", "There is no rack awareness to turn on here.")
    _note(run_id, NewRunEvent(_REQUESTED, f"Turn on rack awareness: {by.get_username()}"), by=by)
    found = turn_rack_aware(members_of(progress.content, progress.done), credentials)
    problem = ""
    if isinstance(found, NotAnswered):
        problem = f"Rack awareness was not turned on. {found.message}"
    elif found is not True:
        problem = "The cluster accepted the change, but does not report that it is rack-aware."
    if problem:
        _note(run_id, NewRunEvent(_FAILED, problem))
        raise ChoiceRefused("not_done", problem)
    inventory.note_rack_awareness(progress.done)
    return _note(run_id, NewRunEvent(_DONE, "The cluster reports that it is rack-aware"))


def _read(run_id: UUID) -> Run:
    return Run.objects.select_related("plan", "started_by", "continued_by").get(pk=run_id)


def _note(run_id: UUID, event: NewRunEvent, *, by: User | None = None) -> Run:
    """Write an event of a run that has ended; one `by` somebody is audited, too."""
    for _ in range(TRIES):
        run = _read(run_id)
        try:
            with transaction.atomic():
                write(run, event, by=by)
                if by:
                    audit.record(PlanAudit.RACK_AWARENESS, by=by, target=run.plan.as_target)
        except RunLeaseLost:  # another operator did the same
            continue
        return run
    raise ChoiceRefused("busy", "The run is changing right now. Try again.")
