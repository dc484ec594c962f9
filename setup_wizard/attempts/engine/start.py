"""An operator's Start becomes a row that is due now; nothing else happens here, so Start answers at once."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from setup_wizard.access import audit, throttle
from setup_wizard.attempts import locks, preflight, timing, vault
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.cluster_members import cluster_members
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.models import OPEN_STATES, Attempt, Event, ReducerState
from setup_wizard.bootstrap.actions import Action
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes.address import DEFAULT_PORT, Address

logger = logging.getLogger(__name__)

# A queued attempt may wait long for its cluster. Its verdict, or a day of rest, forgets the secret much earlier.
SECRET_LIFE = timedelta(days=7)


class NodeBusy(Exception):
    """An attempt for this node is open already; `attempt` is that one."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.address)
        self.attempt = attempt


class PreflightFailed(Exception):
    """A check forbids Start; `checks` holds all of them."""

    def __init__(self, checks: list[preflight.Check]) -> None:
        super().__init__(", ".join(check.name for check in checks if check.blocks))
        self.checks = checks


def admit(by: User) -> None:
    """Count one more Start of `by`, before anything is asked or checked for it.

    Raises:
        TooManyRequests: it was one too many within the minute.
    """
    throttle.count("starts", by, limit=settings.SETUP_WIZARD_STARTS_PER_MINUTE)


def begin(
    plan: preflight.Plan, *, owner: UUID, by: User, together_with: Callable[[UUID], None] | None = None
) -> Attempt:
    """Commit an attempt that is due now, with `owner`'s sealed credentials handed over to it.

    `together_with` gets the attempt's id and writes in the same transaction; what it raises undoes the start.

    Raises:
        NodeBusy: when an attempt for this node is open.
        PreflightFailed: when a check forbids it.
        SecretUnavailable: when the credentials are gone; they are asked for again.
    """
    checks = preflight.check(plan)
    if any(check.blocks for check in checks if check.name != preflight.NODE_FREE):
        raise PreflightFailed(checks)
    credentials = vault.open_for(owner)
    request = plan.request.with_credentials(credentials)
    endpoint, member = plan.probe.endpoint, plan.member.endpoint if plan.member else None
    members = _members(plan, member.key if member else "")
    now = clock.now()
    attempt = Attempt(
        created_at=now,
        next_tick_at=now,
        lease_expires_at=now,
        requested_by=by,
        action=plan.action,
        host=endpoint.address.host,
        address=endpoint.key,
        cluster_name=request.cluster.name or _known_name(members),
        member_address=member.key if member else "",
        request=request.redacted(),
        username=credentials.username,
        facts=plan.probe.answer.node.as_json() if plan.probe.answer else {},
        fingerprint=plan.fingerprint,
        member_fingerprint=plan.member_fingerprint or "",
        accept_new_certificate=plan.accept_new_certificate,
        last_seq=1,
        offered_seq=1,
    )
    attempt.cluster_keys = locks.keys(attempt.cluster_name, attempt.address, members)
    try:
        with transaction.atomic(durable=True):
            attempt.save(force_insert=True)
            patience = timing.error_patience(request.max_retries, request.retry_time)
            ReducerState.objects.create(attempt=attempt, error_patience=patience)
            Event.objects.create(
                attempt=attempt, seq=1, kind="started", message=f"Started by {by.get_username()}", by=by
            )
            audit.record(AttemptAudit.START, by=by, target=attempt.as_target, fingerprint=attempt.fingerprint)
            if together_with:
                together_with(attempt.pk)
            vault.hand_over(owner, attempt.pk, expires_at=now + SECRET_LIFE)
            reach(Point.START_COMMIT)
    except IntegrityError:
        busy = Attempt.objects.filter(address=endpoint.key, state__in=OPEN_STATES).first()
        if busy is None:
            raise
        raise NodeBusy(busy) from None
    reach(Point.START_COMMITTED)
    told = {"attempt": str(attempt.pk), "node": attempt.address, "kind": "started", "seq": 1}
    logger.info("Started by %s", by.get_username(), extra={"fields": told})
    return attempt


def _members(plan: preflight.Plan, checked: str) -> list[str]:
    """Every member that a join names, as `ip:port`, the one that was probed first."""
    if plan.action is not Action.JOIN:
        return []
    port = plan.request.cnm_https_port or DEFAULT_PORT
    named = [str(Address(member, port)) for member in plan.request.cluster.nodes]
    return list(dict.fromkeys([checked, *named])) if checked else named


def _known_name(members: list[str]) -> str:
    """The cluster's name, when one of our own attempts made or joined a member to it."""
    earlier = cluster_members().filter(address__in=members).exclude(cluster_name="")
    return earlier.values_list("cluster_name", flat=True).first() or ""
