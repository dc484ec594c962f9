"""Who may change an attempt now, and how results are written.

Each claim increases the fencing token, and every later write checks it. A worker that was paused or replaced has an old
token and changes nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from random import uniform
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from setup_wizard.access import audit
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.attempts import locks, pubsub, search_text, sign_ins, timing, vault
from setup_wizard.attempts.choices import Choice, offered
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.models import MOVING_STATES, Attempt, ClusterLock, Event, ReducerState
from setup_wizard.attempts.observations import Forbidden, NewEvent, Observation, TickFailed
from setup_wizard.attempts.reducer import (
    Decision,
    Retention,
    Snapshot,
    decide,
    intend,
    retention,
    was_sign_in_refused,
    with_deadline,
)
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import Origin, TrustedCertificate

logger = logging.getLogger(__name__)

JITTER = 0.2
VERSION = ("state", "lease_token", "lease_held", "last_seq")  # every write changes at least one of these


_FIELDS = tuple(field.name for field in fields(Snapshot))
_REDUCER_FIELDS = {field.name for field in ReducerState._meta.local_concrete_fields if not field.primary_key}


attempt_listeners: Final[list[Callable[[UUID], None]]] = []
"""Called with the id of each attempt that has ended, has begun to wait for the operator, or was resumed.

A call is lost when the process is killed right after the commit.
"""


class LeaseLost(Exception):
    """Another process changed the attempt since it was read."""


@dataclass(slots=True)
class Lease:
    """The right to change one attempt until it expires; `snapshot` includes what this holder has written."""

    attempt: Attempt
    snapshot: Snapshot
    token: int


def snapshot_of(attempt: Attempt) -> Snapshot:
    """Read a snapshot from the attempt's two rows."""
    known = {name: getattr(_row_with(attempt, name), name) for name in _FIELDS}
    known.update(state=State(attempt.state), action=Action(attempt.action), reason=Reason(attempt.reason))
    return Snapshot(**known)


def _row_with(attempt: Attempt, name: str) -> Attempt | ReducerState:
    return attempt.reducer_state if name in _REDUCER_FIELDS else attempt


def endpoint_of(attempt: Attempt) -> Endpoint:
    """The endpoint of the attempt's node at Start."""
    found = Address.parse(attempt.address)
    return Endpoint(Address(attempt.host, found.port), found.host, found.port)


def claim(attempt_id: UUID) -> Lease | None:
    """Claim the attempt if it is due and free; None otherwise, at the cost of one query."""
    now = clock.now()
    free = clock.is_due(now) & clock.is_free(now)
    due = Attempt.objects.select_related("reducer_state").filter(free, pk=attempt_id, state__in=MOVING_STATES)
    attempt = due.first()
    if attempt is None:
        return None
    snapshot = snapshot_of(attempt)
    left_behind = attempt.lease_held
    reach(Point.CLAIM_COMMIT)
    resumed = NewEvent("resumed", "Resumed after a worker stopped")
    try:
        write(
            attempt,
            snapshot,
            (resumed,) if left_behind else (),
            lease_token=attempt.lease_token + 1,
            lease_expires_at=now + timing.LEASE,
            lease_held=True,
            enqueued_at=None,
        )
    except LeaseLost:
        return None
    reach(Point.CLAIM_COMMITTED)
    return Lease(attempt, snapshot, attempt.lease_token)


def check_held(lease: Lease) -> None:
    """Make sure, until the transaction ends, that nobody has changed the attempt since it was claimed.

    Raises:
        LeaseLost: another process has.
    """
    row = Attempt.objects.select_for_update().filter(pk=lease.attempt.pk, lease_token=lease.attempt.lease_token)
    if row.values_list("state", flat=True).first() != lease.snapshot.state:
        raise LeaseLost(str(lease.attempt.pk))


def commit_intent(lease: Lease, baseline: BootstrapStatus) -> None:
    """Commit durably that the POST is about to be sent, with the baseline, and renew the lease.

    Raises:
        LeaseLost: the attempt was cancelled or claimed by another worker; do not send.
    """
    now = clock.now()
    intended = intend(lease.snapshot, baseline, now)
    with transaction.atomic(durable=True):
        write(lease.attempt, intended.snapshot, intended.events, lease_expires_at=now + timing.LEASE, **_mark())
        reach(Point.INTENT_COMMIT)
    lease.snapshot = intended.snapshot
    reach(Point.INTENT_COMMITTED)


def record(lease: Lease, seen: Observation) -> Attempt:
    """Write the result of an exchange, plan the next tick, and release the lease.

    Raises:
        LeaseLost: another process changed the attempt meanwhile; nothing was written.
    """
    now = clock.now()
    last = lease.attempt.reducer_state
    passed = clock.Mark.now().since(clock.Mark(last.marked_by, last.mark))
    with transaction.atomic():
        save_decision(lease.attempt, lease.snapshot, decide(lease.snapshot, seen, now, passed), now)
        if isinstance(seen, Forbidden):
            _audit_refused_address(lease.attempt)
        reach(Point.RECORD_COMMIT)
    reach(Point.RECORD_COMMITTED)
    return lease.attempt


def save_failure(lease: Lease, problem: Exception) -> None:
    """Record that the tick failed by a bug of ours.

    Only the name of the exception is written: its message could contain a secret.

    Raises:
        LeaseLost: another process changed the attempt meanwhile, or the tick was recorded before it failed.
    """
    attempt = Attempt.objects.get(pk=lease.attempt.pk)
    if attempt.lease_token != lease.token or not attempt.lease_held:
        raise LeaseLost(str(attempt.pk))
    snapshot, now = snapshot_of(attempt), clock.now()
    save_decision(attempt, snapshot, decide(snapshot, TickFailed(type(problem).__name__), now), now)


def save_decision(
    attempt: Attempt, before: Snapshot, decision: Decision, now: datetime, *, by: User | None = None, **more: object
) -> None:
    """Write a decision and all its effects: trusted certificates, locks, stored credentials, the next tick.

    Raises:
        LeaseLost: the attempt was changed since it was read.
    """
    after = decision.snapshot
    if after.started_at and after.deadline_at is None:
        after = with_deadline(after, after.started_at, timedelta(seconds=settings.SETUP_WIZARD_DEADLINE_SECONDS))
    if after.name_from_member != before.name_from_member:
        more |= {"cluster_keys": locks.with_name(attempt.cluster_keys, after.name_from_member)}
    wait = timedelta(seconds=decision.wait * uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - spreads load, guards nothing
    with transaction.atomic():
        write(
            attempt,
            after,
            decision.events,
            by=by,
            next_tick_at=now + wait,
            lease_expires_at=now,
            lease_held=False,
            enqueued_at=None,
            **_mark(),
            **more,
        )
        _trust_new_certificate(attempt, before, decision.events)
        if (refused := was_sign_in_refused(before, after)) is not None:
            sign_ins.save_bootstrap_outcome(attempt.pk, refused=refused)
        elif not after.state.is_moving:
            sign_ins.count_bootstrap_as_lost(attempt.pk, is_over=after.state.is_final)
        _update_secrets_and_locks(attempt, after, now)
        if after.state is not before.state and not (after.state.is_moving and before.state.is_moving):
            for listener in attempt_listeners:
                transaction.on_commit(partial(listener, attempt.pk), robust=True)


def _mark() -> dict[str, Any]:
    mark = clock.Mark.now()
    return {"marked_by": mark.machine, "mark": mark.seconds}


def write(
    attempt: Attempt, snapshot: Snapshot, events: Sequence[NewEvent], *, by: User | None = None, **more: object
) -> None:
    """Write `snapshot` by compare-and-set and add the events, in one transaction, and update `attempt`.

    Raises:
        LeaseLost: the row was written since `attempt` was read.
    """
    seq = attempt.last_seq
    known = {name: getattr(snapshot, name) for name in _FIELDS}
    # most columns do not change, and writing all of them was the most expensive part of a tick
    changes = {name: value for name, value in known.items() if getattr(_row_with(attempt, name), name) != value}
    # these are always written: the supervisor also sets `enqueued_at`, and a stale value would cost 5 s
    changes |= {"last_seq": seq + len(events)} | more
    if _offer(snapshot) != (attempt.why, attempt.choices):
        changes["offered_seq"] = seq + min(1, len(events))
    if snapshot.ended_at and attempt.ended_at is None:
        changes["duration"] = (snapshot.ended_at - attempt.created_at).total_seconds()
    if written := search_text.changed_text(attempt, changes):
        changes["search_text"] = written
    reducer_changes = {name: changes.pop(name) for name in list(changes) if name in _REDUCER_FIELDS}
    with transaction.atomic():
        as_read = {name: getattr(attempt, name) for name in VERSION}
        if not Attempt.objects.filter(pk=attempt.pk, **as_read).update(**changes):
            raise LeaseLost(str(attempt.pk))
        if reducer_changes:
            ReducerState.objects.filter(pk=attempt.pk).update(**reducer_changes)
        Event.objects.bulk_create(
            Event(
                attempt=attempt,
                seq=attempt.last_seq + offset,
                kind=event.kind,
                message=event.message[:1024],
                data=dict(event.data),
                by=by,
            )
            for offset, event in enumerate(events, start=1)
        )
        if events:
            pubsub.notify(attempt.pk)
    for name, value in (changes | reducer_changes).items():
        setattr(_row_with(attempt, name), name, value)
    for offset, event in enumerate(events, start=1):
        logged = {"attempt": str(attempt.pk), "node": attempt.address, "kind": event.kind, "seq": seq + offset}
        transaction.on_commit(partial(logger.info, event.message, extra={"fields": logged}))


def _offer(snapshot: Snapshot) -> tuple[Reason, tuple[Choice, ...]]:
    return snapshot.reason, offered(snapshot.state, snapshot.reason, may_have_sent=snapshot.submits > 0)


def _update_secrets_and_locks(attempt: Attempt, after: Snapshot, now: datetime) -> None:
    """Release locks at the end, and delete or shorten the life of the credentials.

    Credentials that may have been sent are kept to search answers for them, but not after a success.
    """
    if after.state.is_final:
        ClusterLock.objects.filter(attempt=attempt).delete()
    match retention(after):
        case Retention.KEPT_A_DAY:
            vault.keep_until(attempt.pk, now + timing.WAITING_SECRET_LIFE)
        case Retention.KEPT_FOR_RETRY if _entered_by_starter(attempt):
            if after.started_at:
                vault.note_used(attempt.pk, attempt.address, sent_at=after.last_asked_at or now)
            vault.keep_until(attempt.pk, now + timing.RETRY_SECRET_LIFE)
        case Retention.DELETED | Retention.KEPT_FOR_RETRY if after.started_at is None or after.state is State.SUCCEEDED:
            vault.discard(attempt.pk)
        case Retention.DELETED | Retention.KEPT_FOR_RETRY:
            vault.retire(attempt.pk, attempt.address, sent_at=after.last_asked_at or now)
    if after.state is State.SUCCEEDED:
        vault.discard_used(attempt.address)


def _entered_by_starter(attempt: Attempt) -> bool:
    """Tell whether the credentials are those of the person who started it: nobody else gets them back."""
    entered = attempt.events.filter(kind="credentials").order_by("-seq").values_list("by_id", flat=True)
    return entered.first() in {None, attempt.requested_by_id}


def _audit_refused_address(attempt: Attempt) -> None:
    audit.record(
        NodeAudit.ADDRESS_REFUSED, by=attempt.requested_by, target=attempt.as_target, outcome=AuditOutcome.REFUSED
    )


def _trust_new_certificate(attempt: Attempt, before: Snapshot, events: Sequence[NewEvent]) -> None:
    """Save the certificate that the node got during its bootstrap as approved."""
    event = next((event for event in events if event.kind == "certificate_replaced"), None)
    if event is None:
        return
    joined = before.action is Action.JOIN
    known = _certificate(event.data)
    if known is not None:
        trust.approve(
            endpoint_of(attempt),
            known,
            by=attempt.requested_by,
            origin=Origin.CLUSTER if joined else Origin.BOOTSTRAP,
            cluster=attempt.cluster_name,
        )


def _certificate(data: Mapping[str, object]) -> Certificate | None:
    """Give the details of the new certificate, from the event or from the approved member."""
    if isinstance(document := data.get("certificate"), dict):
        return Certificate.from_json(document)
    row = TrustedCertificate.objects.filter(fingerprint=str(data.get("new", ""))).first()
    return Certificate.from_json(row.details) if row else None
