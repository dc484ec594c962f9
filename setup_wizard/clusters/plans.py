"""The only writer of plans that are not started: every change is a compare-and-set on the version."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.clusters.document import PlanDocument
from setup_wizard.clusters.models import Plan


class PlanStale(Exception):
    """The plan was changed or started after it was read."""


def add(document: PlanDocument, *, by: User) -> Plan:
    """Save a new plan."""
    return Plan.objects.create(created_by=by, changed_by=by, document=document.as_json())


def save(plan: Plan, document: PlanDocument, *, version: int, by: User, **changes: Any) -> None:
    """Replace the document of this version of the plan, and refresh `plan`.

    Raises:
        PlanStale: the plan has another version by now, or was started; nothing is changed.
    """
    row = Plan.objects.filter(pk=plan.pk, version=version, run=None)
    changed = row.update(
        version=F("version") + 1, updated_at=timezone.now(), changed_by=by, document=document.as_json(), **changes
    )
    if not changed:
        raise PlanStale
    plan.refresh_from_db()


def discard(plan: Plan) -> None:
    """Delete a plan that was not started, with its credentials."""
    if Plan.objects.filter(pk=plan.pk, run=None).delete()[0]:
        vault.discard(plan.pk)


@sensitive_variables()
def store_credentials(plan: Plan, credentials: Credentials, *, by: User) -> None:
    """Seal the credentials for 15 minutes. Only `by` can use them: who takes the plan over enters them again."""
    with transaction.atomic():
        vault.seal(plan.pk, credentials, expires_at=timezone.now() + DRAFT_SECRET_LIFE)
        Plan.objects.filter(pk=plan.pk).update(credentials_by=by)
    plan.credentials_by = by


@sensitive_variables()
def open_credentials(plan: Plan, *, by: User) -> Credentials:
    """Give the credentials that `by` entered.

    Raises:
        SecretUnavailable: there are none, they have expired, or somebody else entered them.
    """
    if plan.credentials_by_id != by.pk:
        raise vault.SecretUnavailable("these are the credentials of somebody else")
    return vault.open_for(plan.pk)
