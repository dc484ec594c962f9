"""Begin the run of a plan; nothing else happens here, so Start answers at once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from setup_wizard.access import audit
from setup_wizard.attempts import vault
from setup_wizard.clusters import timing
from setup_wizard.clusters.audit_actions import PlanAudit
from setup_wizard.clusters.document import PlanKind
from setup_wizard.clusters.engine.lease import now
from setup_wizard.clusters.models import Plan, Run, RunEvent
from setup_wizard.failpoints import Point, reach

Overrides = Mapping[str, Sequence[Mapping[str, str]]]


class PlanChanged(Exception):
    """The plan was changed after it was reviewed."""


def begin_run(  # noqa: PLR0913 - what is started, and what the operator accepted
    plan: Plan,
    *,
    version: int,
    secret_id: UUID,
    by: User,
    overrides: Overrides | None = None,
    accepted_permanent: bool = False,
    old_machines_off: bool = False,
) -> Run:
    """Begin the run of this version of the plan; a second call returns the same run.

    The credentials stored under `secret_id` are kept for the run. `overrides` has the accepted checks of each node.
    With `old_machines_off` the operator confirms `OLD_MACHINES_OFF`, which the nodes of a recovery need.

    Raises:
        PlanChanged: the plan has another version.
        SecretUnavailable: the credentials are gone and must be entered again.
    """
    moment = now()
    try:
        with transaction.atomic(durable=True):
            current = Plan.objects.select_for_update().get(pk=plan.pk)
            if found := Run.objects.filter(plan=current).first():
                return found
            if current.version != version:
                raise PlanChanged(str(plan.pk))
            if secret_id == plan.pk and current.credentials_by_id != by.pk:
                raise vault.SecretUnavailable("these are the credentials of somebody else")
            run = Run.objects.create(
                plan=current,
                started_by=by,
                created_at=moment,
                next_at=moment,
                lease_expires_at=moment,
                last_seq=1,
                accepted_permanent=accepted_permanent,
                old_machines_off=old_machines_off,
                known_problems=None if current.kind is PlanKind.EXTEND else [],
            )
            count = len(current.content.nodes)
            message = f"Started by {by.get_username()}: {count} node{'s' if count > 1 else ''}"
            RunEvent.objects.create(run=run, seq=1, kind="started", message=message, by=by)
            if secret_id != plan.pk:
                vault.move(secret_id, plan.pk, expires_at=moment + timing.RUNNING_CREDENTIALS_LIFE)
            else:
                vault.open_for(plan.pk)
                vault.keep_until(plan.pk, moment + timing.RUNNING_CREDENTIALS_LIFE)
            Plan.objects.filter(pk=plan.pk).update(overrides=overrides or {})
            audit.record(PlanAudit.START, by=by, target=current.as_target)
            reach(Point.RUN_START_COMMIT)
        reach(Point.RUN_START_COMMITTED)
    except IntegrityError:  # another Start of the same plan won
        return Run.objects.get(plan=plan)
    return run
