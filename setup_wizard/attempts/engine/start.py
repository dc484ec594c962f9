"""Create an attempt that is due now; nothing else happens here, so Start answers at once."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from setup_wizard.access import audit, throttle
from setup_wizard.attempts import locks, preflight, search_text, timing, vault
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.models import LONGEST_VERSION, OPEN_STATES, Attempt, Event, ReducerState
from setup_wizard.bootstrap.actions import Action
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.nodes.probe import Probe

logger = logging.getLogger(__name__)

# A queued attempt may wait long for its cluster. Its end deletes the credentials earlier.
SECRET_LIFE = timedelta(days=7)


class NodeBusy(Exception):
    """This node already has an open attempt, `attempt`."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.address)
        self.attempt = attempt


class PreflightFailed(Exception):
    """Checks refuse Start: those in `refused`; `outcomes` has all of them."""

    def __init__(self, outcomes: list[preflight.CheckOutcome], refused: list[preflight.CheckOutcome]) -> None:
        super().__init__(", ".join(each.name for each in refused))
        self.outcomes = outcomes
        self.refused = refused


def count_start(by: User) -> None:
    """Count a Start of `by`, before anything is checked.

    Raises:
        TooManyRequests: too many within a minute.
    """
    throttle.count("setups", by, limit=settings.SETUP_WIZARD_STARTS_PER_MINUTE)


def begin(  # noqa: PLR0913 - what is started, and how it fits into its caller's transaction
    setup: preflight.NodeSetup,
    reviewed: preflight.Reviewed,
    *,
    secret_id: UUID,
    by: User,
    together_with: Callable[[UUID], None] | None = None,
    attempt_id: UUID | None = None,
    keep_secret: bool = False,
) -> Attempt:
    """Commit an attempt that is due now, with the credentials stored under `secret_id`.

    Checks that need only the answers of the node and of the members are judged once more; the results of the others
    are those of `reviewed`. `together_with` gets the attempt's id and writes in the same transaction; an exception in
    it undoes the start. A second call with the same `attempt_id` returns the attempt of the first. With `keep_secret`
    the attempt gets a copy of the credentials.

    Raises:
        NodeBusy: this node has an open attempt.
        PreflightFailed: a check blocks it.
        SecretUnavailable: the credentials are gone and must be entered again.
    """
    if attempt_id and (begun := Attempt.objects.filter(pk=attempt_id).first()):
        return begun
    outcomes = reviewed.judged_again(setup)
    node, member = reviewed.findings.node, reviewed.findings.member
    refused = [each for each in outcomes if each.name != preflight.NODE_FREE and not reviewed.allows(each)]
    if not isinstance(node, Probe) or refused:
        raise PreflightFailed(outcomes, refused)
    credentials = vault.open_for(secret_id)
    request = setup.request.with_credentials(credentials)
    endpoint, checked = node.endpoint, member.endpoint.key if isinstance(member, Probe) else ""
    members = _members(setup, checked)
    now = clock.now()
    attempt = Attempt(
        id=attempt_id or uuid4(),
        created_at=now,
        next_tick_at=now,
        lease_expires_at=now,
        requested_by=by,
        action=setup.action,
        host=endpoint.address.host,
        address=endpoint.key,
        cluster_name=request.cluster.name or _known_name(members),
        member_address=checked,
        request=request.redacted(),
        username=credentials.username,
        facts=node.answer.node.as_json() if node.answer else {},
        software_version=_version(node),
        fingerprint=setup.fingerprint,
        member_fingerprint=setup.member_fingerprint or "",
        accept_new_certificate=setup.accept_new_certificate,
        overrides=reviewed.as_json(outcomes),
        accepted_permanent=reviewed.permanent,
        last_seq=1,
        offered_seq=1,
    )
    attempt.cluster_keys = locks.keys(attempt.cluster_name, attempt.address, members)
    attempt.search_text = search_text.text_of(attempt)
    try:
        with transaction.atomic(durable=True):
            attempt.save(force_insert=True)
            patience = timing.error_patience(request.max_retries, request.retry_time)
            ReducerState.objects.create(attempt=attempt, error_patience=patience)
            Event.objects.create(
                attempt=attempt, seq=1, kind="started", message=f"Started by {by.get_username()}", by=by
            )
            audit.record(
                AttemptAudit.START,
                by=by,
                target=attempt.as_target,
                fingerprint=attempt.fingerprint,
                note=preflight.describe_overrides(attempt.overrides),
            )
            if together_with:
                together_with(attempt.pk)
            store = vault.copy if keep_secret else vault.move
            store(secret_id, attempt.pk, expires_at=now + SECRET_LIFE)
            reach(Point.START_COMMIT)
    except IntegrityError:
        if attempt_id and (begun := Attempt.objects.filter(pk=attempt_id).first()):
            return begun  # another process began it at the same moment
        busy = Attempt.objects.filter(address=endpoint.key, state__in=OPEN_STATES).first()
        if busy is None:
            raise
        raise NodeBusy(busy) from None
    reach(Point.START_COMMITTED)
    fields = {"attempt": str(attempt.pk), "node": attempt.address, "kind": "started", "seq": 1}
    logger.info("Started by %s", by.get_username(), extra={"fields": fields})
    return attempt


def _version(node: Probe) -> str:
    known = node.answer.node.software_version if node.answer else ""
    return (known or "")[:LONGEST_VERSION]


def _members(setup: preflight.NodeSetup, checked: str) -> list[str]:
    """Every member that a join names, as `ip:port`, the probed one first."""
    if setup.action is not Action.JOIN:
        return []
    port = setup.request.cnm_https_port or DEFAULT_PORT
    named = [str(Address(member, port)) for member in setup.request.cluster.nodes]
    return list(dict.fromkeys([checked, *named])) if checked else named


def _known_name(members: list[str]) -> str:
    """The cluster's name, if an attempt of ours created it or joined a node to it."""
    earlier = attempts_of_members().filter(address__in=members).exclude(cluster_name="")
    return earlier.values_list("cluster_name", flat=True).first() or ""
